// Offers and answers as Chromium writes them for one microphone, and the little that a G.711 client reads in either.

export type Direction = "sendrecv" | "sendonly" | "recvonly" | "inactive";

export interface OwnEnd {
  readonly mid: string;
  readonly ufrag: string;
  readonly password: string;
  /** `sha-256 AB:CD:...` */
  readonly fingerprint: string;
  /** Of the `o=` line, the same for all descriptions of a call; `version` goes up with each. */
  readonly descriptionId: number;
  readonly version: number;
  readonly direction: Direction;
  /** The payload type that was agreed on for keys at 8 kHz, if one was. */
  readonly telephoneEvent: number | undefined;
  readonly ssrc: number;
  readonly cname: string;
  readonly streamId: string;
}

const TRACK = "microphone";

const CHROMIUM_KEYS = 126;

/** Trickled: no candidates inside, port 9 and no address, as Chromium's first offer has it. */
export function browserOffer(own: OwnEnd): string {
  const keys = own.telephoneEvent ?? CHROMIUM_KEYS;
  return description(own, "actpass", `111 63 9 0 8 13 110 ${keys}`, [
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
    `a=rtpmap:${keys} telephone-event/8000`,
  ]);
}

/** With what was gathered before, as Chromium's answer has it; the codec that we play, and keys. */
export function browserAnswer(
  own: OwnEnd,
  offered: AnsweredAudio,
  role: "active" | "passive",
  candidates: readonly string[],
): string {
  const { codec, payloadType, telephoneEvent } = offered;
  const formats = telephoneEvent === undefined ? `${payloadType}` : `${payloadType} ${telephoneEvent}`;
  return description(own, role, formats, [
    `a=rtpmap:${payloadType} ${codec}/8000`,
    ...(telephoneEvent === undefined ? [] : [`a=rtpmap:${telephoneEvent} telephone-event/8000`]),
    ...candidates.map((candidate) => `a=${candidate}`),
  ]);
}

function description(own: OwnEnd, setup: string, formats: string, attributes: readonly string[]): string {
  // Only offers name the header extensions: an answer would have to repeat those that were offered.
  const extensions =
    setup === "actpass"
      ? ["a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level", "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid"]
      : [];
  return [
    "v=0",
    `o=- ${own.descriptionId} ${own.version} IN IP4 127.0.0.1`,
    "s=-",
    "t=0 0",
    `a=group:BUNDLE ${own.mid}`,
    "a=extmap-allow-mixed",
    `a=msid-semantic: WMS ${own.streamId}`,
    `m=audio 9 UDP/TLS/RTP/SAVPF ${formats}`,
    "c=IN IP4 0.0.0.0",
    "a=rtcp:9 IN IP4 0.0.0.0",
    `a=ice-ufrag:${own.ufrag}`,
    `a=ice-pwd:${own.password}`,
    "a=ice-options:trickle",
    `a=fingerprint:${own.fingerprint}`,
    `a=setup:${setup}`,
    `a=mid:${own.mid}`,
    ...extensions,
    `a=${own.direction}`,
    `a=msid:${own.streamId} ${TRACK}`,
    "a=rtcp-mux",
    ...attributes,
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
  readonly mid: string | undefined;
}

/** Undefined where audio was refused, or is in a codec that we cannot play: the first one named is what will come. */
export const readAnswer = (sdp: string): AnsweredAudio | undefined => readAudio(sdp, ([first]) => first);

/** Undefined where nothing that we can play is offered. */
export const readOffer = (sdp: string): AnsweredAudio | undefined =>
  readAudio(sdp, (formats, isPlayable) => formats.find(isPlayable));

type Choice = (formats: readonly string[], isPlayable: (format: string) => boolean) => string | undefined;

function readAudio(sdp: string, choose: Choice): AnsweredAudio | undefined {
  const [session = "", ...blocks] = sdp.split(/^(?=m=)/m);
  const block = blocks.find((each) => each.startsWith("m=audio "));
  const line = /^m=audio (\d+) \S+ ([\d ]+)/.exec(block ?? "");
  if (block === undefined || line === null || line[1] === "0") return undefined;
  const formats = (line[2] ?? "").trim().split(/ +/);
  const named = (payloadType: string): string => {
    const mapped = new RegExp(`^a=rtpmap:${payloadType} ([^\\s/]+/\\d+)`, "m").exec(block)?.[1];
    return (mapped ?? { "0": "PCMU/8000", "8": "PCMA/8000" }[payloadType] ?? "").toUpperCase();
  };
  const isPlayable = (format: string): boolean => ["PCMU/8000", "PCMA/8000"].includes(named(format));
  const audio = formats.filter((format) => !named(format).startsWith("TELEPHONE-EVENT"));
  const first = choose(audio, isPlayable);
  if (first === undefined || !isPlayable(first)) return undefined;
  const keys = formats.find((format) => named(format) === "TELEPHONE-EVENT/8000");
  const direction = /^a=(sendrecv|sendonly|recvonly|inactive)\s*$/m;
  return {
    codec: named(first) === "PCMU/8000" ? "PCMU" : "PCMA",
    payloadType: Number(first),
    telephoneEvent: keys === undefined ? undefined : Number(keys),
    direction: (direction.exec(block)?.[1] ?? direction.exec(session)?.[1] ?? "sendrecv") as Direction,
    mid: /^a=mid:(\S+)/m.exec(block)?.[1],
    setup: /^a=setup:(\w+)/m.exec(block)?.[1] ?? /^a=setup:(\w+)/m.exec(session)?.[1],
  };
}
