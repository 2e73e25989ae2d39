// Our own texts: what is in them, what never is, and when their version goes up.
import { expect, test } from "vitest";
import { clientBody, newOrigin, say, trunkBody, type ClientBody } from "../../../src/core/sdp/writer.ts";
import { parseCandidate } from "../../../src/core/sdp/candidate.ts";
import { elementSdp, gatewaySdp, parsed } from "./samples.ts";

const formats = [
  { payloadType: 0, name: "PCMU", clockRate: 8000, channels: 1, parameters: "" },
  { payloadType: 126, name: "telephone-event", clockRate: 8000, channels: 1, parameters: "" },
];

const clientWords: ClientBody = {
  mid: "0",
  formats,
  direction: "sendrecv",
  ptimeMs: 20,
  ice: { ufrag: "abcd", pwd: "0123456789012345678901" },
  fingerprint: { algorithm: "sha-256", value: "AB:CD" },
  setup: "active",
  candidates: [
    "candidate:1 1 udp 2122317823 192.0.2.9 40000 typ host",
    "candidate:2 1 udp 2122317567 2001:db8::9 40001 typ host",
  ].flatMap((text) => parseCandidate(text) ?? []),
  streamId: "bridge",
  trackId: "audio",
  ssrc: 4_000_000_000,
  cname: "name",
  frame: undefined,
};

test("a client's answer is bundled, muxed, has a stream, and all candidates with their end", () => {
  const { sdp } = say(newOrigin("1"), "127.0.0.1", clientBody(clientWords));
  expect(sdp.split("\r\n")).toEqual([
    "v=0",
    "o=- 1 1 IN IP4 127.0.0.1",
    "s=-",
    "t=0 0",
    "a=group:BUNDLE 0",
    "m=audio 40000 UDP/TLS/RTP/SAVPF 0 126",
    "c=IN IP4 192.0.2.9",
    "a=mid:0",
    "a=sendrecv",
    "a=msid:bridge audio",
    "a=rtcp-mux",
    "a=ice-ufrag:abcd",
    "a=ice-pwd:0123456789012345678901",
    "a=ice-options:trickle",
    "a=fingerprint:sha-256 AB:CD",
    "a=setup:active",
    "a=rtpmap:0 PCMU/8000",
    "a=rtpmap:126 telephone-event/8000",
    "a=ptime:20",
    "a=ssrc:4000000000 cname:name",
    "a=candidate:1 1 udp 2122317823 192.0.2.9 40000 typ host",
    "a=candidate:2 1 udp 2122317567 2001:db8::9 40001 typ host",
    "a=end-of-candidates",
    "",
  ]);
});

test("the video of a client's offer keeps its place and its mid, rejected, and is in no bundle", () => {
  const offer = parsed(elementSdp("out-video-invite"));
  const { sdp } = say(newOrigin("1"), "127.0.0.1", clientBody({ ...clientWords, frame: offer }));
  expect(sdp).toContain("a=group:BUNDLE 0\r\n");
  expect(sdp).toMatch(
    /m=audio 40000 [\s\S]*m=video 0 UDP\/TLS\/RTP\/SAVPF 96 97 102 [^\r]*\r\nc=IN IP4 0\.0\.0\.0\r\na=mid:1\r\na=inactive\r\n$/,
  );
  expect(sdp).not.toContain("extmap");
});

test("what a gateway offers besides audio is rejected in its place", () => {
  const frame = parsed(gatewaySdp({ more: ["m=image 5000 udptl t38"] }));
  const body = trunkBody({
    address: "2001:db8::1",
    port: 30_000,
    formats,
    direction: "recvonly",
    ptimeMs: 20,
    crypto: [{ tag: 1, suite: "AES_CM_128_HMAC_SHA1_80", mkiLength: 0, inline: "k".repeat(40) }],
    rtcpMux: false,
    frame,
  });
  expect(body).toContain("c=IN IP6 2001:db8::1");
  expect(body).toContain("m=audio 30000 RTP/SAVP 0 126");
  expect(body).toContain(`a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${"k".repeat(40)}`);
  expect(body.at(-1)).toBe("m=image 0 udptl t38");
});

test("the version goes up by one with a change, and stays without", () => {
  const first = say(newOrigin("9"), "192.0.2.1", ["s=-", "a=sendrecv"]);
  const same = say(first.origin, "192.0.2.1", ["s=-", "a=sendrecv"]);
  const held = say(same.origin, "192.0.2.1", ["s=-", "a=sendonly"]);
  expect(same.sdp).toBe(first.sdp);
  expect([first, same, held].map((each) => each.origin.version)).toEqual([1, 1, 2]);
});

test.each([
  ["RTP/AVPF", undefined],
  ["RTP/SAVPF", [{ tag: 1, suite: "AES_CM_128_HMAC_SHA1_80", inline: "a".repeat(40), mkiLength: 0 }]],
] as const)("an offer of %s is answered in kind", (protocol, crypto) => {
  const body = trunkBody({
    address: "192.0.2.50",
    port: 30_000,
    formats,
    direction: "sendrecv",
    ptimeMs: 20,
    crypto,
    rtcpMux: false,
    frame: parsed(gatewaySdp({ protocol })),
  });
  expect(body).toContain(`m=audio 30000 ${protocol} 0 126`);
});
