// Too much of everything, from the trunk itself or in its name: calls go on, and what is kept of it has a bound.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, expect, it } from "vitest";
import type { SipRequest } from "../../../src/sip/wire/message.ts";
import { textHeader } from "../../../src/sip/wire/header-builder.ts";
import { lines, type Peer, type Received } from "../rig/peer.ts";
import { certificates, closeLater, rig, standStill, startPeer, startStack, type Rig } from "../rig/rig.ts";
import { ANSWER, trunkSettings } from "../rig/stack.ts";

interface Talk {
  readonly invite: Received<SipRequest>;
  readonly port: number;
  readonly end: () => Promise<void>;
}

async function talking({ peer, stack }: Rig): Promise<Talk> {
  const call = stack.invite();
  const invite = await peer.request("INVITE");
  peer.reply(invite, 200, { sdp: ANSWER });
  await stack.fact(call, "sip.accepted");
  await peer.request("ACK");
  const end = async (): Promise<void> => {
    stack.trunks.bye(call);
    peer.reply(await peer.request("BYE"), 200);
    await stack.fact(call, "sip.ended");
    expect(stack.kinds(call)).toEqual(["sip.accepted", "sip.ended"]);
    expect(stack.log.filter(({ level }) => level === "error")).toEqual([]);
  };
  return { invite, port: invite.message.vias[0].port ?? 0, end };
}

function newCall(peer: Peer, id: string): string {
  return (
    `INVITE sip:+49301@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:${peer.port};branch=z9hG4bK${id}\r\n` +
    `From: <sip:peer@127.0.0.1>;tag=a\r\nTo: <sip:us@127.0.0.1>\r\nCall-ID: ${id}\r\nCSeq: 1 INVITE\r\n` +
    `Contact: <sip:peer@127.0.0.1:${peer.port}>\r\nContent-Length: 0\r\n\r\n`
  );
}

/** Final statuses so far of calls that the peer tried. */
function statuses(peer: Peer): number[] {
  return peer.log.flatMap(({ message }) =>
    message.kind === "response" && message.statusCode >= 200 ? [message.statusCode] : [],
  );
}

describe("a flood of", () => {
  it("new calls: refused one by one, then as overload, and again as usual when it is over", async () => {
    const pass = standStill();
    const { peer, stack } = await rig();
    const { invite, port, end } = await talking({ peer, stack });
    stack.refuseWith = 480;
    for (let number = 0; number < 1_200; number++) {
      peer.datagram(newCall(peer, `flood-${number}`), port);
      // In step, so that no socket's buffer overflows.
      if (number % 20 === 19) await expect.poll(() => statuses(peer).length, { interval: 1 }).toBe(number + 1);
    }
    const [first] = statuses(peer);
    expect([first, statuses(peer).at(-1)]).toEqual([480, 503]);
    const overload = peer.log.at(-1) as Received;
    expect(lines(overload, "Retry-After")).toEqual(["30"]);
    for (let number = 0; number < 1_200; number++) {
      peer.datagram(newCall(peer, `flood-${number}`).replaceAll("INVITE", "ACK"), port);
    }
    peer.inDialog(invite, "OPTIONS", 1);
    await peer.response("OPTIONS");
    pass(1);
    peer.datagram(newCall(peer, "later"), port);
    const later = await peer.next((message) => message.sipCallId === "later" && message.cseq.method === "INVITE");
    expect(later.text).toMatch(/^SIP\/2\.0 100 /);
    await expect.poll(() => statuses(peer).at(-1)).toBe(480);
    await end();
  });

  it("one INVITE again and again: one answer, repeated", async () => {
    const { peer, stack } = await rig();
    const { port, end } = await talking({ peer, stack });
    stack.refuseWith = 480;
    for (let copy = 1; copy <= 300; copy++) {
      peer.datagram(newCall(peer, "same"), port);
      if (copy % 20 === 0) await expect.poll(() => statuses(peer).length, { interval: 1 }).toBeGreaterThanOrEqual(copy);
    }
    const answers = new Set(peer.log.filter(({ message }) => message.sipCallId === "same").map(({ text }) => text));
    // And the 100 before it.
    expect(answers.size).toBe(2);
    expect(stack.arrivals).toHaveLength(1);
    await end();
  });

  it.each(["INFO", "OPTIONS", "UPDATE"])("%s inside the call: each is answered", async (method) => {
    const { peer, stack } = await rig();
    const { invite, end } = await talking({ peer, stack });
    const answered = (): number => statuses(peer).filter((status) => status === 200).length;
    for (let number = 1; number <= 400; number++) {
      peer.inDialog(invite, method, number);
      if (number % 20 === 0) await expect.poll(answered, { interval: 1 }).toBe(number);
    }
    await end();
  });

  it("offers, each before the last is answered: one is shown, the others wait", async () => {
    const { peer, stack } = await rig();
    const { invite } = await talking({ peer, stack });
    for (let number = 1; number <= 50; number++) peer.inDialog(invite, "INVITE", number, { sdp: ANSWER });
    await expect.poll(() => statuses(peer).filter((status) => status === 500).length).toBeGreaterThanOrEqual(49);
    const offers = [...stack.facts.values()].flat().filter(({ kind }) => kind === "sip.offered");
    expect(offers).toHaveLength(1);
  });

  it("answers from telephones that nobody called: each is acknowledged and ended, the call stays", async () => {
    const { peer, stack } = await rig();
    const { invite, end } = await talking({ peer, stack });
    for (let number = 0; number < 40; number++) peer.reply(invite, 200, { sdp: ANSWER, toTag: `stray-${number}` });
    for (let number = 0; number < 40; number++) peer.reply(await peer.request("BYE"), 200);
    expect(peer.count("ACK")).toBe(41);
    await end();
  });

  it("telephones that ring for one call: so many are listened to, and whichever answers has it", async () => {
    const { peer, stack } = await rig();
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    const headers = [textHeader("Require", "100rel"), textHeader("RSeq", "1")];
    for (let fork = 1; fork <= 200; fork++) {
      peer.reply(invite, 183, { toTag: `fork-${fork}`, headers, sdp: ANSWER.replace("5000", `${5_000 + fork}`) });
      if (fork <= 50) peer.reply(await peer.request("PRACK"), 200);
    }
    peer.reply(invite, 200, { sdp: ANSWER, toTag: "fork-200" });
    expect((await stack.fact(call, "sip.accepted")).dialog.remoteTag).toBe("fork-200");
    // A PRACK that is sent again is not another one.
    const acknowledged = peer.log.filter(({ message }) => message.cseq.method === "PRACK");
    expect(new Set(acknowledged.map(({ message }) => message.to.params.get("tag"))).size).toBe(50);
    expect(stack.kinds(call).filter((kind) => kind === "sip.progressed")).toHaveLength(50);
  });

  it("reliable provisionals out of order: only the next in line is acknowledged", async () => {
    const { peer, stack } = await rig();
    stack.invite();
    const invite = await peer.request("INVITE");
    const reliable = (sequence: string): void =>
      peer.reply(invite, 183, { headers: [textHeader("Require", "100rel"), textHeader("RSeq", sequence)] });
    for (const sequence of ["0", "0x7", "1e3", "-1", "4294967296", "x", ""]) reliable(sequence);
    for (const sequence of ["7", "7", "9", "4294967295", "8", "7", "8"]) reliable(sequence);
    const acknowledged = [await peer.request("PRACK"), await peer.request("PRACK")];
    expect(acknowledged.map((prack) => lines(prack, "RAck")[0])).toEqual(["7 1 INVITE", "8 1 INVITE"]);
    reliable("9");
    expect(lines(await peer.request("PRACK"), "RAck")).toEqual(["9 1 INVITE"]);
  });

  it("the same answer for minutes: acknowledged each time for 64*T1, then not heard any more", async () => {
    const pass = standStill();
    const { peer, stack } = await rig();
    const { invite, end } = await talking({ peer, stack });
    for (let second = 0; second < 28; second += 4) {
      pass(4_000);
      peer.reply(invite, 200, { sdp: ANSWER });
      await expect.poll(() => peer.count("ACK"), { interval: 1 }).toBe(2 + second / 4);
    }
    pass(60_000);
    const acks = peer.count("ACK");
    for (let copy = 0; copy < 20; copy++) peer.reply(invite, 200, { sdp: ANSWER });
    peer.reply(invite, 180);
    peer.reply(invite, 486);
    await end();
    expect(peer.count("ACK")).toBe(acks);
  });
});

