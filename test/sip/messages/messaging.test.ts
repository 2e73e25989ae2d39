// Texts between Matrix and the telephone network: MESSAGE both ways, in order, once, and with what became of them.
import { describe, expect, it } from "vitest";
import { trunkName } from "../../../src/core/ids.ts";
import type { MessageOrder } from "../../../src/ports/sip.ts";
import { textHeader } from "../../../src/sip/wire/header-builder.ts";
import { header } from "../../../src/sip/wire/message.ts";
import { lines } from "../rig/peer.ts";
import { rig, standStill, startPeer, startStack, TRANSACTION_MS } from "../rig/rig.ts";
import { IDENTITY, TRUNK, trunkSettings } from "../rig/stack.ts";
import { sipUri } from "../../core/address/sip-uri.ts";

const order = (text: string, more: Partial<MessageOrder> = {}): MessageOrder => ({
  trunk: TRUNK,
  target: sipUri("sip:+4940555@gateway.example"),
  identity: IDENTITY,
  text,
  ...more,
});

describe("a text of a person", () => {
  it("goes out as MESSAGE under their identity, and is delivered", async () => {
    const { peer, stack } = await rig();
    const identity = {
      ...IDENTITY,
      asserted: [sipUri("sip:+4930123@us.example")],
      from: { ...IDENTITY.from, displayName: "Eve" },
    };
    const outcome = stack.trunks.message(order("Grüße ☎\nline two", { identity }));
    const sent = await peer.request("MESSAGE");
    expect(sent.message.uriText).toBe("sip:+4940555@gateway.example");
    expect(lines(sent, "Content-Type")).toEqual(["text/plain;charset=UTF-8"]);
    expect(lines(sent, "From")[0]).toMatch(/^"Eve" <sip:\+4930123@127\.0\.0\.1>;tag=/);
    expect(lines(sent, "P-Asserted-Identity")).toEqual(["<sip:+4930123@us.example>"]);
    expect(lines(sent, "Contact")).toEqual([]);
    expect(sent.message.body).toBe("Grüße ☎\nline two");
    peer.reply(sent, 202);
    expect(await outcome).toEqual({ kind: "delivered", status: 202 });
  });

  it.each([404, 480, 486, 603, 302])("is answered %i: not delivered, and why", async (status) => {
    const { peer, stack } = await rig();
    const outcome = stack.trunks.message(order("hello"));
    peer.reply(await peer.request("MESSAGE"), status, { phrase: "Because" });
    expect(await outcome).toEqual({ kind: "refused", status, phrase: "Because" });
  });

  it("waits for the one before it to the same number; others do not wait for it", async () => {
    const { peer, stack } = await rig();
    const first = stack.trunks.message(order("1"));
    const second = stack.trunks.message(order("2"));
    const other = stack.trunks.message(order("3", { target: sipUri("sip:+4940666@gateway.example") }));
    const one = await peer.request("MESSAGE");
    const three = await peer.request("MESSAGE");
    expect([one.message.body, three.message.body]).toEqual(["1", "3"]);
    peer.reply(three, 200);
    expect((await other).kind).toBe("delivered");
    peer.reply(one, 480);
    expect((await first).kind).toBe("refused");
    const two = await peer.request("MESSAGE");
    expect(two.message.body).toBe("2");
    peer.reply(two, 200);
    expect((await second).kind).toBe("delivered");
  });

  it("is the fifty-first to a number that does not answer: refused at once", async () => {
    const { stack } = await rig();
    const outcomes = Array.from({ length: 51 }, (_, number) => stack.trunks.message(order(String(number))));
    expect(await outcomes.at(-1)).toMatchObject({ kind: "refused", status: 503 });
  });

  it("is not settled when the bridge stops: it has failed", async () => {
    const { peer, stack } = await rig();
    const outcomes = [stack.trunks.message(order("1")), stack.trunks.message(order("2"))];
    await peer.request("MESSAGE");
    await stack.stop();
    expect(await Promise.all(outcomes)).toEqual(outcomes.map(() => ({ kind: "failed", fault: "transport" })));
    expect(await stack.trunks.message(order("3"))).toEqual({ kind: "failed", fault: "transport" });
  });

  it("goes over the next server when the first does not answer, under the same Call-ID", async () => {
    const pass = standStill();
    const dead = await startPeer();
    const alive = await startPeer();
    const moreServers = [{ host: "127.0.0.1", port: alive.port }];
    const stack = await startStack(trunkSettings(dead.port, { moreServers }));
    const outcome = stack.trunks.message(order("hello"));
    const first = await dead.request("MESSAGE");
    pass(TRANSACTION_MS);
    const second = await alive.request("MESSAGE");
    expect(second.message.sipCallId).toBe(first.message.sipCallId);
    expect(second.message.fromTag).toBe(first.message.fromTag);
    alive.reply(second, 200);
    expect(await outcome).toEqual({ kind: "delivered", status: 200 });
  });

  it("goes over the next server when the first is overloaded, and is refused when all are", async () => {
    const one = await startPeer();
    const two = await startPeer();
    const moreServers = [{ host: "127.0.0.1", port: two.port }];
    const stack = await startStack(trunkSettings(one.port, { moreServers }));
    const outcome = stack.trunks.message(order("hello"));
    one.reply(await one.request("MESSAGE"), 503, { headers: [textHeader("Retry-After", "60")] });
    two.reply(await two.request("MESSAGE"), 503);
    expect(await outcome).toMatchObject({ kind: "refused", status: 503 });
    // The first one has said for how long it wants to be left alone.
    const next = stack.trunks.message(order("hello again"));
    two.reply(await two.request("MESSAGE"), 200);
    expect((await next).kind).toBe("delivered");
  });

  it("finds nobody at the other end: failed, and why", async () => {
    const pass = standStill();
    const { peer, stack } = await rig();
    const outcome = stack.trunks.message(order("hello"));
    await peer.request("MESSAGE");
    pass(TRANSACTION_MS);
    expect(await outcome).toEqual({ kind: "failed", fault: "timeout" });
  });

  it("meets a server that cannot be connected to: failed, and why", async () => {
    const { peer, stack } = await rig("tcp");
    await peer.close();
    expect(await stack.trunks.message(order("hello"))).toEqual({ kind: "failed", fault: "transport" });
  });

  it("is signed where the trunk wants that, and fails where it does not like our credentials", async () => {
    const { peer, stack } = await rig("udp", { credentials: { username: "bridge", password: "secret" } });
    const challenge = (nonce: string) => ({
      headers: [textHeader("Proxy-Authenticate", `Digest realm="r", nonce="${nonce}", qop="auth"`)],
    });
    const good = stack.trunks.message(order("hello"));
    peer.reply(await peer.request("MESSAGE"), 407, challenge("1"));
    const signed = await peer.request("MESSAGE");
    expect(lines(signed, "Proxy-Authorization")).toHaveLength(1);
    expect(signed.message.body).toBe("hello");
    peer.reply(signed, 200);
    expect((await good).kind).toBe("delivered");
    const bad = stack.trunks.message(order("hello"));
    peer.reply(await peer.request("MESSAGE"), 407, challenge("2"));
    peer.reply(await peer.request("MESSAGE"), 407, challenge("3"));
    expect(await bad).toEqual({ kind: "failed", fault: "credentials" });
  });

  it("too long for a datagram goes by TCP, as long as the server takes that", async () => {
    const { peer, stack } = await rig("udp", {}, { peer: { alsoTcp: true } });
    const outcome = stack.trunks.message(order("ü".repeat(1_000)));
    const sent = await peer.request("MESSAGE");
    expect(sent.message.vias[0].transport).toBe("TCP");
    expect(sent.message.body).toBe("ü".repeat(1_000));
    peer.reply(sent, 200);
    expect((await outcome).kind).toBe("delivered");
  });

  it("too long for a datagram goes in one all the same where TCP is refused", async () => {
    const { peer, stack } = await rig();
    const outcome = stack.trunks.message(order("x".repeat(3_000)));
    const sent = await peer.request("MESSAGE");
    expect(sent.message.vias[0].transport).toBe("UDP");
    peer.reply(sent, 200);
    expect((await outcome).kind).toBe("delivered");
  });

  it.each<[string, Partial<MessageOrder>, unknown]>([
    ["too long for any message", { text: "x".repeat(60_001) }, { kind: "refused", status: 513 }],
    ["over a trunk that is not there", { trunk: trunkName("elsewhere") }, { kind: "failed", fault: "internal" }],
  ])("%s never leaves", async (_, more, outcome) => {
    const { peer, stack } = await rig();
    expect(await stack.trunks.message(order("hello", more))).toMatchObject(outcome as object);
    expect(peer.count("MESSAGE")).toBe(0);
  });

  it("cannot write headers of its own", async () => {
    const { peer, stack } = await rig();
    void stack.trunks.message(order("a\r\n\r\nb\r\nX-Evil: 1\ud800"));
    const sent = await peer.request("MESSAGE");
    expect(header(sent.message, "X-Evil")).toBeUndefined();
    expect(sent.message.body).toBe("a\r\n\r\nb\r\nX-Evil: 1\uFFFD");
  });
});
