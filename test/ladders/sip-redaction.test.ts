// What a ladder shows of SIP messages: nothing that is not known to be harmless, wherever a peer puts it.
import fc from "fast-check";
import { expect, test } from "vitest";
import { unmarked } from "../../src/ladders/redaction/marks.ts";
import { readHead, shownMessage } from "../../src/ladders/redaction/sip-message.ts";

function shown(text: string): string {
  const head = readHead(Buffer.from(text));
  if (head === undefined) throw new Error("it is no SIP message");
  return unmarked(shownMessage(head), (number) => number);
}

const secret = fc.stringMatching(/^S3cr3t[A-Za-z0-9]{12}$/);

/** Headers whose values are of a known form, and may hold anything if a peer likes. */
const knownHeaders = [
  "Via", "From", "To", "Contact", "Route", "Record-Route", "P-Asserted-Identity", "Remote-Party-ID", "Diversion", "Refer-To",
  "Referred-By", "History-Info", "Max-Forwards", "Expires", "Min-SE", "RSeq", "RAck", "Retry-After", "Session-Expires",
  "Allow", "Supported", "Require", "Accept", "Content-Type", "Allow-Events", "Event", "Subscription-State", "Reason", "Warning",
  "Privacy", "Refer-Sub", "User-Agent", "Server", "Date", "Authorization", "Proxy-Authorization", "WWW-Authenticate",
  "Proxy-Authenticate", "Authentication-Info", "Identity", "Subject", "Organization", "P-Charging-Vector",
]; // prettier-ignore

/** Values with a place for the secret, as peers may write them. */
const values = [
  "SECRET", '"SECRET" <sip:+442079460123@192.0.2.1>;tag=a1', "<sip:+442079460123:SECRET@192.0.2.1>", "<sip:bob;pin=SECRET@192.0.2.1>",
  "<sip:bob@192.0.2.1;password=SECRET>", "<sip:bob@192.0.2.1;transport=SECRET>;SECRET=1", "<sip:bob@192.0.2.1?X-Pin=SECRET>",
  "<sip:bob@192.0.2.1>;x=\"SECRET\"", "<tel:+442079460123;isub=SECRET>", "<data:SECRET>", "sip:bob@192.0.2.1;SECRET",
  "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1;x=SECRET", "SIP/2.0/SECRET 192.0.2.1", "90;refresher=SECRET", "70 SECRET",
  'Digest username="SECRET", realm="SECRET", nonce="SECRET", uri="sip:SECRET", response="SECRET", algorithm=MD5', "Bearer SECRET",
  "Digest algorithm=SECRET", 'Q.850;cause=16;text="SECRET"', "text/SECRET; boundary=SECRET", "INVITE, SECRET", "timer, SECRET",
  "SECRET/1.2 (SECRET)", "Asterisk PBX SECRET", "active;reason=SECRET", '399 SECRET "SECRET"', "1 2 SECRET", "id;SECRET",
]; // prettier-ignore

const bodies = [
  ["application/sdp", "v=0\r\no=SECRET 1 1 IN IP4 192.0.2.1\r\ns=SECRET\r\ni=SECRET\r\nu=SECRET\r\ne=SECRET\r\np=SECRET\r\nk=clear:SECRET\r\n"],
  ["application/sdp", "v=0\r\no=- SECRET 1 IN IP4 SECRET\r\nc=IN IP4 192.0.2.1/SECRET\r\nt=SECRET 0\r\nb=X-SECRET:1\r\nm=audio 1 RTP/AVP SECRET\r\nm=SECRET 1 RTP/AVP 0\r\n"],
  ["application/sdp", "v=0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:SECRET|2^20\r\na=crypto:1 SECRET inline:x\r\na=ice-pwd:SECRET\r\na=ice-ufrag:SECRET\r\na=key-mgmt:mikey SECRET\r\n"],
  ["application/sdp", "v=0\r\na=rtpmap:0 SECRET/8000\r\na=rtpmap:0 PCMU/SECRET\r\na=fmtp:96 key=SECRET;useinbandfec=SECRET\r\na=SECRET\r\na=SECRET:1\r\na=mid:SECRET\r\na=group:BUNDLE SECRET\r\n"],
  ["application/sdp", "v=0\r\na=candidate:1 1 udp 1 192.0.2.1 1 typ host ufrag SECRET\r\na=candidate:SECRET\r\na=msid:SECRET SECRET\r\na=ssrc:1 cname:SECRET\r\na=fingerprint:sha-256 SECRET\r\na=setup:SECRET\r\na=rtcp:1 SECRET\r\nSECRET\r\n"],
  ["APPLICATION/SDP;x=SECRET", "v=SECRET\na=ptime:SECRET\n"],
  ["text/plain", "SECRET"],
  ["application/dtmf-relay", "Signal=SECRET\r\nDuration=160\r\n"],
  ["application/dtmf", "SECRET"],
  ["message/sipfrag", "SIP/2.0 200 SECRET\r\nX: SECRET\r\n"],
  ["multipart/mixed;boundary=SECRET", "--SECRET\r\nContent-Type: application/sdp\r\n\r\na=crypto:1 X inline:SECRET\r\n"],
  ["SECRET", "SECRET"],
] as const; // prettier-ignore

