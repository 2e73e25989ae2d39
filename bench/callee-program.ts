// The far end of the trunk: a SIP server over UDP that rings, answers every call at once and lets itself be hung up.
// As little as that takes; a server to prove things with is dev/gateway.
import { createSocket } from "node:dgram";
import { once } from "node:events";
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
};

const socket = createSocket("udp4");
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

socket.on("message", (bytes, from) => {
  const request = bytes.toString("latin1");
  const send = (text: string): void => socket.send(text, from.port, from.address);
  const method = request.slice(0, request.indexOf(" "));
  const [, call = ""] = callIdField.exec(request) ?? [];
  if (method === "INVITE") {
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
  counts: () => ({ invited: seen.INVITE.size, acknowledged: seen.ACK.size, ended: seen.BYE.size }),
});
