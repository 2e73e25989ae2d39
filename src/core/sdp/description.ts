// SDP from the network, parsed to our own type (RFC 8866, RFC 8829). The only home of sdp-transform, which is given
// bounded text and believed in nothing: every value is checked here. Writing is done in writer.ts.
import { parse, type MediaDescription, type SessionDescription } from "sdp-transform";
import { addressFamily, canonicalAddress, isMulticast, isUnspecified } from "../address/ip.ts";
import { parseCandidate, type Candidate } from "./candidate.ts";
import { parseCryptoAttribute, type CryptoAttribute } from "./crypto-attribute.ts";
import { directionOf, receives, sends, type Direction } from "./direction.ts";
import { canonicalName, staticFormat, type Format } from "./format.ts";
import { descriptionLines } from "./lines.ts";

/** One `m=` section, kept so that an answer can name all of them in order (RFC 3264 s6). */
export interface Section {
  readonly kind: string;
  readonly protocol: string;
  /** The formats as they were listed. */
  readonly payloads: string;
  readonly mid: string | undefined;
}

export interface IceCredentials {
  readonly ufrag: string;
  readonly pwd: string;
}

export interface Fingerprint {
  /** Lower case: `sha-256`. */
  readonly algorithm: string;
  /** Upper-case hexadecimal octets with colons. */
  readonly value: string;
}

export type Setup = "active" | "passive" | "actpass";

export interface AudioSection extends Section {
  readonly port: number;
  /** From `c=`; undefined where it is unspecified, which means hold. */
  readonly address: string | undefined;
  /** In the order of the `m=` line, which is the order of preference. */
  readonly formats: readonly Format[];
  /** The word of the party that wrote it; an unspecified address counts as "does not hear" (RFC 3264 s8.4). */
  readonly direction: Direction;
  readonly rtcpMux: boolean;
  /** Where RTCP goes if it is not the next port (RFC 3605). */
  readonly rtcpPort: number | undefined;
  readonly ptimeMs: number | undefined;
  readonly ice: IceCredentials | undefined;
  readonly fingerprint: Fingerprint | undefined;
  readonly setup: Setup | undefined;
  readonly candidates: readonly Candidate[];
  readonly crypto: readonly CryptoAttribute[];
}

export interface Description {
  readonly sections: readonly Section[];
  /** The first live audio section that suits, or the first; and its place among `sections`. */
  readonly audio: AudioSection;
  readonly audioIndex: number;
}

/** Why a text is no description we could use; `problem` is for the log. */
export interface Malformed {
  readonly problem: string;
  /** The warn-code for it, where there is one of its own (RFC 3261 s20.43). */
  readonly warning?: 301 | 304 | 305 | 330;
}

export function isMalformed(parsed: Description | Malformed): parsed is Malformed {
  return "problem" in parsed;
}

const maxLength = 65_536;
const maxLines = 2048;
const maxSections = 32;
const maxFormats = 64;
const maxCandidates = 64;
const maxCryptoLines = 16;

const candidatePrefix = "a=candidate:";
const tokenForm = /^[\x21-\x7e]{1,64}$/;
const iceForm = { ufrag: /^[A-Za-z0-9+/]{4,256}$/, pwd: /^[A-Za-z0-9+/]{22,256}$/ };
const fingerprintForm = /^[0-9A-F]{2}(?::[0-9A-F]{2})+$/;
/** Octets of each hash that may name a certificate (RFC 8122 s5); MD5 and SHA-1 are no longer trusted. */
const hashOctets: Readonly<Record<string, number>> = { "sha-224": 28, "sha-256": 32, "sha-384": 48, "sha-512": 64 };
const parametersForm = /^[\x20-\x7e]{1,256}$/;

/**
 * Parses one description. Never throws; anything unusable gives the reason.
 * @param suits whether a protocol is the wanted one, where the same audio is offered over several
 */
