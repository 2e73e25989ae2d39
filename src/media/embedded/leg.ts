// One end of a session as the relay sees it: a WebRTC client or a trunk. A leg has its own transport, keys and texts; what
// is said and heard is decided elsewhere (core/sdp/exchange, relay).
import type { IceCandidate } from "../../core/call/model/fact.ts";
import type { Description } from "../../core/sdp/description.ts";
import type { AnswerTurn, OfferTurn } from "../../core/sdp/turn.ts";
import type { Gone } from "./client/client-transport.ts";

export interface LegReports {
  rtp(packet: Buffer): void;
  rtcp(packet: Buffer): void;
  /** Media can flow. Each time a transport comes up. */
  connected(): void;
  /** No transport is left; the peer may come back. `was` tells if there ever was one. */
  gone(how: Gone, was: boolean): void;
  log(level: "debug" | "info" | "warn", message: string, fields: Readonly<Record<string, unknown>>): void;
}

export interface Leg {
  readonly isConnected: boolean;
  /** A description of the peer, checked for all that this leg needs. Throws MediaError. */
  read(sdp: string): Description;
  /** Brings the leg to where the turn wants it, and writes it. Throws MediaError. */
  write(turn: OfferTurn | AnswerTurn): Promise<string>;
  /** The peer has offered and will be answered later: time to gather what takes time. */
  prepare(offer: Description): void;
  /** Looks at the peer's answer to our offer; what it gives makes the leg follow it. Throws MediaError. */
  take(answer: Description): () => void;
  /** The peer has offered meanwhile, and will not answer what we offered it. */
  rollBack(): void;
  addCandidates(candidates: readonly IceCandidate[]): void;
  /** False if there is nowhere to send it now. */
  sendRtp(packet: Buffer): boolean;
  sendRtcp(packet: Buffer): void;
  close(): Promise<void>;
}