it("a provisional and a refusal after the answer change nothing", async () => {
  const { peer, stack } = await rig();
  const { invite, end } = await talking({ peer, stack });
  for (const status of [100, 180, 183, 199, 486, 603]) peer.reply(invite, status);
  peer.inDialog(invite, "OPTIONS", 1);
  await peer.response("OPTIONS");
  await end();
  expect(stack.log.filter(({ level }) => level === "warn" || level === "error")).toEqual([]);
});

describe("connections", () => {
  it("with a message that is never finished are closed after 30 s", async () => {
    const pass = standStill();
    const { peer, stack } = await rig("tcp");
    const { port, end } = await talking({ peer, stack });
    const slow = connect(port, "127.0.0.1");
    const pieces = ["INVITE sip:us@127.0.0.1 SIP/2.0\r\n", "Via: SIP/2.0/TCP x;branch=z9hG4bKslow\r\n", "X: y\r\n"];
    slow.on("error", () => {});
    for (const piece of pieces) {
      slow.write(piece);
      // Its ping is answered, so all before it has been read.
      const other = connect(port, "127.0.0.1");
      other.write("\r\n\r\n");
      await once(other, "data");
      other.destroy();
      pass(10_000);
    }
    await expect.poll(() => slow.closed).toBe(true);
    await end();
  });

  it("that say nothing after a whole message stay open", async () => {
    const pass = standStill();
    const { peer, stack } = await rig("tcp");
    const { port, end } = await talking({ peer, stack });
    const quiet = connect(port, "127.0.0.1");
    closeLater(async () => void quiet.destroy());
    quiet.write(newCall(peer, "quiet").replace("/UDP", "/TCP").replaceAll("INVITE", "OPTIONS"));
    await once(quiet, "data");
    pass(60_000);
    quiet.write("\r\n\r\n");
    await once(quiet, "data");
    await end();
  });

  it("of strangers to a TLS listener are closed before any handshake", async () => {
    const { authority, server } = certificates();
    const peer = await startPeer({ transport: "tls", tls: server });
    const own = authority.issue("own", "IP:127.0.0.1");
    const tls = { ca: authority.ca, certificate: own.cert, key: own.key, serverName: undefined };
    const stack = await startStack(trunkSettings(peer.port, { transport: "tls", tls }));
    const { port, end } = await talking({ peer, stack });
    const strangers = Array.from({ length: 20 }, (): Socket =>
      connect({ port, host: "127.0.0.1", localAddress: "127.0.0.2" }),
    );
    for (const socket of strangers) socket.on("error", () => {});
    await Promise.all(strangers.map((socket) => once(socket, "close")));
    await end();
  });
});