const startLines = [
  "INVITE sip:+442079460123:SECRET@192.0.2.1;x=SECRET?y=SECRET SIP/2.0", "INFO tel:+442079460123;x=SECRET SIP/2.0",
  "SECRET sip:bob@192.0.2.1 SIP/2.0", "MESSAGE SECRET SIP/2.0", "SIP/2.0 403 SECRET", "SIP/2.0 999 SECRET",
]; // prettier-ignore

test("whatever is not known to be harmless is not shown, wherever it stands", () => {
  const line = fc.record({
    name: fc.oneof(
      fc.constantFrom(...knownHeaders),
      fc.constantFrom("X-SECRET", "SECRET", "x-pin", "f", "m", "c", "r", "b", "s"),
    ),
    value: fc.constantFrom(...values),
  });
  const message = fc.record({
    start: fc.constantFrom(...startLines),
    lines: fc.array(line, { maxLength: 8 }),
    body: fc.constantFrom(...bodies),
  });
  fc.assert(
    fc.property(message, secret, ({ start, lines, body: [type, body] }, planted) => {
      const head = [
        start,
        "Call-ID: one@192.0.2.1",
        "CSeq: 1 INVITE",
        ...lines.map(({ name, value }) => `${name}: ${value}`),
      ];
      const text = `${head.join("\r\n")}\r\nContent-Type: ${type}\r\n\r\n${body}`.replaceAll("SECRET", planted);
      expect(shown(text)).not.toContain(planted);
    }),
    { numRuns: 2_000 },
  );
});

test("digits of keys are not shown, and neither is how many there were", () => {
  const of = (body: string): string =>
    shown(`INFO sip:a@b SIP/2.0\r\nCall-ID: x\r\nCSeq: 2 INFO\r\nContent-Type: application/dtmf-relay\r\n\r\n${body}`);
  expect(of("Signal=4\r\nDuration=160\r\n")).not.toMatch(/Signal|4\r\n|160/);
  expect(of("1")).toBe(of("123456789012"));
});

test("what telephone engineers look for stays", () => {
  const text = [
    "INVITE sip:+442079460123@192.0.2.1;transport=udp;user=phone SIP/2.0",
    "v: SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bK77;rport",
    'f: "Ann" <sip:+441632960001@192.0.2.9>;tag=a1',
    "To: <sip:+442079460123@192.0.2.1>",
    "Call-ID: one@192.0.2.9",
    "CSeq: 1 INVITE",
    "Contact: <sip:main@192.0.2.9:5070;transport=udp>",
    "Session-Expires: 1800;refresher=uac",
    "Supported: timer, 100rel",
    "User-Agent: Asterisk PBX 20.5.0",
    "X-Account: 7",
    "c: application/sdp",
    "",
    "v=0\r\no=root 5 1 IN IP4 192.0.2.9\r\ns=call\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 30000 RTP/SAVP 8 101\r\na=rtpmap:8 PCMA/8000",
    "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20",
    "a=fmtp:101 0-16",
    "a=sendonly",
    "",
  ];
  expect(shown(text.join("\r\n")).split("\r\n")).toEqual([
    "INVITE sip:+442079460123@192.0.2.1;transport=udp;user=phone SIP/2.0",
    "Via: SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bK77;rport",
    'From: "left out" <sip:+441632960001@192.0.2.9>;tag=a1',
    "To: <sip:+442079460123@192.0.2.1>",
    "Call-ID: one@192.0.2.9",
    "CSeq: 1 INVITE",
    "Contact: <sip:main@192.0.2.9:5070;transport=udp>",
    "Session-Expires: 1800;refresher=uac",
    "Supported: timer, 100rel",
    "User-Agent: Asterisk PBX 20.5.0",
    "Content-Type: application/sdp",
    "X-Left-Out: 1",
    "Content-Length: 228",
    "",
    "v=0",
    "o=- 5 1 IN IP4 192.0.2.9",
    "s=-",
    "c=IN IP4 192.0.2.9",
    "t=0 0",
    "m=audio 30000 RTP/SAVP 8 101",
    "a=rtpmap:8 PCMA/8000",
    "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:removed+removed+removed+removed+removed+",
    "a=fmtp:101 0-16",
    "a=sendonly",
    "",
  ]);
});

test("bytes that are no SIP message are none, and break nothing", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const head = readHead(bytes);
      if (head !== undefined) shownMessage(head);
    }),
  );
});
