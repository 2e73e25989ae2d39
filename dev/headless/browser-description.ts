// Offers as Chromium writes them for one microphone, and the little that a G.711 client reads in an answer.

export type Direction = "sendrecv" | "sendonly" | "recvonly" | "inactive";

export interface OwnEnd {
  readonly ufrag: string;
  readonly password: string;
  /** `sha-256 AB:CD:...` */
  readonly fingerprint: string;
  /** Of the `o=` line, the same for all descriptions of a call; `version` goes up with each. */
  readonly descriptionId: number;
  readonly version: number;
  readonly direction: Direction;
  readonly ssrc: number;
  readonly cname: string;
  readonly streamId: string;
}

const TRACK = "microphone";

/** Trickled: no candidates inside, port 9 and no address, as Chromium's first offer has it. */
export function browserOffer(own: OwnEnd): string {
  return [
    "v=0",
    `o=- ${own.descriptionId} ${own.version} IN IP4 127.0.0.1`,
    "s=-",
    "t=0 0",
    "a=group:BUNDLE 0",
    "a=extmap-allow-mixed",
    `a=msid-semantic: WMS ${own.streamId}`,
    "m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126",
    "c=IN IP4 0.0.0.0",
    "a=rtcp:9 IN IP4 0.0.0.0",
    `a=ice-ufrag:${own.ufrag}`,
    `a=ice-pwd:${own.password}`,
    "a=ice-options:trickle",
    `a=fingerprint:${own.fingerprint}`,
    "a=setup:actpass",
    "a=mid:0",
    "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
    "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid",
    `a=${own.direction}`,
    `a=msid:${own.streamId} ${TRACK}`,
    "a=rtcp-mux",
    "a=rtcp-rsize",
    "a=rtpmap:111 opus/48000/2",
    "a=rtcp-fb:111 transport-cc",
    "a=fmtp:111 minptime=10;useinbandfec=1",
    "a=rtpmap:63 red/48000/2",
    "a=fmtp:63 111/111",
    "a=rtpmap:9 G722/8000",
    "a=rtpmap:0 PCMU/8000",
    "a=rtpmap:8 PCMA/8000",
    "a=rtpmap:13 CN/8000",
    "a=rtpmap:110 telephone-event/48000",
    "a=rtpmap:126 telephone-event/8000",
    `a=ssrc:${own.ssrc} cname:${own.cname}`,
    `a=ssrc:${own.ssrc} msid:${own.streamId} ${TRACK}`,
    "",
  ].join("\r\n");
}

export interface AnsweredAudio {
  readonly codec: "PCMU" | "PCMA";
  readonly payloadType: number;
  readonly telephoneEvent: number | undefined;
  /** The writer's. */
  readonly direction: Direction;
  readonly setup: string | undefined;
}

/** Undefined where audio was refused, or is in a codec that we cannot play. */
export function readAnswer(sdp: string): AnsweredAudio | undefined {
  const [session = "", ...blocks] = sdp.split(/^(?=m=)/m);
  const block = blocks.find((each) => each.startsWith("m=audio "));
  const line = /^m=audio (\d+) \S+ ([\d ]+)/.exec(block ?? "");
  if (block === undefined || line === null || line[1] === "0") return undefined;
  const formats = (line[2] ?? "").trim().split(/ +/);
  const named = (payloadType: string): string => {
    const mapped = new RegExp(`^a=rtpmap:${payloadType} ([^\\s/]+/\\d+)`, "m").exec(block)?.[1];
    return (mapped ?? { "0": "PCMU/8000", "8": "PCMA/8000" }[payloadType] ?? "").toUpperCase();
  };
  const first = formats.find((format) => !named(format).startsWith("TELEPHONE-EVENT"));
  const name = named(first ?? "");
  if (name !== "PCMU/8000" && name !== "PCMA/8000") return undefined;
  const keys = formats.find((format) => named(format) === "TELEPHONE-EVENT/8000");
  const direction = /^a=(sendrecv|sendonly|recvonly|inactive)\s*$/m;
  return {
    codec: name === "PCMU/8000" ? "PCMU" : "PCMA",
    payloadType: Number(first),
    telephoneEvent: keys === undefined ? undefined : Number(keys),
    direction: (direction.exec(block)?.[1] ?? direction.exec(session)?.[1] ?? "sendrecv") as Direction,
    setup: /^a=setup:(\w+)/m.exec(block)?.[1] ?? /^a=setup:(\w+)/m.exec(session)?.[1],
  };
}
