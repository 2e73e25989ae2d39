// Messages that look as if they belonged to a call: from other addresses, with some of its ids, or with a Via that
// points elsewhere. None may end or change a call, and no answer may go to anybody but the sender.
import { createSocket } from "node:dgram";
import { describe, expect, it } from "vitest";
import { bind } from "../../../dev/loopback/listen.ts";
import type { CallId } from "../../../src/core/ids.ts";
import type { SipRequest } from "../../../src/sip/wire/message.ts";
import { parseSip } from "../../../src/sip/wire/parser.ts";
import type { Peer, Received } from "../rig/peer.ts";
import { closeLater, rig, type Rig } from "../rig/rig.ts";
import { ANSWER, type Stack } from "../rig/stack.ts";

interface Outsider {
  readonly port: number;
  readonly heard: string[];
  send(text: string, port: number): void;
}

/** A socket of its own on a loopback address. */
async function outsider(host: string): Promise<Outsider> {
  const socket = createSocket("udp4");
  await bind(socket, 0, host);
  closeLater(() => new Promise((resolve) => socket.close(() => resolve())));
  const heard: string[] = [];
  socket.on("message", (bytes) => heard.push(bytes.toString()));
  return { port: socket.address().port, heard, send: (text, port) => socket.send(text, port, "127.0.0.1") };
}

interface Talk {
  readonly peer: Peer;
  readonly stack: Stack;
  readonly call: CallId;
  readonly invite: Received<SipRequest>;
  /** Where the stack listens. */
  readonly port: number;
}

async function talking({ peer, stack }: Rig): Promise<Talk> {
  const call = stack.invite();
  const invite = await peer.request("INVITE");
  peer.reply(invite, 200, { sdp: ANSWER });
  await stack.fact(call, "sip.accepted");
  await peer.request("ACK");
  return { peer, stack, call, invite, port: invite.message.vias[0].port ?? 0 };
}

/** What the peer would send inside the call. */
function written({ peer, invite }: Talk, method: string, options: Parameters<Peer["inDialog"]>[3] = {}): string {
  let text = "";
  peer.inDialog({ ...invite, flow: { send: (bytes) => void (text = bytes.toString()) } }, method, 1, options);
  return text;
}

/** The call is as it was: the true peer can still end it. */
async function stillUp({ peer, stack, call, invite }: Talk): Promise<void> {
  peer.inDialog(invite, "BYE", 7);
  await peer.response("BYE", 200);
  await stack.fact(call, "sip.hungUp");
  expect(stack.kinds(call)).toEqual(["sip.accepted", "sip.hungUp"]);
}

/** The status line of the answer to the request with that branch. */
async function statusOf(heard: readonly string[], branch: string): Promise<string> {
  await expect.poll(() => heard.find((text) => text.includes(branch)), { interval: 2 }).toBeDefined();
  return heard.find((text) => text.includes(branch))?.split("\r\n", 1)[0] ?? "";
}

describe("with the right Call-ID but", () => {
  it.each([
    ["BYE", "another tag of ours", (text: string) => text.replace(/(To: .*tag=)\S+/, "$1guess")],
    ["BYE", "another tag of theirs", (text: string) => text.replace(/(From: .*tag=)\S+/, "$1guess")],
    ["BYE", "no tag of ours", (text: string) => text.replace(/(To: .*);tag=\S+/, "$1")],
    ["INVITE", "another tag of ours", (text: string) => text.replace(/(To: .*tag=)\S+/, "$1guess")],
    ["UPDATE", "another tag of theirs", (text: string) => text.replace(/(From: .*tag=)\S+/, "$1guess")],
    ["CANCEL", "a branch that was never asked", (text: string) => text],
  ])("a %s with %s is answered 481", async (method, _which, forge) => {
    const talk = await talking(await rig("udp", { peers: ["127.0.0.2"] }));
    const other = await outsider("127.0.0.2");
    other.send(forge(written(talk, method, { sdp: ANSWER, branch: "z9hG4bKforged" })), talk.port);
    expect(await statusOf(other.heard, "z9hG4bKforged")).toMatch(/^SIP\/2\.0 481 /);
    await stillUp(talk);
  });

  it("a CANCEL for our own INVITE, which is not theirs to cancel, is answered 481", async () => {
    const { peer, stack } = await rig("udp", { peers: ["127.0.0.2"] });
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    peer.reply(invite, 180);
    await stack.fact(call, "sip.ringing");
    const other = await outsider("127.0.0.2");
    const cancel = invite.text
      .replaceAll("INVITE", "CANCEL")
      .replace(/\r\n\r\n.*$/s, "\r\n\r\n")
      .replace(/Content-Length: \d+/, "Content-Length: 0");
    other.send(cancel.replace(/Content-Type: .*\r\n/, ""), invite.message.vias[0].port ?? 0);
    expect(await statusOf(other.heard, invite.message.vias[0].branch ?? "")).toMatch(/^SIP\/2\.0 481 /);
    expect(stack.kinds(call)).toEqual(["sip.ringing"]);
  });
});

