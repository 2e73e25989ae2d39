// What the parser makes of clients, gateways and strangers.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anyText } from "../../arbitraries/any-text.ts";
import { chooseCrypto } from "../../../src/core/sdp/crypto-attribute.ts";
import { isMalformed, parseDescription } from "../../../src/core/sdp/description.ts";
import { isTrunkProtocol, trunkUnmet } from "../../../src/core/sdp/exchange/requirement.ts";
import { elementSdp, gatewaySdp, parsed } from "./samples.ts";

describe("a client's description", () => {
  test("Element's invite is read with its transport and formats", () => {
    const { audio, sections, audioIndex } = parsed(elementSdp("out-invite"));
    expect(sections).toHaveLength(1);
    expect(audioIndex).toBe(0);
    expect(audio.mid).toBe("0");
    expect(audio.ice).toEqual({ ufrag: "afOz", pwd: "pfRmRazLpqOmIMQ/yTa2FdJP" });
    expect(audio.fingerprint?.algorithm).toBe("sha-256");
    expect(audio.setup).toBe("actpass");
    expect(audio.rtcpMux).toBe(true);
    expect(audio.formats.map((format) => `${format.payloadType} ${format.name}`)).toEqual([
      "111 opus",
      "63 red",
      "9 G722",
      "0 PCMU",
      "8 PCMA",
      "13 CN",
      "110 telephone-event",
      "126 telephone-event",
    ]);
  });

  test("its 0.0.0.0 before the candidates are known is not a hold", () => {
    expect(parsed(elementSdp("out-invite")).audio.direction).toBe("sendrecv");
  });

  test("hold and resume are read as Element sends them", () => {
    expect(parsed(elementSdp("out-hold-negotiate")).audio.direction).toBe("sendonly");
    expect(parsed(elementSdp("out-unhold-negotiate")).audio.direction).toBe("sendrecv");
  });

  test("candidates in the text are all kept, the usable and the others", () => {
    const { candidates } = parsed(elementSdp("out-hold-negotiate")).audio;
    expect(candidates.map((each) => `${each.transport} ${each.address} ${each.port}`)).toEqual([
      "udp 192.0.2.2 53954",
      "udp fd00::2 34822",
      "tcp 192.0.2.2 9",
      "tcp fd00::2 9",
    ]);
  });

  test("a video call is its audio, with the place of the video kept", () => {
    const { sections, audioIndex } = parsed(elementSdp("out-video-invite"));
    expect(sections.map((section) => `${section.kind} ${section.mid}`)).toEqual(["audio 0", "video 1"]);
    expect(audioIndex).toBe(0);
  });

  test("transport values may stand with the session or with the tagged section of the bundle", () => {
    const [head = "", audio = "", video = ""] = elementSdp("out-video-invite").split("m=");
    const bare = audio.replace(/a=ice-ufrag.*\r\n/, "").replace(/a=ice-pwd.*\r\n/, "");
    const tagged = video.replace("ice-ufrag:pNxZ", "ice-ufrag:Vide");
    const sdp = [head.replace("a=group:BUNDLE 0 1", "a=group:BUNDLE 1 0"), bare, tagged].join("m=");
    expect(parsed(sdp).audio.ice?.ufrag).toBe("Vide");
    const session = elementSdp("out-invite")
      .replace("a=setup:actpass\r\n", "")
      .replace("t=0 0\r\n", "t=0 0\r\na=setup:passive\r\n");
    expect(parsed(session).audio.setup).toBe("passive");
  });

  test("credentials of digits only stay text", () => {
    const sdp = elementSdp("out-invite").replace("ice-ufrag:afOz", "ice-ufrag:1234").replace("a=mid:0", "a=mid:7");
    expect(parsed(sdp).audio.ice?.ufrag).toBe("1234");
    expect(parsed(sdp).audio.mid).toBe("7");
  });
});

