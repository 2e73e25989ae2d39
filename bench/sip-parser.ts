// How many SIP messages a second one core parses: an INVITE with SDP, its 200 and the BYE.
import { parseSip } from "../src/sip/wire/parser.ts";

const SDP = [
  "v=0",
  "o=- 3975642 3975642 IN IP4 192.0.2.1",
  "s=-",
  "c=IN IP4 192.0.2.1",
  "t=0 0",
  "m=audio 40000 RTP/AVP 8 0 101",
  "a=rtpmap:8 PCMA/8000",
  "a=rtpmap:0 PCMU/8000",
  "a=rtpmap:101 telephone-event/8000",
  "a=fmtp:101 0-15",
  "a=ptime:20",
  "a=sendrecv",
  "",
].join("\r\n");

const DIALOG = [
  "Call-ID: 4f1a9f5e-7c41-4c1f-9a0e-6f0c1d0f5b1c",
  "User-Agent: matrix-appservice-sip",
  "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, PRACK, UPDATE",
  "Supported: 100rel, timer, replaces",
];

function message(startLine: string, headers: readonly string[], body: string): Buffer {
  const type = body === "" ? [] : ["Content-Type: application/sdp"];
  const length = `Content-Length: ${Buffer.byteLength(body)}`;
  return Buffer.from([startLine, ...headers, ...DIALOG, ...type, length, "", body].join("\r\n"));
}

const VIA = "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK9f0d3c1a7b5e4d21;rport";
const FROM = 'From: "Alice" <sip:+441632960123@bridge.example.org>;tag=8b1f6c2e';
const TO = "To: <sip:+15558675309@sip.example.net>";
const ROUTE = "<sip:198.51.100.7;lr;ftag=8b1f6c2e>";

const MESSAGES: readonly (readonly [name: string, bytes: Buffer])[] = [
  [
    "INVITE",
    message(
      "INVITE sip:+15558675309@sip.example.net;user=phone SIP/2.0",
      [VIA, "Max-Forwards: 70", FROM, TO, "CSeq: 1 INVITE", "Contact: <sip:bridge@192.0.2.1:5060>"],
      SDP,
    ),
  ],
  [
    "200",
    message(
      "SIP/2.0 200 OK",
      [
        `${VIA}=5060;received=192.0.2.1`,
        `Record-Route: ${ROUTE}`,
        FROM,
        `${TO};tag=as5d0f6b3a`,
        "CSeq: 1 INVITE",
        "Contact: <sip:15558675309@198.51.100.9:5080;transport=udp>",
      ],
      SDP,
    ),
  ],
  [
    "BYE",
    message(
      "BYE sip:15558675309@198.51.100.9:5080;transport=udp SIP/2.0",
      [VIA, `Route: ${ROUTE}`, "Max-Forwards: 70", FROM, `${TO};tag=as5d0f6b3a`, "CSeq: 2 BYE"],
      "",
    ),
  ],
];

/** Long enough for a steady figure, short enough to be run with the rest. */
const WARM_UP_MS = 300;
const MEASURE_MS = 700;
const BATCH = 500;

/** One line a kind of message: how many are parsed in a second. */
export async function run(): Promise<string[]> {
  return MESSAGES.map(([name, bytes]) => {
    if (parseSip(bytes).outcome !== "message") throw new Error(`the ${name} of the benchmark does not parse`);
    parseFor(bytes, WARM_UP_MS);
    const perSecond = Math.round(parseFor(bytes, MEASURE_MS));
    return `sip parser: ${name.padEnd(6)} ${perSecond.toLocaleString("en")} messages/s (${bytes.length} bytes)`;
  });
}

function parseFor(bytes: Buffer, durationMs: number): number {
  const startMs = performance.now();
  let parsed = 0;
  let elapsedMs = 0;
  while (elapsedMs < durationMs) {
    for (let index = 0; index < BATCH; index++) parseSip(bytes);
    parsed += BATCH;
    elapsedMs = performance.now() - startMs;
  }
  return (parsed * 1_000) / elapsedMs;
}
