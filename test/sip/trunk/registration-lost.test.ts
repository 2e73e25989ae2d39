// A registration that ends before its time, and registrars that take turns.
import { describe, expect, it } from "vitest";
import type { SipTransportName, TrunkSettings } from "../../../src/ports/sip.ts";
import { header, type SipRequest } from "../../../src/sip/wire/message.ts";
import { Peer, type Received } from "../rig/peer.ts";
import { closeLater, rig, standStill, startPeer, startStack } from "../rig/rig.ts";
import { trunkSettings } from "../rig/stack.ts";
import { registration, registering, take, registered, cseq } from "./registering.ts";

/** Answers every REGISTER that comes from now on; those that came stay in the peer's log. */
async function serve(peer: Peer): Promise<never> {
  for (;;) take(peer, await peer.request("REGISTER"));
}

describe("several registrars", () => {
  const two = (first: Peer, second: Peer): TrunkSettings =>
    trunkSettings(first.port, { ...registering, moreServers: [{ host: "127.0.0.1", port: second.port }] });

  it("of which the first is overloaded: the second has us", async () => {
    const [first, second] = [await startPeer(), await startPeer()];
    const stack = await startStack(two(first, second));
    first.reply(await first.request("REGISTER"), 503);
    take(second, await second.request("REGISTER"));
    await registered(stack);
  });

  it("of which the one that has us dies: the other has us as soon as that is seen", async () => {
    const pass = standStill();
    const [first, second] = [await startPeer({ options: 200 }), await startPeer({ options: 200 })];
    const stack = await startStack({ ...two(first, second), optionsIntervalMs: 30_000 });
    const register = await first.request("REGISTER");
    take(first, register);
    await stack.health(({ state }) => state === "up");
    await expect.poll(() => first.count("OPTIONS")).toBe(1);
    first.answerOptions(503);
    await expect
      .poll(() => {
        pass(5_000);
        return second.count("REGISTER");
      })
      .toBeGreaterThan(0);
    const moved = await second.request("REGISTER");
    expect(moved.message.sipCallId).toBe(register.message.sipCallId);
    take(second, moved);
    expect(first.count("REGISTER")).toBe(1);
    expect(stack.healths.map(({ state }) => state)).not.toContain("down");
  });

  it("of which the first says nothing: the second has us after 10 s", async () => {
    const pass = standStill();
    const [first, second] = [await startPeer(), await startPeer()];
    const stack = await startStack(two(first, second));
    const silent = await first.request("REGISTER");
    pass(10_000);
    const register = await second.request("REGISTER");
    expect(cseq(register)).toBeGreaterThan(cseq(silent));
    take(second, register);
    await registered(stack);
  });
});

describe("a registration that is lost", () => {
  it.each<SipTransportName>(["tcp", "tls", "ws"])(
    "with its connection over %s is made again at once on another",
    async (transport) => {
      const pass = standStill();
      const { peer, stack } = await rig(transport, registering);
      const first = await peer.request("REGISTER");
      take(peer, first);
      await registered(stack);
      pass(6_000);
      for (const flow of peer.flows) flow.destroy();
      const second = await peer.request("REGISTER");
      expect(cseq(second)).toBe(cseq(first) + 1);
      expect(peer.connections).toBeGreaterThan(1);
      take(peer, second);
      expect(stack.trunks.health()[0]).toMatchObject({ registered: true, state: "up" });
    },
  );

  it("by a connection that closes each time is made again when the next stands, but not for ever so soon", async () => {
    const pass = standStill();
    const { peer, stack } = await rig("tcp", registering);
    const detail = (): string | undefined => stack.trunks.health()[0]?.detail;
    /** Time goes by until then. */
    const until = (look: () => unknown) =>
      expect.poll(() => {
        pass(250);
        return look();
      });
    for (let times = 1; times <= 3; times++) {
      take(peer, await peer.request("REGISTER"));
      await expect.poll(() => stack.trunks.health()[0]?.registered).toBe(true);
      for (const flow of peer.flows) flow.destroy();
      await expect.poll(() => stack.trunks.health()[0]?.registered).toBe(false);
      expect(detail()).toContain("connection closed");
      await until(() => peer.connections).toBeGreaterThan(times);
    }
    // The connection stands again, and the registration waits.
    await until(detail).toContain("; connected");
    expect(peer.count("REGISTER")).toBe(3);
  });

  it("by a registrar that was started anew is made again when that answers", async () => {
    const pass = standStill();
    const old = await Peer.start({ options: 200 });
    const { port } = old;
    const stack = await startStack(trunkSettings(port, { ...registering, optionsIntervalMs: 30_000 }));
    const first = await old.request("REGISTER");
    take(old, first);
    await stack.health(({ state }) => state === "up");
    await expect.poll(() => old.count("OPTIONS")).toBe(1);
    await old.close();
    await expect
      .poll(() => {
        pass(5_000);
        return stack.trunks.health()[0];
      })
      .toMatchObject({ state: "down", registered: true });
    const fresh = await Peer.start({ port, options: 200 });
    closeLater(() => fresh.close());
    await expect
      .poll(() => {
        pass(1_000);
        return fresh.count("REGISTER");
      })
      .toBeGreaterThan(0);
    const again = await fresh.request("REGISTER");
    expect(cseq(again)).toBe(cseq(first) + 1);
    take(fresh, again);
    await expect.poll(() => stack.trunks.health()[0]?.state).toBe("up");
  });

  it("by nobody answering any more stands until its time is over", async () => {
    const pass = standStill();
    const { peer, stack } = await rig("udp", { registration: { ...registration, expiresMs: 60_000 } });
    take(peer, await peer.request("REGISTER"));
    await registered(stack);
    pass(54_000);
    await peer.request("REGISTER");
    expect(stack.trunks.health()[0]?.registered).toBe(true);
    pass(6_000);
    await stack.health(({ registered: is, detail }) => is === false && detail.includes("ran out"));
  });
});

describe("a bridge that stops", () => {
  it("takes its registration back", async () => {
    const { peer, stack } = await rig("udp", registering);
    void serve(peer);
    await registered(stack);
    await stack.stop();
    const last = peer.log.at(-1) as Received<SipRequest>;
    expect([last.message.cseq.method, header(last.message, "Expires")]).toEqual(["REGISTER", "0"]);
  });

  it("does not wait for ever for a registrar that says nothing", async () => {
    const { peer, stack } = await rig("udp", registering);
    take(peer, await peer.request("REGISTER"));
    await registered(stack);
    await stack.stop();
    expect(peer.count("REGISTER")).toBeGreaterThan(1);
  });
});
