// What a call has said that goes out, finds the first gateway dead, rings at the second one, and is answered.
import { roomId } from "../../../src/core/ids.ts";
import type { LadderMessage, LadderSide } from "../../../src/ports/ladders/ladder.ts";

const client: LadderSide = { lane: "client", name: "@alice:example.org" };
const bridge: LadderSide = { lane: "bridge", name: "", address: { address: "198.51.100.7", port: 5060 } };
const gateway = (address: string): LadderSide => ({ lane: "trunk", name: "sipgate", address: { address, port: 5060 } });
const room = roomId("!call0:example.org");

const invite = `INVITE sip:+44*******081@sipgate.example SIP/2.0
Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bK7d3f;rport
Max-Forwards: 70
From: <sip:alice@example.org>;tag=a73kf0
To: <sip:+44*******081@sipgate.example>
Call-ID: 3848276298220188511
CSeq: 1 INVITE
Contact: <sip:198.51.100.7:5060>
Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, REFER, UPDATE, INFO, NOTIFY
Supported: 100rel, timer, replaces
Content-Type: application/sdp
Content-Length: 187

v=0
o=- 1771 1 IN IP4 198.51.100.7
s=-
c=IN IP4 198.51.100.7
t=0 0
m=audio 20014 RTP/AVP 9 8 0 101
a=rtpmap:9 G722/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=sendrecv
`;

const said: readonly (readonly [
  atMs: number,
  way: "<" | ">",
  where: "matrix" | "192.0.2.10" | "192.0.2.11",
  label: string,
  text?: string,
])[] = [
  [
    0,
    ">",
    "matrix",
    "m.call.invite",
    '{\n  "type": "m.call.invite",\n  "call_id": "1764547200x",\n  "lifetime": 60000,\n  "version": "1",\n  "left out": ["offer.sdp"]\n}',
  ],
  [6, ">", "matrix", "m.call.candidates"],
  [251, ">", "192.0.2.10", "INVITE", invite],
  [751, ">", "192.0.2.10", "INVITE"],
  [1_751, ">", "192.0.2.10", "INVITE"],
  [4_252, ">", "192.0.2.11", "INVITE", invite],
  [4_279, "<", "192.0.2.11", "100 Trying"],
  [4_610, "<", "192.0.2.11", "180 Ringing"],
  [9_695, "<", "192.0.2.11", "200 OK"],
  [9_699, ">", "192.0.2.11", "ACK"],
  [9_860, "<", "matrix", "m.call.answer"],
  [10_001, ">", "matrix", "m.call.select_answer"],
];

/** `beganAtMs`: of its first message, in ms since the epoch. */
export function exampleLadder(beganAtMs: number): readonly LadderMessage[] {
  return said.map(([afterMs, way, where, label, text], order): LadderMessage => {
    const isMatrix = where === "matrix";
    const far = isMatrix ? client : gateway(where);
    const near = isMatrix ? ({ lane: "bridge", name: "" } as const) : bridge;
    // ">" points to the right: from a client to the bridge, from the bridge to a trunk.
    const isByFar = isMatrix === (way === ">");
    return {
      order,
      atMs: beganAtMs + afterMs,
      from: isByFar ? far : near,
      to: isByFar ? near : far,
      transport: isMatrix ? undefined : "udp",
      thread: isMatrix ? room : `dialog at ${where}`,
      label,
      isRepeat: label === "INVITE" && text === undefined,
      text: text ?? `${isMatrix ? "" : "SIP/2.0 "}${label}\n`,
      leftOutBefore: 0,
    };
  });
}
