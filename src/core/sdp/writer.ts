// Our own SDP, both dialects. Nothing of a peer's text is copied: only checked values go in, so what one side may
// not see (msid, ssrc, extensions, candidates) cannot slip through to the other.
import { addressFamily } from "../address/ip.ts";
import { writeCandidate, type Candidate } from "./candidate.ts";
import { writeCryptoAttribute, type CryptoAttribute } from "./crypto-attribute.ts";
import type { Fingerprint, IceCredentials, Section, Setup } from "./description.ts";
import type { Direction } from "./direction.ts";
import type { Format } from "./format.ts";

/** Our side of one SDP dialogue: the id is ours for good, the version goes up with each change (RFC 3264 s8). */
export interface Origin {
  /** Decimal digits. */
  readonly sessionId: string;
  readonly version: number;
  /** What was last said under `version`, without the `o=` line. */
  readonly said: string;
}

export function newOrigin(sessionId: string): Origin {
  return { sessionId, version: 0, said: "" };
}

/** Puts the head on a body: a new version if it differs from what was said last, the same one if not. */
export function say(
  origin: Origin,
  address: string,
  body: readonly string[],
): { readonly sdp: string; readonly origin: Origin } {
  const said = body.map((line) => `${line}\r\n`).join("");
  const version = said === origin.said ? origin.version : origin.version + 1;
  const sdp = `v=0\r\no=- ${origin.sessionId} ${version} IN ${addressWords(address)}\r\n${said}`;
  return { sdp, origin: { sessionId: origin.sessionId, version, said } };
}

/** The peer's offer that is being answered: its other sections have to be named and rejected (RFC 3264 s6). */
export interface Frame {
  readonly sections: readonly Section[];
  readonly audioIndex: number;
}

export interface TrunkBody {
  readonly address: string;
  readonly port: number;
  readonly formats: readonly Format[];
  readonly direction: Direction;
  readonly ptimeMs: number;
  /** Undefined: plain RTP. One line in an answer, several in an offer. */
  readonly crypto: readonly CryptoAttribute[] | undefined;
  readonly rtcpMux: boolean;
  /** Undefined in an offer of ours. */
  readonly frame: Frame | undefined;
}

/** RTP/AVP or RTP/SAVP for a trunk, lines without their ends. */
export function trunkBody(body: TrunkBody): string[] {
  const { address, port, formats, direction, ptimeMs, crypto, rtcpMux, frame } = body;
  // An answer is over the protocol of the offer, which may have the feedback that we do not use (RFC 3264 s6).
  const hasFeedback = frame?.sections[frame.audioIndex]?.protocol.endsWith("AVPF") ?? false;
  const protocol = `${crypto === undefined ? "RTP/AVP" : "RTP/SAVP"}${hasFeedback ? "F" : ""}`;
  const audio = [
    `m=audio ${port} ${protocol} ${formats.map((format) => format.payloadType).join(" ")}`,
    ...(crypto ?? []).map((each) => `a=${writeCryptoAttribute(each)}`),
    ...formats.flatMap(formatLines),
    `a=ptime:${ptimeMs}`,
    ...(rtcpMux ? ["a=rtcp-mux"] : []),
    `a=${direction}`,
  ];
  return ["s=-", `c=IN ${addressWords(address)}`, "t=0 0", ...framed(audio, frame, () => [])];
}

export interface ClientBody {
  readonly mid: string;
  readonly formats: readonly Format[];
  readonly direction: Direction;
  readonly ptimeMs: number | undefined;
  readonly ice: IceCredentials;
  readonly fingerprint: Fingerprint;
  readonly setup: Setup;
  /** All we have: the end marker follows them. */
  readonly candidates: readonly Candidate[];
  readonly streamId: string;
  readonly trackId: string;
  /** Of all RTP that we send to the client: a wrong one is silence in Chromium. */
  readonly ssrc: number;
  readonly cname: string;
  readonly frame: Frame | undefined;
}

/** UDP/TLS/RTP/SAVPF for a WebRTC client (RFC 8829 s5.3.1), lines without their ends. */
export function clientBody(body: ClientBody): string[] {
  const { mid, formats, direction, ptimeMs, ice, fingerprint, setup, candidates, streamId, trackId, ssrc } = body;
  const best = candidates[0];
  const audio = [
    `m=audio ${best?.port ?? 9} UDP/TLS/RTP/SAVPF ${formats.map((format) => format.payloadType).join(" ")}`,
    `c=IN ${addressWords(best?.address ?? "0.0.0.0")}`,
    `a=mid:${mid}`,
    `a=${direction}`,
    `a=msid:${streamId} ${trackId}`,
    "a=rtcp-mux",
    `a=ice-ufrag:${ice.ufrag}`,
    `a=ice-pwd:${ice.pwd}`,
    "a=ice-options:trickle",
    `a=fingerprint:${fingerprint.algorithm} ${fingerprint.value}`,
    `a=setup:${setup}`,
    ...formats.flatMap(formatLines),
    ...(ptimeMs === undefined ? [] : [`a=ptime:${ptimeMs}`]),
    `a=ssrc:${ssrc} cname:${body.cname}`,
    ...candidates.map((candidate) => `a=${writeCandidate(candidate)}`),
    "a=end-of-candidates",
  ];
  return ["s=-", "t=0 0", `a=group:BUNDLE ${mid}`, ...framed(audio, body.frame, rejectedTail)];
}

/** A rejected section keeps its place and its mid, and is in no bundle (RFC 9143 s7.3.3). */
function rejectedTail(section: Section): string[] {
  const mid = section.mid === undefined ? [] : [`a=mid:${section.mid}`];
  return ["c=IN IP4 0.0.0.0", ...mid, "a=inactive"];
}

function framed(audio: string[], frame: Frame | undefined, tail: (section: Section) => string[]): string[] {
  if (frame === undefined) return audio;
  return frame.sections.flatMap((section, index) =>
    index === frame.audioIndex
      ? audio
      : [`m=${section.kind} 0 ${section.protocol} ${section.payloads}`, ...tail(section)],
  );
}

function addressWords(address: string): string {
  return `IP${addressFamily(address) ?? 4} ${address}`;
}

function formatLines(format: Format): string[] {
  const { payloadType, name, clockRate, channels, parameters } = format;
  const lines = [`a=rtpmap:${payloadType} ${name}/${clockRate}${channels > 1 ? `/${channels}` : ""}`];
  if (parameters !== "") lines.push(`a=fmtp:${payloadType} ${parameters}`);
  return lines;
}