describe("a response from elsewhere", () => {
  it.each([
    ["another branch", (text: string) => text.replace(/branch=[^;\r]+/, "branch=z9hG4bKguess")],
    ["another method", (text: string) => text.replace(/CSeq: (\d+) INVITE/, "CSeq: $1 BYE")],
    ["a second Via", (text: string) => text.replace(/(Via: .*)/, "$1\r\n$1")],
  ])("with %s changes nothing", async (_which, forge) => {
    const { peer, stack } = await rig();
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    let text = "";
    peer.reply({ ...invite, flow: { send: (bytes) => void (text = bytes.toString()) } }, 603);
    expect(parseSip(forge(text)).outcome).toBe("message");
    (await outsider("127.0.0.2")).send(forge(text), invite.message.vias[0].port ?? 0);
    peer.datagram(forge(text), invite.message.vias[0].port ?? 0);
    peer.reply(invite, 180);
    await stack.fact(call, "sip.ringing");
    expect(stack.kinds(call)).toEqual(["sip.ringing"]);
  });

  it("of a server that answers from its other address is the answer", async () => {
    const { peer, stack } = await rig();
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    let text = "";
    peer.reply({ ...invite, flow: { send: (bytes) => void (text = bytes.toString()) } }, 486);
    (await outsider("127.0.0.2")).send(text, invite.message.vias[0].port ?? 0);
    expect(await stack.fact(call, "sip.rejected")).toMatchObject({ status: 486 });
  });
});

describe("a Via that points to somebody else", () => {
  it.each<[string, (via: string, victim: number) => string]>([
    ["host and rport", (via) => via.replace("127.0.0.1", "127.0.0.3")],
    ["received", (via) => `${via};received=127.0.0.3`],
    ["rport", (via, victim) => `${via.replace(";rport", "")};rport=${victim};received=127.0.0.3`],
    ["maddr", (via) => `${via};maddr=127.0.0.3;ttl=1`],
    ["name", (via) => via.replace("127.0.0.1", "victim.example")],
  ])("by its %s: the answer goes to the sender", async (_how, forge) => {
    const talk = await talking(await rig());
    const victim = await outsider("127.0.0.3");
    const asked = written(talk, "OPTIONS", { branch: "z9hG4bKspoofed" });
    talk.peer.datagram(
      asked.replace(/Via: .*/, (via) => forge(via, victim.port)),
      talk.port,
    );
    expect((await talk.peer.response("OPTIONS")).message.statusCode).toBe(200);
    await stillUp(talk);
    expect(victim.heard).toEqual([]);
  });

  it("by its port, without rport: to that port, but at the sender's address", async () => {
    const talk = await talking(await rig("udp", { peers: ["127.0.0.2"] }));
    const [sender, listener] = [await outsider("127.0.0.2"), await outsider("127.0.0.2")];
    const asked = written(talk, "OPTIONS", { branch: "z9hG4bKspoofed" });
    sender.send(asked.replace(/127\.0\.0\.1:\d+;(.*);rport/, `127.0.0.3:${listener.port};$1`), talk.port);
    expect(await statusOf(listener.heard, "z9hG4bKspoofed")).toMatch(/^SIP\/2\.0 200 /);
    expect(listener.heard[0]).toContain(";received=127.0.0.2");
  });
});

describe("a datagram in the name of the trunk's server", () => {
  it("brings no answer of more than its own size and a few hundred bytes", async () => {
    const talk = await talking(await rig("udp", { peers: ["127.0.0.2"] }));
    const other = await outsider("127.0.0.2");
    const hops = Array.from({ length: 60 }, (_, hop) => `Via: SIP/2.0/UDP hop${hop}.example;branch=z9hG4bK${hop}\r\n`);
    const samples = ["OPTIONS", "REFER", "FROBNICATE", "BYE", "INVITE", "NOTIFY"].flatMap((method) => {
      const text = written(talk, method, { toTag: "x" });
      const far = text.replace("Max-Forwards", `${hops.join("")}Max-Forwards`);
      return [text, far, text.replace("CSeq: 1", "CSeq: x")];
    });
    for (const [number, sample] of samples.entries()) {
      const text = sample.replace(/branch=[^;]+/, `branch=z9hG4bK-sample-${number}-`);
      other.send(text, talk.port);
      await statusOf(other.heard, `sample-${number}-`);
      const answer = other.heard.find((heard) => heard.includes(`sample-${number}-`)) ?? "";
      expect(answer.length - text.length).toBeLessThan(300);
    }
    await stillUp(talk);
  });

  it("brings nothing at all where it is an ACK, a response or no SIP", async () => {
    const talk = await talking(await rig("udp", { peers: ["127.0.0.2"] }));
    const other = await outsider("127.0.0.2");
    const ack = written(talk, "ACK");
    for (const text of [
      ack,
      ack.replace("CSeq: 1", "CSeq: x"),
      "SIP/2.0 200 OK\r\n\r\n",
      "\r\n\r\n",
      "GET / HTTP/1.1\r\n\r\n",
    ]) {
      other.send(text, talk.port);
    }
    other.send(written(talk, "OPTIONS", { branch: "z9hG4bKlast" }), talk.port);
    expect(await statusOf(other.heard, "z9hG4bKlast")).toMatch(/^SIP\/2\.0 200 /);
    expect(other.heard).toHaveLength(1);
  });
});
