// Descriptions as peers send them: recorded ones of Element Web, and what gateways answer.
import { readFileSync } from "node:fs";
import { isMalformed, parseDescription, type Description } from "../../../src/core/sdp/description.ts";

interface Recorded {
  readonly body: { readonly events: readonly { readonly content: Readonly<Record<string, { sdp?: string }>> }[] };
}

/** The SDP in a recorded event of Element Web, by the name of its file in test/wire/element-web. */
export function elementSdp(name: string): string {
  const url = new URL(`../../wire/element-web/${name}.json`, import.meta.url);
  const content = (JSON.parse(readFileSync(url, "utf8")) as Recorded).body.events[0]?.content ?? {};
  return (content["offer"] ?? content["answer"] ?? content["description"])?.sdp ?? "";
}

/** Candidate lines of the recorded m.call.candidates. */
export function elementCandidates(): string[] {
  const url = new URL("../../wire/element-web/out-candidates.json", import.meta.url);
  const recorded = JSON.parse(readFileSync(url, "utf8")) as {
    body: { events: { content: { candidates: { candidate: string }[] } }[] };
  };
  return recorded.body.events.flatMap((event) => event.content.candidates.map(({ candidate }) => candidate));
}

export interface GatewayWords {
  readonly formats?: string;
  readonly protocol?: string;
  readonly address?: string;
  readonly port?: number;
  readonly lines?: readonly string[];
  /** Further sections, after the audio. */
  readonly more?: readonly string[];
}

/** What a gateway says. */
export function gatewaySdp(words: GatewayWords = {}): string {
  const { formats = "0 101", protocol = "RTP/AVP", address = "198.51.100.7", port = 40_000 } = words;
  return [
    "v=0",
    "o=root 77 1 IN IP4 198.51.100.7",
    "s=session",
    `c=IN IP4 ${address}`,
    "t=0 0",
    `m=audio ${port} ${protocol} ${formats}`,
    ...(words.lines ?? ["a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-16", "a=sendrecv"]),
    ...(words.more ?? []),
    "",
  ].join("\r\n");
}

/** Parsed, where the test takes for granted that it can be. */
export function parsed(sdp: string): Description {
  const description = parseDescription(sdp);
  if (isMalformed(description)) throw new Error(description.problem);
  return description;
}
