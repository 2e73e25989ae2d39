// SDP as far as a G.711 gateway needs it (RFC 8866, RFC 3264): one audio stream read, one written, all else refused.
import { isIP } from "node:net";

export type Direction = "sendrecv" | "sendonly" | "recvonly" | "inactive";
export type CodecName = "PCMU" | "PCMA";

export interface Codec {
  readonly name: CodecName;
  readonly payloadType: number;
}

/** One `m=` line: what an answer has to repeat of it. */
interface MediaLine {
  readonly media: string;
  readonly protocol: string;
  readonly formats: string;
}

export interface Description {
  /** Where the other side wants its RTP. */
  readonly address: string;
  readonly port: number;
  readonly rtcpPort: number;
  /** From the writer's point of view. `c=0.0.0.0` is the old way to write hold (RFC 3264 s8.4). */
  readonly direction: Direction;
  /** In the writer's order of preference; at least one. */
  readonly codecs: readonly [Codec, ...Codec[]];
  /** Payload type of telephone-event/8000. */
  readonly telephoneEvent: number | undefined;
  readonly lines: readonly MediaLine[];
  /** Which of `lines` is the audio stream. */
  readonly audioLine: number;
}

const STATIC_NAMES: Readonly<Record<string, string>> = { "0": "PCMU/8000", "8": "PCMA/8000" };
const DIRECTION = /^a=(sendrecv|sendonly|recvonly|inactive)$/;

interface Section {
  readonly line: MediaLine;
  readonly port: number;
  readonly attributes: readonly string[];
}

/** Undefined where there is no audio stream with G.711 over plain RTP at an address that can be sent to. */
export function readDescription(text: string): Description | undefined {
  const [session = [], ...blocks] = cut(text);
  const sections = blocks.map(readSection);
  const lines = sections.map((section) => section?.line ?? { media: "audio", protocol: "RTP/AVP", formats: "0" });
  for (const [audioLine, section] of sections.entries()) {
    if (section === undefined || section.port === 0) continue;
    const { line, port, attributes } = section;
    if (line.media !== "audio" || !/^RTP\/AVPF?$/.test(line.protocol)) continue;
    const address = connection(attributes) ?? connection(session);
    const names = payloadNames(line, attributes);
    const codecs = names.flatMap(([payloadType, name]): Codec[] =>
      name === "PCMU/8000" || name === "PCMA/8000"
        ? [{ name: name === "PCMU/8000" ? "PCMU" : "PCMA", payloadType }]
        : [],
    );
    const [first, ...others] = codecs;
    if (address === undefined || first === undefined) continue;
    return {
      address,
      port,
      rtcpPort: rtcpPort(attributes) || Math.min(port + 1, 65_535),
      direction: isUnspecified(address) ? "inactive" : (direction(attributes) ?? direction(session) ?? "sendrecv"),
      codecs: [first, ...others],
      telephoneEvent: names.find(([, name]) => name === "TELEPHONE-EVENT/8000")?.[0],
      lines,
      audioLine,
    };
  }
  return undefined;
}

/** Lines of the session part, then of each media part. */
function cut(text: string): string[][] {
  const parts: string[][] = [[]];
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith("m=")) parts.push([]);
    parts.at(-1)?.push(line.trimEnd());
  }
  return parts;
}

function readSection(block: readonly string[]): Section | undefined {
  const match = /^m=(\S+) (\d{1,5})(?:\/\d+)? (\S+) (.+)$/.exec(block[0] ?? "");
  if (match === null) return undefined;
  const [, media = "", port = "0", protocol = "", formats = ""] = match;
  return { line: { media, protocol, formats }, port: Number(port) & 0xffff, attributes: block.slice(1) };
}

function connection(attributes: readonly string[]): string | undefined {
  for (const attribute of attributes) {
    const address = /^c=IN IP[46] ([^/\s]+)/.exec(attribute)?.[1];
    if (address !== undefined && isIP(address) !== 0) return address;
  }
  return undefined;
}

const isUnspecified = (address: string): boolean => address === "0.0.0.0" || address === "::";

function direction(attributes: readonly string[]): Direction | undefined {
  for (const attribute of attributes) {
    const match = DIRECTION.exec(attribute);
    if (match !== null) return match[1] as Direction;
  }
  return undefined;
}

/** RFC 3605. */
function rtcpPort(attributes: readonly string[]): number | undefined {
  for (const attribute of attributes) {
    const port = /^a=rtcp:(\d{1,5})\b/.exec(attribute)?.[1];
    if (port !== undefined) return Number(port) & 0xffff;
  }
  return undefined;
}

function payloadNames(line: MediaLine, attributes: readonly string[]): [payloadType: number, name: string][] {
  const named = new Map<string, string>(Object.entries(STATIC_NAMES));
  for (const attribute of attributes) {
    const match = /^a=rtpmap:(\d{1,3}) (\S+?)(?:\/1)?$/.exec(attribute);
    if (match !== null) named.set(match[1] ?? "", (match[2] ?? "").toUpperCase());
  }
  return line.formats.split(/ +/).flatMap((format): [number, string][] => {
    const name = named.get(format);
    return name === undefined ? [] : [[Number(format), name]];
  });
}

export interface OwnDescription {
  readonly host: string;
  readonly port: number;
  readonly sessionId: number;
  /** Goes up by one with each change (RFC 3264 s8). */
  readonly version: number;
  readonly direction: Direction;
  readonly codecs: readonly Codec[];
  readonly telephoneEvent: number | undefined;
  /** As in the other side's description, so that streams keep their place; undefined where we speak first. */
  readonly lines: readonly MediaLine[] | undefined;
  readonly audioLine: number;
}

export function writeDescription(own: OwnDescription): string {
  const family = own.host.includes(":") ? "IP6" : "IP4";
  const lines = own.lines ?? [{ media: "audio", protocol: "RTP/AVP", formats: "" }];
  const streams: string[] = [];
  for (const [index, line] of lines.entries()) {
    // A refused stream keeps its place with port 0 (RFC 3264 s6).
    if (index === own.audioLine) streams.push(...audioStream(own, line.protocol));
    else streams.push(`m=${line.media} 0 ${line.protocol} ${line.formats}`);
  }
  return [
    "v=0",
    `o=gateway ${own.sessionId} ${own.version} IN ${family} ${own.host}`,
    "s=-",
    `c=IN ${family} ${own.host}`,
    "t=0 0",
    ...streams,
    "",
  ].join("\r\n");
}

function audioStream(own: OwnDescription, protocol: string): string[] {
  const { codecs, telephoneEvent } = own;
  const formats = [...codecs.map((codec) => codec.payloadType), telephoneEvent ?? []].flat();
  const keys = [`a=rtpmap:${telephoneEvent} telephone-event/8000`, `a=fmtp:${telephoneEvent} 0-15`];
  return [
    `m=audio ${own.port} ${protocol} ${formats.join(" ")}`,
    ...codecs.map((codec) => `a=rtpmap:${codec.payloadType} ${codec.name}/8000`),
    ...(telephoneEvent === undefined ? [] : keys),
    "a=ptime:20",
    `a=${own.direction}`,
  ];
}
