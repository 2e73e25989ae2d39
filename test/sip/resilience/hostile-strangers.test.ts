// What strangers and broken software send: nothing of it may end the process, start a call or touch one.
import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { once } from "node:events";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anyText } from "../../arbitraries/any-text.ts";
import { bind } from "../../../dev/loopback/listen.ts";
import { contactPort, lines, type Received } from "../rig/peer.ts";
import { closeLater, rig, startPeer, startStack, type Rig } from "../rig/rig.ts";
import { ANSWER, IDENTITY, OFFER, TRUNK, trunkSettings } from "../rig/stack.ts";
import type { SipRequest } from "../../../src/sip/wire/message.ts";
import { callId } from "../../../src/core/ids.ts";
import { sipUri } from "../../core/address/sip-uri.ts";

/** A call that is up, to see whether it stays up. */
async function talking({
  peer,
  stack,
}: Rig): Promise<{ invite: Received<SipRequest>; port: number; hangUp: () => Promise<void> }> {
  const call = stack.invite();
  const invite = await peer.request("INVITE");
  peer.reply(invite, 200, { sdp: ANSWER });
  await stack.fact(call, "sip.accepted");
  await peer.request("ACK");
  const hangUp = async (): Promise<void> => {
    stack.trunks.bye(call);
    peer.reply(await peer.request("BYE"), 200);
    await stack.fact(call, "sip.ended");
    // A mutilated offer may still be an offer; no fact but these may come of anything here.
    const kinds = stack.kinds(call).filter((kind) => kind !== "sip.offered" && kind !== "sip.offerWanted");
    expect(kinds).toEqual(["sip.accepted", "sip.ended"]);
  };
  return { invite, port: contactPort(invite), hangUp };
}

/** One socket on another loopback address: not the trunk's server. */
async function stranger(): Promise<{ send: (text: string, port: number) => void; answers: string[]; port: number }> {
  const socket = createSocket("udp4");
  await bind(socket, 0, "127.0.0.2");
  closeLater(() => new Promise((resolve) => socket.close(() => resolve())));
  const answers: string[] = [];
  socket.on("message", (bytes) => answers.push(bytes.toString()));
  return { send: (text, port) => socket.send(text, port, "127.0.0.1"), answers, port: socket.address().port };
}

const request = (method: string, callId: string, port: number): string =>
  `${method} sip:us@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.2:${port};branch=z9hG4bK${callId};rport\r\n` +
  `From: <sip:a@127.0.0.2>;tag=a\r\nTo: <sip:us@127.0.0.1>\r\nCall-ID: ${callId}\r\nCSeq: 1 ${method}\r\n` +
  `Contact: <sip:a@127.0.0.2:${port}>\r\nContent-Length: 0\r\n\r\n`;