describe("a gateway's description", () => {
  test("static payload types need no rtpmap", () => {
    const { audio } = parsed(gatewaySdp({ formats: "8 0 18 101" }));
    expect(audio.formats.map((format) => format.name)).toEqual(["PCMA", "PCMU", "G729", "telephone-event"]);
    expect(audio.address).toBe("198.51.100.7");
    expect(audio.port).toBe(40_000);
  });

  test("an encoding name is the same in any case", () => {
    const sdp = gatewaySdp({ formats: "96 97", lines: ["a=rtpmap:96 pcma/8000", "a=rtpmap:97 OPUS/48000/2"] });
    expect(parsed(sdp).audio.formats.map((format) => format.name)).toEqual(["PCMA", "opus"]);
  });

  test.each([
    ["sendrecv", "sendonly"],
    ["recvonly", "inactive"],
    ["sendonly", "sendonly"],
    ["inactive", "inactive"],
  ])("c=0.0.0.0 with %s is the old hold: %s", (written, meant) => {
    const { audio } = parsed(gatewaySdp({ address: "0.0.0.0", lines: [`a=${written}`] }));
    expect(audio.direction).toBe(meant);
    expect(audio.address).toBeUndefined();
  });

  test("the section's direction and address go before the session's", () => {
    const sdp = gatewaySdp({ lines: ["c=IN IP6 2001:db8::7", "a=inactive"] }).replace("t=0 0", "t=0 0\r\na=sendonly");
    expect(parsed(sdp).audio.direction).toBe("inactive");
    expect(parsed(sdp).audio.address).toBe("2001:db8::7");
  });

  test("packet time, RTCP port and SDES keys are read", () => {
    const key = "a".repeat(40);
    const { audio } = parsed(
      gatewaySdp({
        protocol: "RTP/SAVP",
        lines: [
          `a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:${key}|2^20`,
          `a=crypto:2 F8_128_HMAC_SHA1_80 inline:${key}`,
          `a=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:${key}|2^20|1:4`,
          `a=crypto:4 AES_CM_128_HMAC_SHA1_80 inline:${key} UNENCRYPTED_SRTP`,
          "a=ptime:30",
          "a=rtcp:40007 IN IP4 198.51.100.7",
        ],
      }),
    );
    expect(audio.crypto).toEqual([
      { tag: 1, suite: "AES_CM_128_HMAC_SHA1_32", inline: key, mkiLength: 0 },
      { tag: 3, suite: "AES_CM_128_HMAC_SHA1_80", inline: key, mkiLength: 4 },
    ]);
    expect(chooseCrypto(audio.crypto)?.tag).toBe(3);
    const bare = { tag: 5, suite: "AES_CM_128_HMAC_SHA1_80", inline: key, mkiLength: 0 } as const;
    expect(chooseCrypto([...audio.crypto, bare])?.tag).toBe(5);
    expect(audio.ptimeMs).toBe(30);
    expect(audio.rtcpPort).toBe(40_007);
  });

  test("of audio that is offered encrypted and not, the one that the trunk is configured for counts", () => {
    const key = `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${"a".repeat(40)}`;
    const sdp = gatewaySdp({ protocol: "RTP/SAVP", lines: [key], more: ["m=audio 40010 RTP/AVP 8"] });
    const ports = (["required", "off"] as const).map((srtp) => {
      const description = parseDescription(sdp, (protocol) => isTrunkProtocol(protocol, srtp));
      if (isMalformed(description)) throw new Error(description.problem);
      expect(trunkUnmet(description.audio, srtp)).toBeUndefined();
      return description.audio.port;
    });
    expect(ports).toEqual([40_000, 40_010]);
    expect(trunkUnmet(parsed(sdp).audio, "off")).toMatchObject({ fault: "encryption-mismatch" });
  });

  test("a space at the end of a key's line is none of its parameters", () => {
    const line = `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${"a".repeat(40)} `;
    expect(parsed(gatewaySdp({ protocol: "RTP/SAVP", lines: [line] })).audio.crypto).toHaveLength(1);
  });

  test("with several audio sections the first live one counts", () => {
    const sdp = gatewaySdp({ port: 0, more: ["m=audio 40010 RTP/AVP 8", "m=video 0 RTP/AVP 96"] });
    expect(parsed(sdp).audioIndex).toBe(1);
    expect(parsed(sdp).audio.port).toBe(40_010);
  });
});

