// A media server's answer to our offer, and the same in words of our own making for the ICE and DTLS library: nothing of the
// server's reaches it but what is read here.
import { isMalformed, parseDescription } from "../../../core/sdp/description.ts";
import { webRtcEnd, type WebRtcEnd } from "../../../core/sdp/exchange/requirement.ts";
import type { Candidate } from "../../../core/sdp/candidate.ts";
import type { Format } from "../../../core/sdp/format.ts";
import { descriptionLines } from "../../../core/sdp/lines.ts";

interface AnsweredSection {
  readonly mid: string;
  /** Does the server send in it? */
  readonly isHeard: boolean;
  /** Does it take what we send in it? */
  readonly isTaken: boolean;
  readonly ssrcs: readonly number[];
}

export interface ServerAnswer {
  readonly end: WebRtcEnd;
  readonly candidates: readonly Candidate[];
  readonly sections: readonly AnsweredSection[];
}

/** As many as a section has with retransmissions and redundancy, and more. */
const mostSsrcs = 8;

/** A section of our offer. */
export interface OfferedSection {
  readonly mid: string;
  readonly formats: readonly Format[];
}

/** Throws with the reason where it cannot be used. */
export function readAnswer(text: string): ServerAnswer {
  const parsed = parseDescription(text);
  if (isMalformed(parsed)) throw new Error(parsed.problem);
  const end = webRtcEnd(parsed.audio);
  if ("fault" in end) throw new Error(end.message);
  return { end, candidates: parsed.audio.candidates, sections: sectionsIn(descriptionLines(text) ?? []) };
}

/** For the library, which has offered `offered`. */
export function answerText({ end, sections }: ServerAnswer, offered: readonly OfferedSection[]): string {
  const lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0"];
  lines.push(`a=group:BUNDLE ${offered.map(({ mid }) => mid).join(" ")}`);
  for (const section of offered) {
    const answered = sections.find(({ mid }) => mid === section.mid);
    lines.push(...sectionText(section, answered, end));
  }
  return `${lines.join("\r\n")}\r\n`;
}

function sectionText(
  { mid, formats }: OfferedSection,
  answered: AnsweredSection | undefined,
  { ice, fingerprint, setup }: WebRtcEnd,
): readonly string[] {
  const { isHeard = false, isTaken = false, ssrcs = [] } = answered ?? {};
  return [
    `m=audio 9 UDP/TLS/RTP/SAVPF ${formats.map(({ payloadType }) => payloadType).join(" ")}`,
    "c=IN IP4 0.0.0.0",
    `a=mid:${mid}`,
    isHeard ? "a=sendonly" : isTaken ? "a=recvonly" : "a=inactive",
    "a=rtcp-mux",
    `a=ice-ufrag:${ice.ufrag}`,
    `a=ice-pwd:${ice.pwd}`,
    `a=fingerprint:${fingerprint.algorithm} ${fingerprint.value}`,
    `a=setup:${setup}`,
    ...formats.map(rtpmapOf),
    ...(isHeard ? ssrcs.map((ssrc) => `a=ssrc:${ssrc} cname:server`) : []),
  ];
}

function rtpmapOf({ payloadType, name, clockRate, channels }: Format): string {
  return `a=rtpmap:${payloadType} ${name}/${clockRate}${channels === 1 ? "" : `/${channels}`}`;
}

function sectionsIn(lines: readonly string[]): AnsweredSection[] {
  const starts = lines.flatMap((line, index) => (line.startsWith("m=") ? [index] : []));
  return starts.flatMap((start, index) => {
    const section = lines.slice(start, starts[index + 1]);
    const mid = valueIn(section, /^a=mid:([A-Za-z0-9]{1,32})$/);
    if (mid === undefined) return [];
    const isRejected = /^m=\S+ 0 /.test(section[0] ?? "");
    const direction = isRejected ? "inactive" : valueIn(section, /^a=(sendrecv|sendonly|recvonly|inactive)$/);
    const ssrcs = section.flatMap((line) => /^a=ssrc:(\d{1,10}) /.exec(line)?.[1] ?? []).map(Number);
    return {
      mid,
      isHeard: direction === "sendonly" || direction === "sendrecv",
      isTaken: direction === "recvonly" || direction === "sendrecv",
      ssrcs: [...new Set(ssrcs.filter((ssrc) => ssrc > 0 && ssrc <= 0xffff_ffff))].slice(0, mostSsrcs),
    };
  });
}

function valueIn(lines: readonly string[], form: RegExp): string | undefined {
  for (const line of lines) {
    const value = form.exec(line)?.[1];
    if (value !== undefined) return value;
  }
  return undefined;
}
