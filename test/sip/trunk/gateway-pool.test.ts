// A trunk with several gateways: which one a call goes to, and what becomes of it when its gateway dies while it rings.
import { describe, expect, it } from "vitest";
import type { SipTransportName, TrunkSettings } from "../../../src/ports/sip.ts";
import { Peer } from "../rig/peer.ts";
import { closeLater, standStill, startPeer, startStack } from "../rig/rig.ts";
import { ANSWER, trunkSettings, type Stack } from "../rig/stack.ts";
import { watchGateway } from "../../../src/sip/trunk/gateway-liveness.ts";
import { textHeader } from "../../../src/sip/wire/header-builder.ts";
import { VirtualClock } from "../../fakes/virtual-clock.ts";
import type { CallId } from "../../../src/core/ids.ts";

function several(first: Peer, ...others: readonly Peer[]): TrunkSettings {
  const { transport } = first;
  return trunkSettings(first.port, {
    transport,
    moreServers: others.map(({ port }) => ({ host: "127.0.0.1", port })),
  });
}

/** Rings at the first peer. */
async function ringing(stack: Stack, first: Peer): Promise<CallId> {
  const call = stack.invite();
  first.reply(await first.request("INVITE"), 180);
  await stack.fact(call, "sip.ringing");
  return call;
}

describe("a trunk with several gateways", () => {
  it("uses the first, and says which are down", async () => {
    const [first, second, third] = [
      await startPeer({ options: 200 }),
      await startPeer({ options: 503 }),
      await startPeer({ options: 200 }),
    ];
    const settings = { ...several(first, second, third), optionsIntervalMs: 60_000 };
    const stack = await startStack(settings);
    const detail = `OPTIONS answered 200; down: 127.0.0.1:${second.port}`;
    expect(await stack.health((health) => health.detail === detail)).toMatchObject({ state: "up" });
    const call = stack.invite();
    first.reply(await first.request("INVITE"), 486);
    await stack.fact(call, "sip.rejected");
    expect(third.count("OPTIONS")).toBe(1);
  });

  it("stays up on the second when the first is down, and goes back to it when it answers again", async () => {
    const pass = standStill();
    const [first, second] = [await startPeer({ options: 503 }), await startPeer({ options: 200 })];
    const stack = await startStack({ ...several(first, second), optionsIntervalMs: 60_000 });
    await stack.health(({ detail }) => detail === `OPTIONS answered 200; down: 127.0.0.1:${first.port}`);
    expect(stack.healths.map(({ state }) => state)).not.toContain("down");
    const call = stack.invite();
    second.reply(await second.request("INVITE"), 486);
    await stack.fact(call, "sip.rejected");
    first.answerOptions(200);
    pass(61_000);
    await stack.health(({ detail }) => detail === "OPTIONS answered 200");
    const later = stack.invite();
    first.reply(await first.request("INVITE"), 486);
    await stack.fact(later, "sip.rejected");
  });

  it("is not down because one of them is, without OPTIONS either", async () => {
    const [first, second] = [await startPeer(), await startPeer()];
    const stack = await startStack(several(first, second));
    const answered = stack.invite();
    first.reply(await first.request("INVITE"), 503);
    second.reply(await second.request("INVITE"), 486);
    await stack.fact(answered, "sip.rejected");
    const refused = stack.invite();
    second.reply(await second.request("INVITE"), 503);
    first.reply(await first.request("INVITE"), 503);
    await stack.fact(refused, "sip.rejected");
    await stack.health(({ state }) => state === "down");
    expect(stack.healths.map(({ state, detail }) => `${state}: ${detail}`)).toEqual([
      `up: INVITE answered; down: 127.0.0.1:${first.port}`,
      "down: INVITE answered 503",
    ]);
  });

  it("is not passed over for a 503 that names the telephone's own trouble in its Reason", async () => {
    const [first, second] = [await startPeer(), await startPeer()];
    const stack = await startStack(several(first, second));
    const busy = stack.invite();
    first.reply(await first.request("INVITE"), 503, { headers: [textHeader("Reason", "Q.850;cause=17")] });
    expect(await stack.fact(busy, "sip.rejected")).toMatchObject({ status: 503, q850: 17 });
    const congested = stack.invite();
    first.reply(await first.request("INVITE"), 503, { headers: [textHeader("Reason", "Q.850;cause=34")] });
    second.reply(await second.request("INVITE"), 486);
    expect(await stack.fact(congested, "sip.rejected")).toMatchObject({ status: 486 });
  });

  it("leaves one alone for 30 s, however many calls meet the same outage at once", async () => {
    const pass = standStill();
    const [first, second] = [await startPeer(), await startPeer()];
    const stack = await startStack(several(first, second));
    const calls = Array.from({ length: 10 }, () => stack.invite());
    const invites = await Promise.all(calls.map(() => first.request("INVITE")));
    for (const invite of invites) first.reply(invite, 503);
    for (const _ of calls) second.reply(await second.request("INVITE"), 486);
    await Promise.all(calls.map((call) => stack.fact(call, "sip.rejected")));
    pass(30_000);
    const later = stack.invite();
    first.reply(await first.request("INVITE"), 486);
    await stack.fact(later, "sip.rejected");
  });

  it("leaves one that fails alone for longer each time", async () => {
    const pass = standStill();
    const [first, second] = [await startPeer(), await startPeer()];
    const stack = await startStack(several(first, second));
    const goesTo = async (peer: Peer, status: number): Promise<void> => {
      const call = stack.invite();
      peer.reply(await peer.request("INVITE"), status);
      if (status === 503) second.reply(await second.request("INVITE"), 486);
      await stack.fact(call, "sip.rejected");
    };
    for (const restMs of [30_000, 60_000, 120_000, 240_000, 300_000, 300_000]) {
      await goesTo(first, 503);
      pass(restMs - 1_000);
      await goesTo(second, 486);
      pass(1_000);
    }
    await goesTo(first, 486);
    await goesTo(first, 503);
    pass(30_000);
    await goesTo(first, 486);
  });
});