describe("a stranger", () => {
  it("gets no answer, and is mentioned in the log once", async () => {
    const { peer, stack } = await rig();
    const { port, hangUp } = await talking({ peer, stack });
    const other = await stranger();
    for (let number = 0; number < 50; number++) other.send(request("INVITE", `x${number}`, other.port), port);
    await expect
      .poll(() => stack.log.filter(({ message }) => message.includes("not a peer of the trunk")).length)
      .toBe(1);
    await hangUp();
    expect(other.answers).toEqual([]);
    expect(stack.log.filter(({ message }) => message.includes("not a peer of the trunk"))).toHaveLength(1);
  });

  it("cannot end a call even with its ids", async () => {
    const { peer, stack } = await rig();
    const { invite, port, hangUp } = await talking({ peer, stack });
    const other = await stranger();
    const written: Buffer[] = [];
    peer.inDialog({ ...invite, flow: { send: (bytes) => void written.push(bytes) } }, "BYE", 1);
    other.send(String(written[0]), port);
    await expect.poll(() => stack.log.some(({ message }) => message.includes("not a peer of the trunk"))).toBe(true);
    await hangUp();
  });

  it("cannot answer for the trunk without knowing the branch", async () => {
    const { peer, stack } = await rig();
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    const other = await stranger();
    const forged = `SIP/2.0 603 Decline\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKguess\r\nFrom: <sip:a@b>;tag=${invite.message.fromTag}\r\nTo: <sip:c@d>;tag=x\r\nCall-ID: ${invite.message.sipCallId}\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n`;
    other.send(forged, contactPort(invite));
    peer.reply(invite, 180);
    await stack.fact(call, "sip.ringing");
    expect(stack.kinds(call)).toEqual(["sip.ringing"]);
  });

  it("from a configured network is no stranger", async () => {
    const { peer, stack } = await rig("udp", { peers: ["127.0.0.2/31", "2001:db8::/32"] });
    const { port, hangUp } = await talking({ peer, stack });
    const other = await stranger();
    stack.refuseWith = 480;
    other.send(request("INVITE", "inbound", other.port), port);
    await expect.poll(() => other.answers.find((answer) => answer.startsWith("SIP/2.0 480"))).toBeDefined();
    other.send(request("OPTIONS", "options", other.port), port);
    await expect
      .poll(() => other.answers.find((answer) => answer.includes("CSeq: 1 OPTIONS")))
      .toMatch(/^SIP\/2\.0 200/);
    await hangUp();
  });

  it("is cut off on TCP", async () => {
    const peer = await startPeer({ transport: "tcp" });
    const stack = await startStack(trunkSettings(peer.port, { transport: "tcp" }));
    const { port, hangUp } = await talking({ peer, stack });
    const socket = connect({ port, host: "127.0.0.1", localAddress: "127.0.0.2" });
    socket.on("error", () => {});
    await once(socket, "close");
    await hangUp();
  });
});

describe("the trunk itself, gone mad", () => {
  it("broken requests get the answer that they deserve", async () => {
    const { peer, stack } = await rig();
    const { port, hangUp } = await talking({ peer, stack });
    const broken = request("INVITE", "broken", peer.port)
      .replace("CSeq: 1 INVITE", "CSeq: 1 BYE")
      .replaceAll("127.0.0.2", "127.0.0.1");
    peer.datagram(broken, port);
    const answer = await peer.next((message) => message.kind === "response" && message.sipCallId === "broken");
    expect(answer.text).toMatch(/^SIP\/2\.0 400 /);
    const version = request("INVITE", "version", peer.port)
      .replace("SIP/2.0\r\n", "SIP/7.0\r\n")
      .replaceAll("127.0.0.2", "127.0.0.1");
    peer.datagram(version, port);
    const other = await peer.next((message) => message.kind === "response" && message.sipCallId === "version");
    expect(other.text).toMatch(/^SIP\/2\.0 505 /);
    await hangUp();
  });

  it("the same INVITE over two paths is served once, the copy gets 482", async () => {
    const { peer, stack } = await rig();
    const { port } = await talking({ peer, stack });
    stack.refuseWith = 480;
    const text = request("INVITE", "merged", peer.port).replaceAll("127.0.0.2", "127.0.0.1");
    peer.datagram(text, port);
    peer.datagram(text.replace("z9hG4bKmerged", "z9hG4bKother"), port);
    const statuses = new Set<number>();
    while (statuses.size < 2) {
      const { message } = await peer.response("INVITE", 200);
      if (message.sipCallId === "merged") statuses.add(message.statusCode);
    }
    expect(statuses).toEqual(new Set([480, 482]));
  });

  it("a flood of random datagrams and mutilated messages leaves calls as they were", async () => {
    const { peer, stack } = await rig();
    const { invite, port, hangUp } = await talking({ peer, stack });
    const samples: string[] = [];
    const record = { ...invite, flow: { send: (bytes: Buffer): void => void samples.push(bytes.toString()) } };
    for (const method of ["INVITE", "UPDATE", "INFO", "ACK", "CANCEL", "PRACK"])
      peer.inDialog(record, method, 5, { sdp: ANSWER });
    peer.reply(record, 200, { sdp: ANSWER });
    peer.reply(record, 183, { sdp: ANSWER });
    const mutilated = fc
      .record({
        sample: fc.constantFrom(...samples),
        at: fc.double({ min: 0, max: 1, noNaN: true }),
        length: fc.integer({ min: 0, max: 40 }),
        junk: anyText({ maxLength: 12 }),
      })
      .map(({ sample, at, length, junk }) => {
        const start = Math.floor(at * sample.length);
        // The tags stay what they are only by chance, so that few of these are inside the dialog.
        return Buffer.from(sample.slice(0, start) + junk + sample.slice(start + length));
      });
    const random = fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes));
    const flood = fc.sample(fc.oneof({ arbitrary: mutilated, weight: 9 }, random), { numRuns: 3_000, seed: 4475 });
    for (const [index, bytes] of flood.entries()) {
      peer.datagram(bytes, port);
      if (index % 100 === 99) await once(probe(port), "message");
    }
    expect(stack.log.filter(({ level }) => level === "error")).toEqual([]);
    const another = stack.invite();
    await peer.next((message) => message.kind === "request" && message.method === "INVITE");
    stack.trunks.cancel(another);
    await hangUp();
  });

  it("a flood of garbage on TCP closes that connection and no other", async () => {
    const { peer, stack } = await rig("tcp");
    const { port, hangUp } = await talking({ peer, stack });
    for (const garbage of [
      "\0".repeat(70_000),
      "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
      "INVITE sip:x SIP/2.0\r\nContent-Length: 99999999\r\n\r\n",
    ]) {
      const socket = connect(port, "127.0.0.1");
      socket.on("error", () => {});
      socket.resume();
      socket.write(garbage);
      await once(socket, "close");
    }
    await hangUp();
  });
});

