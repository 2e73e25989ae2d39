// Offers as browsers other than Chromium write them, and as bundling (RFC 9143) lets anybody write them.
import { describe, expect, test } from "vitest";
import { isUsable } from "../../../src/core/sdp/candidate.ts";
import { isMalformed, parseDescription } from "../../../src/core/sdp/description.ts";
import { newExchange, offered } from "../../../src/core/sdp/exchange/exchange.ts";
import { webRtcEnd } from "../../../src/core/sdp/exchange/requirement.ts";
import { elementSdp, gatewaySdp, parsed } from "./samples.ts";

const fingerprint = `sha-256 ${Array.from({ length: 32 }, (_each, index) => (index + 100).toString(16).toUpperCase()).join(":")}`;

/** Fingerprint with the session, channels written out, a data channel before the audio, mDNS candidates in the text. */
const firefox = [
  "v=0",
  "o=mozilla...THIS_IS_SDPARTA-99.0 5283473028394857 0 IN IP4 0.0.0.0",
  "s=-",
  "t=0 0",
  "a=sendrecv",
  `a=fingerprint:${fingerprint}`,
  "a=group:BUNDLE 0 1",
  "a=ice-options:trickle",
  "a=msid-semantic:WMS *",
  "m=application 54321 UDP/DTLS/SCTP webrtc-datachannel",
  "c=IN IP4 192.0.2.9",
  "a=candidate:0 1 UDP 2122252543 4a0c3c19-9d2b-4b53-9e0a-2f4cf51f0b0d.local 54321 typ host",
  "a=candidate:1 1 UDP 1686052863 192.0.2.9 54321 typ srflx raddr 0.0.0.0 rport 0",
  "a=sendrecv",
  "a=end-of-candidates",
  "a=ice-pwd:1b6d5ce0ddc3f4b3a4c1f2b6a8e9d001",
  "a=ice-ufrag:d1c2b3a4",
  "a=mid:0",
  "a=setup:actpass",
  "a=sctp-port:5000",
  "a=max-message-size:1073741823",
  "m=audio 0 UDP/TLS/RTP/SAVPF 109 9 0 8 101",
  "c=IN IP4 0.0.0.0",
  "a=bundle-only",
  "a=sendrecv",
  "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
  "a=extmap:2/recvonly urn:ietf:params:rtp-hdrext:csrc-audio-level",
  "a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid",
  "a=fmtp:109 maxplaybackrate=48000;stereo=1;useinbandfec=1",
  "a=fmtp:101 0-15",
  "a=mid:1",
  "a=msid:{7d2a61a4-02a7-4f53-9a2d-6b4a1d1c7c11} {0f6a2b10-4a62-4f0c-9b55-4f1f4f4b8f62}",
  "a=rtpmap:109 opus/48000/2",
  "a=rtpmap:9 G722/8000/1",
  "a=rtpmap:0 PCMU/8000",
  "a=rtpmap:8 PCMA/8000",
  "a=rtpmap:101 telephone-event/8000/1",
  "a=ssrc:2655508255 cname:{3a1d8c43-fd54-4b1c-8f0d-0a4b1a6f3f0e}",
  "",
].join("\r\n");

