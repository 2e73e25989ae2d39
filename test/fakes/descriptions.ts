// What clients and telephones say in SDP, each description under a name (s=) by which a test tells it.
import type { Direction } from "../../src/core/sdp/direction.ts";
import { elementSdp, gatewaySdp, type GatewayWords } from "../core/sdp/samples.ts";

const element = elementSdp("out-invite");

export interface ClientWords {
  readonly direction?: Direction;
  /** It restarts ICE. */
  readonly ufrag?: string;
}

export function clientOffers(name: string, { direction = "sendrecv", ufrag = "afOz" }: ClientWords = {}): string {
  return element
    .replace("s=-", `s=${name}`)
    .replace("a=sendrecv", `a=${direction}`)
    .replace("ice-ufrag:afOz", `ice-ufrag:${ufrag}`);
}

export function clientAnswers(name: string, words: ClientWords = {}): string {
  return clientOffers(name, words).replace("setup:actpass", "setup:active");
}

/** An offer or an answer: PCMU, and digits. */
export function telephoneSays(name: string, words: GatewayWords = {}): string {
  return gatewaySdp(words).replace("s=session", `s=${name}`);
}

/** An offer of a telephone that speaks another codec than in its other descriptions: the client has to be asked. */
export function otherCodec(name: string): string {
  return telephoneSays(name, { formats: "8 101" });
}

export function nameOf(sdp: string): string {
  return /^s=(.*)$/m.exec(sdp)?.[1] ?? sdp;
}