describe("what is wrong beside the audio costs nothing", () => {
  const good = gatewaySdp({ formats: "8 101" });
  const video = (line: string, ...attributes: readonly string[]): string =>
    gatewaySdp({ formats: "8 101", more: [line, ...attributes] });
  test.each([
    ["an empty line first", `\r\n${good}`],
    ["empty lines in between", good.replaceAll("\r\n", "\r\n\r\n")],
    ["a byte order mark", `\uFEFF${good}`],
    ["LF alone", good.replaceAll("\r\n", "\n")],
    ["CR alone", good.replaceAll("\r\n", "\r")],
    ["no end of the last line", good.trimEnd()],
    ["spaces around each line", good.replaceAll("\r\n", " \r\n ")],
    ["a tab and two spaces in m= and c=", good.replace("m=audio ", "m=audio \t").replace("c=IN ", "c=IN  ")],
    [
      "a TTL at an address that is no multicast one",
      good.replace("c=IN IP4 198.51.100.7", "c=IN IP4 198.51.100.7/127"),
    ],
    ["small letters in c=", good.replace("c=IN IP4", "c=in ip4")],
    ["one port named as such", good.replace("40000", "40000/1")],
    ["two ports", good.replace("40000", "40000/2")],
    ["zeros before the port", good.replace("40000", "040000")],
    ["v= behind o=", good.replace(/^(v=0\r\n)(o=.*\r\n)/, "$2$1")],
    ["t= and c= the other way round", good.replace(/(c=.*\r\n)(t=.*\r\n)/, "$2$1")],
    ["neither o=, s= nor t=", good.replace(/[ost]=.*\r\n/g, "")],
    ["lines that nobody knows", good.replace("t=0 0", "t=0 0\r\nX=1\r\n?\r\nq\r\na\r\n=\r\ny=2")],
    ["a line without end", gatewaySdp({ formats: "8 101", lines: [`a=${"x".repeat(5000)}`] })],
    [
      "attributes that are none",
      gatewaySdp({ formats: "8 101", lines: ["a=", "a=:", "a=rtpmap:", "a=fmtp:x", "a=ptime:-"] }),
    ],
    ["a payload type of 33 bits", good.replace("8 101", "8 4294967296 101")],
    [
      "NUL in the parameters of a format",
      gatewaySdp({ formats: "8 101", lines: ["a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-\u000015"] }),
    ],
    ["an empty v= before another", good.replace("v=0", "v=\r\nv=0")],
    ["a video port beyond", video("m=video 99999 RTP/AVP 96")],
    ["a video port that is no number", video("m=video x RTP/AVP 96")],
    ["video without formats", video("m=video 4000 RTP/AVP")],
    [
      "video with a hundred and fifty formats",
      video(`m=video 4000 RTP/AVP ${Array.from({ length: 150 }, (_, i) => i).join(" ")}`),
    ],
    ["a media line of nothing", video("m=")],
    ["a media line of one word", video("m=application")],
    ["a media line of another alphabet", video("m=\u0441\u043b\u043e\u0432\u043e 1 RTP/AVP 0")],
    ["a media line without end", video(`m=video 4000 RTP/AVP ${"96 ".repeat(3_000)}`)],
    ["BFCP, whose format is a star", video("m=application 9 TCP/BFCP *", "a=setup:actpass")],
    ["fax", video("m=image 40002 udptl t38", "a=T38FaxVersion:0")],
    [
      "video with broken attributes",
      video("m=video 1 RTP/AVP 96", "c=IN IP4 nowhere", "a=rtpmap:96", "a=crypto:x", "a=candidate:"),
    ],
    ["audio before it that has no format", good.replace("m=audio", "m=audio 39998 RTP/AVP\r\nm=audio")],
    [
      "audio before it that has no codec of a known name",
      good.replace("m=audio", "m=audio 39998 RTP/AVP 99\r\nm=audio"),
    ],
    [
      "a host name for the session and an address for the audio",
      gatewaySdp({ formats: "8 101", address: "gw.example", lines: ["c=IN IP4 198.51.100.7"] }),
    ],
  ])("%s", (_what, sdp) => {
    const { audio, sections } = parsed(sdp);
    expect(audio).toMatchObject({ port: 40_000, address: "198.51.100.7" });
    expect(audio.formats[0]?.name).toBe("PCMA");
    // RFC 3264 s6: each section of the offer has its place in the answer, and can be written there.
    expect(sections).toHaveLength(sdp.split(/[\r\n]\s*m=/).length - 1);
    for (const { kind, protocol, payloads } of sections) {
      expect(`m=${kind} 0 ${protocol} ${payloads}`).toMatch(/^m=[a-z]+ 0 [A-Za-z0-9/]+( [\x21-\x7e]+)+$/);
    }
  });
});