describe("a gateway that dies while the call rings", () => {
  it.each([
    ["ringing", 180],
    ["trying", 100],
  ])("over UDP, its port closed, after it said %s: the call goes on over the next", async (_said, status) => {
    const pass = standStill();
    const first = await Peer.start();
    const second = await startPeer();
    const stack = await startStack(several(first, second));
    const call = stack.invite();
    const invite = await first.request("INVITE");
    first.reply(invite, status);
    await stack.fact(call, "sip.trying", "sip.ringing");
    await first.close();
    await expect
      .poll(() => {
        pass(1_000);
        return second.count("INVITE");
      })
      .toBe(1);
    const next = await second.request("INVITE");
    expect(next.message.vias[0].branch).not.toBe(invite.message.vias[0].branch);
    second.reply(next, 180);
    second.reply(next, 200, { sdp: ANSWER });
    await stack.fact(call, "sip.accepted");
    expect(stack.facts.get(call)?.filter(({ kind }) => kind === "sip.sent")).toHaveLength(2);
    // Whoever comes back in between is told at once.
    const back = await Peer.start({ port: first.port });
    closeLater(() => back.close());
    pass(8_000);
    await back.request("CANCEL");
  });

  it("is not taken for dead by a firewall that refuses our question, while it answers", async () => {
    const clock = new VirtualClock();
    const told: string[] = [];
    let answers = true;
    const watch = watchGateway({
      clock,
      everyMs: 5_000,
      another: () => Promise.resolve(true),
      refused: () => Promise.resolve(true),
      ask: (answered) => answers && answered(),
      answersOptions: () => true,
      gone: (message) => told.push(message),
    });
    const pass = async (ms: number): Promise<void> => {
      clock.advance(ms);
      for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    };
    for (let times = 0; times < 8; times++) await pass(2_500);
    expect(told).toEqual([]);
    answers = false;
    for (let times = 0; times < 4; times++) await pass(2_500);
    expect(told).toEqual(["nothing listens at the gateway's port any more"]);
    watch.end();
    expect(clock.pending).toBe(0);
  });

  it("that stops to answer OPTIONS: the same, and a late answer of it is ended", async () => {
    const pass = standStill();
    const first = await startPeer({ options: 200 });
    const second = await startPeer();
    const stack = await startStack(several(first, second));
    const call = stack.invite();
    const invite = await first.request("INVITE");
    first.reply(invite, 180);
    await stack.fact(call, "sip.ringing");
    pass(5_000);
    await expect.poll(() => first.count("OPTIONS")).toBe(1);
    first.answerOptions(undefined);
    await expect
      .poll(() => {
        pass(5_000);
        return second.count("INVITE");
      })
      .toBe(1);
    second.reply(await second.request("INVITE"), 200, { sdp: ANSWER });
    await stack.fact(call, "sip.accepted");
    first.reply(invite, 200, { sdp: ANSWER });
    await first.request("ACK");
    first.reply(await first.request("BYE"), 200);
    expect(stack.kinds(call)).toEqual(["sip.ringing", "sip.accepted"]);
  });

  it("that never answered OPTIONS is not judged by them", async () => {
    const pass = standStill();
    const [first, second] = [await startPeer(), await startPeer()];
    const stack = await startStack(several(first, second));
    const call = await ringing(stack, first);
    for (let asked = 1; asked <= 4; asked++) {
      pass(5_000);
      await expect.poll(() => first.count("OPTIONS")).toBeGreaterThanOrEqual(asked);
    }
    expect(second.log).toEqual([]);
    stack.trunks.cancel(call);
    first.reply(await first.request("CANCEL"), 200);
  });

  it("and there is no other: it is asked nothing, and the call keeps its time", async () => {
    const pass = standStill();
    const first = await startPeer();
    const stack = await startStack(several(first));
    const call = await ringing(stack, first);
    for (let times = 0; times < 6; times++) {
      pass(5_000);
      await Promise.resolve();
    }
    stack.trunks.cancel(call);
    await first.request("CANCEL");
    expect(first.count("OPTIONS")).toBe(0);
  });

  it.each<SipTransportName>(["tcp", "ws"])("over %s, its connection lost: at once", async (transport) => {
    const first = await Peer.start({ transport });
    const second = await startPeer({ transport });
    const stack = await startStack(several(first, second));
    const call = await ringing(stack, first);
    await first.close();
    second.reply(await second.request("INVITE"), 200, { sdp: ANSWER });
    await stack.fact(call, "sip.accepted");
    expect(stack.kinds(call)).toEqual(["sip.ringing", "sip.accepted"]);
  });

  it("but whose connection alone was lost answers over another", async () => {
    const [first, second] = [await startPeer({ transport: "tcp" }), await startPeer({ transport: "tcp" })];
    const stack = await startStack(several(first, second));
    const call = await ringing(stack, first);
    const invite = first.log.find(({ message }) => message.cseq.method === "INVITE");
    for (const flow of first.flows) flow.destroy();
    await expect.poll(() => first.connections).toBe(2);
    if (invite?.message.kind !== "request") throw new Error("no INVITE");
    const contact = invite.message.contacts === "*" ? undefined : invite.message.contacts[0]?.uri;
    const port = contact?.kind === "sip" ? (contact.port ?? 0) : 0;
    first.reply({ message: invite.message, text: invite.text, flow: await first.dial(port) }, 200, { sdp: ANSWER });
    await stack.fact(call, "sip.accepted");
    expect(second.count("INVITE")).toBe(0);
  });

  it("and the next cannot be reached: the call fails", async () => {
    const pass = standStill();
    const first = await Peer.start();
    const second = await Peer.start();
    const stack = await startStack(several(first, second));
    const call = await ringing(stack, first);
    await first.close();
    await second.close();
    await expect
      .poll(() => {
        pass(500);
        return stack.kinds(call);
      })
      .toEqual(["sip.ringing", "sip.failed"]);
  });
});