export function parseDescription(
  text: string,
  suits: (protocol: string) => boolean = () => true,
): Description | Malformed {
  if (text.length > maxLength) return { problem: "longer than 65536 characters" };
  const lines = descriptionLines(text);
  if (lines === undefined) return { problem: "does not begin with v=0" };
  if (lines.length > maxLines) return { problem: "more than 2048 lines" };
  const session = parse(lines.filter((line) => !line.startsWith(candidatePrefix)).join("\r\n"));
  if (session.media.length > maxSections) return { problem: "more than 32 media sections" };

  const sections = session.media.map(sectionOf);
  const live = [...session.media.keys()].filter((index) => isLiveAudio(session.media[index]));
  const suiting = live.filter((index) => suits(sections[index]?.protocol ?? ""));
  // One that cannot be used costs nothing where another can.
  const read = [...new Set([...suiting, ...live])].map((audioIndex) => ({
    audioIndex,
    audio: audioAt(session, sections, lines, audioIndex),
  }));
  for (const { audioIndex, audio } of read) if (!isProblem(audio)) return { sections, audio, audioIndex };
  const [first] = read;
  return first !== undefined && isProblem(first.audio)
    ? first.audio
    : { problem: "no live audio section", warning: 304 };
}

function audioAt(
  session: SessionDescription,
  sections: readonly Section[],
  lines: readonly string[],
  audioIndex: number,
): AudioSection | Malformed {
  const media = session.media[audioIndex];
  const section = sections[audioIndex];
  if (media === undefined || section === undefined) return { problem: "no live audio section", warning: 304 };
  const taggedIndex = taggedIndexOf(session, media);
  const candidates = [...new Set([audioIndex, taggedIndex ?? audioIndex])].flatMap((each) => candidatesOf(lines, each));
  const tagged = taggedIndex === undefined ? undefined : session.media[taggedIndex];
  return audioOf(session, media, section, tagged, candidates.slice(0, maxCandidates));
}

function isLiveAudio(media: MediaDescription | undefined): boolean {
  if (media?.type !== "audio") return false;
  return numberOf(media.port) > 0 || (media.bundleOnly !== undefined && isWebRtc(media));
}

function isProblem(value: AudioSection | Malformed): value is Malformed {
  return "problem" in value;
}

/** sdp-transform makes numbers of what looks like one; here it is text again. */
function textOf(value: unknown): string | undefined {
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
}

/** NaN for what sdp-transform left as text because it is no plain number. */
function numberOf(value: unknown): number {
  return typeof value === "number" ? value : Number.NaN;
}

function tokenOf(value: unknown): string | undefined {
  const text = textOf(value);
  return text !== undefined && tokenForm.test(text) ? text : undefined;
}

/** Of a line that lines.ts has put right. */
function sectionOf(media: MediaDescription): Section {
  const [kind, protocol, payloads] = [media.type, media.protocol, media.payloads].map((value) => textOf(value) ?? "");
  return { kind: kind ?? "", protocol: protocol ?? "", payloads: payloads ?? "", mid: tokenOf(media.mid) };
}

function candidatesOf(lines: readonly string[], audioIndex: number): Candidate[] {
  const candidates: Candidate[] = [];
  let index = -1;
  for (const line of lines) {
    if (line.startsWith("m=")) index += 1;
    if (index !== audioIndex || !line.startsWith(candidatePrefix)) continue;
    const candidate = parseCandidate(line);
    if (candidate !== undefined && candidates.length < maxCandidates) candidates.push(candidate);
  }
  return candidates;
}

function audioOf(
  session: SessionDescription,
  media: MediaDescription,
  section: Section,
  tagged: MediaDescription | undefined,
  candidates: readonly Candidate[],
): AudioSection | Malformed {
  const formats = formatsOf(media, section.payloads);
  if (formats.length === 0) return { problem: "an audio section without formats", warning: 305 };
  if (!(numberOf(media.port) <= 65_535)) return { problem: "a port above 65535" };
  const address = textOf((media.connection ?? session.connection)?.ip);
  const isClient = isWebRtc(media);
  // Clients are found by ICE: what they say here may be an mDNS name, and is not used.
  const isAddress = address !== undefined && addressFamily(address) !== undefined && !isMulticast(address);
  if (address !== undefined && !isAddress && !isClient)
    return {
      problem: "a connection address that is no unicast IP address",
      warning: addressFamily(address.split("/", 1)[0] ?? "") === undefined ? 301 : 330,
    };
  if (address === undefined && !isClient) return { problem: "no connection address" };
  const onHold = !isAddress || isUnspecified(address);
  const said: Direction = media.direction ?? session.direction ?? "sendrecv";
  // A bundled section may leave what concerns the transport to the tagged one (RFC 9143 s7.1.3).
  const layers = [media, session, ...(tagged === undefined ? [] : [tagged])];
  const rtcpPort = numberOf(media.rtcp?.port);
  return {
    ...section,
    port: numberOf(media.port),
    address: onHold ? undefined : canonicalAddress(address),
    formats,
    // WebRTC offers say 0.0.0.0 until they have candidates, and mean nothing by it (RFC 8829 s4.1.19).
    direction: onHold && !isClient ? directionOf(sends(said), false) : directionOf(sends(said), receives(said)),
    rtcpMux: media.rtcpMux !== undefined || tagged?.rtcpMux !== undefined,
    rtcpPort: Number.isInteger(rtcpPort) && rtcpPort > 0 && rtcpPort <= 65_535 ? rtcpPort : undefined,
    ptimeMs: ptimeOf(media),
    ice: firstOf(layers, iceOf),
    fingerprint: firstOf(layers, fingerprintOf),
    setup: firstOf(layers, setupOf),
    candidates,
    crypto: cryptoOf(media),
  };
}