/** Asks OPTIONS and lets the answer show that all before it has been worked through. */
function probe(port: number): ReturnType<typeof createSocket> {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1", () => {
    socket.send(
      request("OPTIONS", `p${socket.address().port}`, socket.address().port).replaceAll("127.0.0.2", "127.0.0.1"),
      port,
      "127.0.0.1",
    );
  });
  socket.once("message", () => socket.close());
  return socket;
}

describe("a caller with an evil name", () => {
  const evil = 'Eve"\r\nX-Inject: 1\r\n\r\nv=0 <sip:evil@x>\u0000;tag=mine';

  it("gets it quoted, and no header of its own", async () => {
    const { peer, stack } = await rig();
    const identity = {
      ...IDENTITY,
      from: { user: evil, host: undefined, displayName: evil },
      asserted: [sipUri("sip:+4930@x.example")],
    };
    stack.invite({ identity });
    const { message, text } = await peer.request("INVITE");
    expect(message.headers.map(({ name }) => name)).not.toContain("X-Inject");
    expect(text.split("\r\n\r\n")).toHaveLength(2);
    expect(message.from.displayName).toContain('Eve"');
    expect(message.fromTag).not.toBe("mine");
  });

  it("and an evil number gets them escaped, in the target and in the identity", async () => {
    const { peer, stack } = await rig();
    const strange = {
      ...sipUri("sip:1@gateway.example"),
      user: "1\r\nX-Inject: 1",
      host: "gateway.example>\r\nX-Inject: 1",
    };
    const identity = { ...IDENTITY, asserted: [strange], preferred: strange };
    stack.trunks.invite(callId("c-strange"), { trunk: TRUNK, target: strange, identity, sdp: OFFER });
    const received = await peer.request("INVITE");
    const { message, text } = received;
    expect(message.headers.map(({ name }) => name)).not.toContain("X-Inject");
    expect(text.split("\r\n\r\n")).toHaveLength(2);
    expect(message.uriText).toBe("sip:1%0D%0AX-Inject%3A%201@gateway.exampleX-Inject:1");
    expect(lines(received, "P-Asserted-Identity")).toEqual([`<${message.uriText}>`]);
  });
});
