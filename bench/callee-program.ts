// The far end of the trunk: a SIP server over UDP that rings, answers every call at once and lets itself be hung up; and
// calls the bridge itself, and hangs up as soon as somebody has answered.
// As little as that takes; a server to prove things with is dev/gateway.
import { createSocket } from "node:dgram";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { monotonicMs } from "./parts/monotonic.ts";
import { serve } from "./parts/program.ts";

export interface CalleeCounts {
  /** Different calls, whatever was sent more than once. */
  readonly invited: number;
  readonly acknowledged: number;
  readonly ended: number;
}

export type CalleeDialogue = {
  /** The port it listens on. */
  start: { question: undefined; answer: number };
  counts: { question: undefined; answer: CalleeCounts };
  /** When each call's INVITE came, which is when it was answered, by the number that was called. */
  invitedAtMs: { question: undefined; answer: Readonly<Record<string, number>> };
  /** Places a call through the bridge; gives after how many ms it was answered. Throws what it was refused with. */
  call: { question: { readonly from: string; readonly to: string }; answer: number };
};

const socket = createSocket("udp4");
const invitedAtMs: Record<string, number> = {};
const seen = { INVITE: new Set<string>(), ACK: new Set<string>(), BYE: new Set<string>() };

const echoed = /^(?:Via|From|Call-ID|CSeq): .*\r\n/gim;
const toField = /^To: (.*)\r\n/im;
const callIdField = /^Call-ID: (.*)\r\n/im;
const tag = ";tag=callee";

function answerSdp(): string {
  const lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0", "m=audio 9 RTP/AVP 8"];
  return [...lines, "a=rtpmap:8 PCMA/8000", "a=ptime:20", "a=sendrecv", ""].join("\r\n");
}

function response(request: string, status: string, sdp = ""): string {
  const head = request.slice(0, request.indexOf("\r\n\r\n") + 2);
  const [, to = ""] = toField.exec(head) ?? [];
  return [
    `SIP/2.0 ${status}\r\n`,
    ...(head.match(echoed) ?? []),
    `To: ${to}${to.includes(";tag=") ? "" : tag}\r\n`,
    `Contact: <sip:callee@127.0.0.1:${socket.address().port}>\r\n`,
    ...(sdp === "" ? [] : ["Content-Type: application/sdp\r\n"]),
    `Content-Length: ${sdp.length}\r\n\r\n${sdp}`,
  ].join("");
}

interface OwnCall {
  readonly head: string;
  readonly startMs: number;
  readonly answered: (afterMs: number) => void;
  readonly refused: (error: Error) => void;
}

const ownCalls = new Map<string, OwnCall>();
let ownCount = 0;
/** Where the bridge sends from, which is where it listens. */
let bridge: { readonly port: number; readonly address: string } | undefined;

const statusLine = /^SIP\/2\.0 (\d{3}) (.*)\r\n/;
const contactField = /^Contact: <([^>]*)>/im;
const cseqField = /^CSeq: (\d+) (\w+)/im;

function ownRequest(method: string, target: string, cseq: number, head: string, to: string, sdp = ""): string {
  const branch = `z9hG4bK-${method}-${(ownCount += 1)}`;
  return [
    `${method} ${target} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:${socket.address().port};branch=${branch}\r\n`,
    `Max-Forwards: 70\r\n${head}To: ${to}\r\nCSeq: ${cseq} ${method}\r\n`,
    `Contact: <sip:callee@127.0.0.1:${socket.address().port}>\r\n`,
    ...(sdp === "" ? [] : ["Content-Type: application/sdp\r\n"]),
    `Content-Length: ${sdp.length}\r\n\r\n${sdp}`,
  ].join("");
}

function place(from: string, to: string): Promise<number> {
  if (bridge === undefined) throw new Error("the bridge has not been heard of yet");
  const { port, address } = bridge;
  const name = `own-${(ownCount += 1)}`;
  const head = `From: <sip:${from}@127.0.0.1>;tag=${name}\r\nCall-ID: ${name}\r\n`;
  const target = `sip:${to}@${address}:${port}`;
  return new Promise((answered, refused) => {
    ownCalls.set(name, { head, startMs: performance.now(), answered, refused });
    socket.send(ownRequest("INVITE", target, 1, head, `<${target}>`, answerSdp()), port, address);
  });
}

/** A response to a call of our own. */
function hear(text: string, from: AddressInfo): void {
  const [, call = ""] = callIdField.exec(text) ?? [];
  const [, status = "", reason = ""] = statusLine.exec(text) ?? [];
  const [, , method = ""] = cseqField.exec(text) ?? [];
  const own = ownCalls.get(call);
  if (own === undefined || method !== "INVITE" || status.startsWith("1")) return;
  const [, to = ""] = toField.exec(text) ?? [];
  const [, contact = ""] = contactField.exec(text) ?? [];
  ownCalls.delete(call);
  if (!status.startsWith("2")) {
    own.refused(new Error(`${status} ${reason}`));
    return;
  }
  socket.send(ownRequest("ACK", contact, 1, own.head, to), from.port, from.address);
  socket.send(ownRequest("BYE", contact, 2, own.head, to), from.port, from.address);
  own.answered(performance.now() - own.startMs);
}

socket.on("message", (bytes, from) => {
  const request = bytes.toString("latin1");
  if (request.startsWith("SIP/2.0 ")) {
    hear(request, from);
    return;
  }
  bridge = from;
  const send = (text: string): void => socket.send(text, from.port, from.address);
  const method = request.slice(0, request.indexOf(" "));
  const [, call = ""] = callIdField.exec(request) ?? [];
  if (method === "INVITE") {
    invitedAtMs[/^INVITE sip:([^@]*)@/.exec(request)?.[1] ?? ""] ??= monotonicMs();
    send(response(request, "180 Ringing"));
    send(response(request, "200 OK", answerSdp()));
  } else if (method === "BYE" || method === "OPTIONS") send(response(request, "200 OK"));
  if (method === "INVITE" || method === "ACK" || method === "BYE") seen[method].add(call);
});

serve<CalleeDialogue>({
  async start() {
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    return socket.address().port;
  },
  call: ({ from, to }) => place(from, to),
  invitedAtMs: () => invitedAtMs,
  counts: () => ({ invited: seen.INVITE.size, acknowledged: seen.ACK.size, ended: seen.BYE.size }),
});