describe("what is no description", () => {
  test.each([
    ["nothing", ""],
    ["another language", "<html></html>"],
    ["no audio", gatewaySdp().replace("m=audio", "m=image")],
    ["a rejected audio", gatewaySdp({ port: 0 })],
    ["no formats that have a meaning", gatewaySdp({ formats: "97", lines: [] })],
    ["a host name", gatewaySdp({ address: "gateway.example.org" })],
    ["a multicast address", gatewaySdp({ address: "224.2.36.42/127" })],
    ["a port beyond", gatewaySdp({ port: 70_000 })],
    ["no address at all", gatewaySdp().replace(/c=.*\r\n/, "")],
    ["sections without end", gatewaySdp({ more: Array.from({ length: 40 }, () => "m=video 1 RTP/AVP 96") })],
    ["a text without end", gatewaySdp({ lines: Array.from({ length: 40_000 }, () => "a=x") })],
  ])("%s gives a reason", (_what, sdp) => {
    const description = parseDescription(sdp);
    expect(isMalformed(description) && description.problem).toBeTruthy();
  });

  test("a fingerprint of a broken hash counts as none", () => {
    const sha1 = elementSdp("out-invite").replace(/a=fingerprint:.*/, `a=fingerprint:sha-1 ${"AB:".repeat(19)}AB`);
    expect(parsed(sha1).audio.fingerprint).toBeUndefined();
    const short = elementSdp("out-invite").replace(/(a=fingerprint:sha-256 ..:..).*/, "$1");
    expect(parsed(short).audio.fingerprint).toBeUndefined();
  });

  test("no text makes it throw, and what it lets through can be written again", () => {
    const lines = [...elementSdp("out-video-invite").split("\r\n"), ...gatewaySdp().split("\r\n")];
    const noise = fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom(...lines) },
      {
        weight: 2,
        arbitrary: fc.constantFrom(...lines).chain((line) => fc.string().map((tail) => line.slice(0, 9) + tail)),
      },
      anyText(),
    );
    fc.assert(
      fc.property(fc.array(noise, { maxLength: 60 }), fc.boolean(), (words, headed) => {
        const description = parseDescription([...(headed ? ["v=0"] : []), ...words].join("\r\n"));
        if (isMalformed(description)) return;
        const { audio, sections, audioIndex } = description;
        expect(sections[audioIndex]?.kind).toBe("audio");
        for (const format of audio.formats) {
          expect(format.payloadType).toBeLessThan(128);
          expect(format.parameters).not.toMatch(/[\r\n]/);
        }
        for (const section of sections)
          expect(`${section.protocol}${section.payloads}${section.mid}`).not.toMatch(/[\r\n]/);
      }),
      { numRuns: 500 },
    );
  });
});