/** No bundle-only, 48 kHz and 8 kHz events, a dead video section, an mDNS name where the address stands. */
const safari = [
  "v=0",
  "o=- 3304517465123480173 2 IN IP4 127.0.0.1",
  "s=-",
  "t=0 0",
  "a=group:BUNDLE 0",
  "a=extmap-allow-mixed",
  "a=msid-semantic: WMS 0cfaa2c1-5bd8-4f6e-9d1f-2a3b7c0c3d6e",
  "m=audio 61234 UDP/TLS/RTP/SAVPF 111 63 9 102 0 8 13 110 126",
  "c=IN IP4 b1946ac9-2c3d-4c1a-8e42-3a1a9a0e5b52.local",
  "a=rtcp:9 IN IP4 0.0.0.0",
  "a=candidate:3016571230 1 udp 2113937151 b1946ac9-2c3d-4c1a-8e42-3a1a9a0e5b52.local 61234 typ host generation 0 network-cost 999",
  "a=ice-ufrag:Xy7+",
  "a=ice-pwd:p0Rq/7uVw3xYz1AbC2dEf3Gh",
  "a=ice-options:trickle",
  `a=fingerprint:${fingerprint}`,
  "a=setup:actpass",
  "a=mid:0",
  "a=sendrecv",
  "a=msid:0cfaa2c1-5bd8-4f6e-9d1f-2a3b7c0c3d6e 9a0b1c2d-3e4f-4a5b-8c6d-7e8f9a0b1c2d",
  "a=rtcp-mux",
  "a=rtcp-rsize",
  "a=rtpmap:111 opus/48000/2",
  "a=rtcp-fb:111 transport-cc",
  "a=fmtp:111 minptime=10;useinbandfec=1",
  "a=rtpmap:63 red/48000/2",
  "a=fmtp:63 111/111",
  "a=rtpmap:9 G722/8000",
  "a=rtpmap:102 ILBC/8000",
  "a=rtpmap:0 PCMU/8000",
  "a=rtpmap:8 PCMA/8000",
  "a=rtpmap:13 CN/8000",
  "a=rtpmap:110 telephone-event/48000",
  "a=rtpmap:126 telephone-event/8000",
  "a=ssrc:1001 cname:Zq3x",
  "m=video 0 UDP/TLS/RTP/SAVPF 96",
  "c=IN IP4 0.0.0.0",
  "a=inactive",
  "",
].join("\r\n");

describe.each([
  ["Firefox with a data channel before its bundled audio", firefox, 1],
  ["Safari with an mDNS name for an address", safari, 0],
])("%s", (_who, sdp, audioIndex) => {
  test("is read as audio both ways", () => {
    const description = parsed(sdp);
    expect(description.audioIndex).toBe(audioIndex);
    expect(description.audio.direction).toBe("sendrecv");
  });

  test("is offered to the trunk with G.711 and its events", () => {
    const codecs = ["PCMA", "PCMU"];
    const turn = offered(
      newExchange({ a: { kind: "client", codecs }, b: { kind: "trunk", codecs } }),
      "a",
      parsed(sdp),
    );
    if (turn.kind !== "offer") throw new Error(turn.kind);
    expect(turn.formats.map(({ name, clockRate }) => `${name}/${clockRate}`)).toEqual([
      "PCMA/8000",
      "PCMU/8000",
      "telephone-event/8000",
    ]);
    expect(turn.direction).toBe("sendrecv");
  });
});

test("what the tagged section of a bundle says of the transport counts for the audio: rtcp-mux and candidates as well", () => {
  const sdp = firefox.replace("a=sctp-port:5000", "a=sctp-port:5000\r\na=rtcp-mux");
  const { audio } = parsed(sdp);
  expect(webRtcEnd(audio)).toMatchObject({ ice: { ufrag: "d1c2b3a4" }, setup: "actpass" });
  expect(audio.candidates.filter(isUsable).map((each) => `${each.address} ${each.port}`)).toEqual(["192.0.2.9 54321"]);
});

test("an audio section that is in no bundle takes nothing from its neighbours", () => {
  const [head = "", audio = "", video = ""] = elementSdp("out-video-invite").split("m=");
  const bare = audio.replace(/a=ice-ufrag.*\r\n/, "").replace(/a=mid:.*\r\n/, "");
  const sdp = [head.replace(/a=group:.*\r\n/, ""), bare, video.replace(/a=mid:.*\r\n/, "")];
  expect(parsed([sdp[0], sdp[2], sdp[1]].join("m=")).audio.ice).toBeUndefined();
});

test("a gateway's audio with port 0 is rejected, whatever it says of bundles", () => {
  expect(isMalformed(parseDescription(gatewaySdp({ port: 0, lines: ["a=bundle-only"] })))).toBe(true);
});
