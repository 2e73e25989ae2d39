// What of a media server's answer reaches the ICE and DTLS library.
import { describe, expect, test } from "vitest";
import { offeredCodecs } from "../../../src/core/sdp/format.ts";
import { answerText, readAnswer } from "../../../src/media/embedded/participant/server-answer.ts";

const fingerprint = `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => "AB").join(":")}`;
const transport = ["a=ice-ufrag:abcd", "a=ice-pwd:0123456789abcdefghijkl", fingerprint, "a=setup:active"];

/** As LiveKit answers: sections in the order of the offer. */
function answer(...sections: readonly (readonly string[])[]): string {
  return ["v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0", "a=group:BUNDLE rx0 tx", ...sections.flat(), ""].join(
    "\r\n",
  );
}

const section = (mid: string, direction: string, ...lines: readonly string[]): readonly string[] => [
  "m=audio 9 UDP/TLS/RTP/SAVPF 111",
  "c=IN IP4 0.0.0.0",
  ...transport,
  `a=mid:${mid}`,
  `a=${direction}`,
  "a=rtcp-mux",
  "a=rtpmap:111 opus/48000/2",
  ...lines,
];

const offered = ["rx0", "tx"].map((mid) => ({ mid, formats: offeredCodecs(["opus"]) }));
const sdp = answer(
  section(
    "rx0",
    "sendonly",
    "a=ssrc:77 cname:x",
    "a=ssrc:77 msid:PA_1 TR_1",
    "a=candidate:1 1 udp 99 127.0.0.1 7882 typ host",
  ),
  section("tx", "recvonly"),
);

test("an answer is read: the server's end, its candidates, and what it does in each section", () => {
  expect(readAnswer(sdp)).toMatchObject({
    end: { ice: { ufrag: "abcd" }, setup: "active" },
    candidates: [{ address: "127.0.0.1", port: 7882 }],
    sections: [
      { mid: "rx0", isHeard: true, isTaken: false, ssrcs: [77] },
      { mid: "tx", isHeard: false, isTaken: true, ssrcs: [] },
    ],
  });
});

test("the library is told of the sections that we offered, in their order, and of nothing else", () => {
  const strange = answer(
    section("tx", "recvonly", "a=rtcp-fb:111 nack", "a=extmap:1 urn:strange"),
    section("rx9", "sendonly", "a=ssrc:5 cname:x"),
    ["m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "c=IN IP4 0.0.0.0", "a=mid:data"],
  );
  const text = answerText(readAnswer(strange), offered);
  expect(text.match(/^a=mid:.*$/gm)).toEqual(["a=mid:rx0", "a=mid:tx"]);
  expect(text.match(/^a=(?:inactive|recvonly|sendonly)$/gm)).toEqual(["a=inactive", "a=recvonly"]);
  expect(text).not.toMatch(/strange|nack|application|rx9/);
});

describe("an answer that cannot be used is refused", () => {
  test.for([
    ["without a fingerprint", sdp.replaceAll(/a=fingerprint.*\r\n/g, "")],
    ["without ICE", sdp.replaceAll(/a=ice-ufrag.*\r\n/g, "")],
    ["not encrypted", sdp.replaceAll("UDP/TLS/RTP/SAVPF", "RTP/AVP").replaceAll("0.0.0.0", "192.0.2.1")],
    ["no SDP", "nonsense"],
    ["too long", `${sdp}${"a=x\r\n".repeat(20_000)}`],
  ] as const)("%s", ([, text]) => {
    expect(() => readAnswer(text)).toThrow();
  });

  test.for(["a=ssrc:0 cname:x", "a=ssrc:4294967296 cname:x", "a=ssrc:99999999999 cname:x", "a=ssrc:x cname:x"])(
    "%s names no source",
    (line) => {
      const [heard] = readAnswer(answer(section("rx0", "sendonly", line), section("tx", "recvonly"))).sections;
      expect(heard?.ssrcs).toEqual([]);
    },
  );
});