type Layer = MediaDescription | SessionDescription;

function firstOf<Value>(layers: readonly Layer[], read: (layer: Layer) => Value | undefined): Value | undefined {
  for (const layer of layers) {
    const value = read(layer);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** The section whose transport `media` shares; undefined if it is in no bundle. */
function taggedIndexOf(session: SessionDescription, media: MediaDescription): number | undefined {
  const group = session.groups?.find((each) => each.type === "BUNDLE");
  const mids = (textOf(group?.mids) ?? "").split(" ");
  const mid = textOf(media.mid);
  if (mid === undefined || !mids.includes(mid)) return undefined;
  const index = session.media.findIndex((other) => textOf(other.mid) === mids[0]);
  return index === -1 ? undefined : index;
}

function isWebRtc(media: MediaDescription): boolean {
  return (textOf(media.protocol) ?? "").startsWith("UDP/TLS/");
}

function iceOf(layer: Layer): IceCredentials | undefined {
  const ufrag = textOf(layer.iceUfrag) ?? "";
  const pwd = textOf(layer.icePwd) ?? "";
  return iceForm.ufrag.test(ufrag) && iceForm.pwd.test(pwd) ? { ufrag, pwd } : undefined;
}

function fingerprintOf(layer: Layer): Fingerprint | undefined {
  const algorithm = textOf(layer.fingerprint?.type)?.toLowerCase() ?? "";
  const value = textOf(layer.fingerprint?.hash)?.toUpperCase() ?? "";
  const octets = hashOctets[algorithm];
  const isWhole = octets !== undefined && value.length === octets * 3 - 1 && fingerprintForm.test(value);
  return isWhole ? { algorithm, value } : undefined;
}

function setupOf(layer: Layer): Setup | undefined {
  const setup = layer.setup;
  return setup === "active" || setup === "passive" || setup === "actpass" ? setup : undefined;
}

function ptimeOf(media: MediaDescription): number | undefined {
  const ptime = numberOf(media.ptime);
  return Number.isInteger(ptime) && ptime >= 10 && ptime <= 200 ? ptime : undefined;
}

function cryptoOf(media: MediaDescription): CryptoAttribute[] {
  const lines: CryptoAttribute[] = [];
  for (const line of (media.crypto ?? []).slice(0, maxCryptoLines)) {
    // The parser makes an empty parameter of a space at the end.
    const session = line.sessionConfig === "" ? undefined : line.sessionConfig;
    const crypto = parseCryptoAttribute(numberOf(line.id), line.suite, line.config, session);
    if (crypto !== undefined) lines.push(crypto);
  }
  return lines;
}

function formatsOf(media: MediaDescription, payloads: string): Format[] {
  const formats = new Map<number, Format>();
  for (const word of payloads.split(" ").slice(0, maxFormats)) {
    const payloadType = Number(word);
    if (!/^\d{1,3}$/.test(word) || payloadType > 127 || formats.has(payloadType)) continue;
    const map = media.rtp.find((each) => each.payload === payloadType);
    const parameters = textOf(media.fmtp.find((each) => each.payload === payloadType)?.config) ?? "";
    const clockRate = numberOf(map?.rate);
    const format =
      map === undefined || !(clockRate > 0 && clockRate <= 192_000)
        ? staticFormat(payloadType)
        : {
            payloadType,
            name: canonicalName(textOf(map.codec) ?? ""),
            clockRate,
            channels: numberOf(map.encoding ?? 1),
          };
    if (format === undefined) continue;
    formats.set(payloadType, { ...format, parameters: parametersForm.test(parameters) ? parameters : "" });
  }
  return [...formats.values()];
}
