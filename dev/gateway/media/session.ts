// Offer and answer of one call (RFC 3264), and the RTP leg that does what was agreed.
import { randomInt } from "node:crypto";
import type { RtpLeg } from "./rtp-leg.ts";
import {
  readDescription,
  writeDescription,
  type Codec,
  type CodecName,
  type Description,
  type Direction,
} from "./session-description.ts";

/** Payload type of telephone-event where we speak first. */
const OWN_TELEPHONE_EVENT = 101;
const STATIC_TYPES: Readonly<Record<CodecName, number>> = { PCMU: 0, PCMA: 8 };

export class Session {
  readonly leg: RtpLeg;
  readonly #host: string;
  readonly #accepted: readonly CodecName[];
  readonly #keys: boolean;
  readonly #sessionId = randomInt(1, 2 ** 47);
  #version = 0;
  #holding = false;
  #remote: Description | undefined;
  #codec: Codec | undefined;

  /** `accepted`: codecs that we take, in our order where we offer. `keys`: whether we know RTP events. */
  constructor(leg: RtpLeg, host: string, accepted: readonly CodecName[], keys: boolean) {
    this.leg = leg;
    this.#host = host;
    this.#accepted = accepted;
    this.#keys = keys;
  }

  get codec(): CodecName | undefined {
    return this.#codec?.name;
  }

  get peerDirection(): Direction | undefined {
    return this.#remote?.direction;
  }

  /** The answer to an offer; undefined where nothing in it can be used (488). */
  answer(offer: string): string | undefined {
    return this.#take(offer) ? this.#write(this.#direction) : undefined;
  }

  /** An offer of our own: to call, to hold, to come back, or where the caller wants us to speak first. */
  offer(holding: boolean): string {
    this.#holding = holding;
    return this.#write(holding ? "sendonly" : "sendrecv");
  }

  /** Takes the answer to our offer; false where it cannot be used. */
  accept(answer: string): boolean {
    return this.#take(answer);
  }

  #take(text: string): boolean {
    const remote = readDescription(text);
    const codec = remote?.codecs.find(({ name }) => this.#accepted.includes(name));
    if (remote === undefined || codec === undefined) return false;
    this.#remote = remote;
    this.#codec = codec;
    this.leg.agree({
      address: remote.address,
      port: remote.port,
      rtcpPort: remote.rtcpPort,
      codec,
      telephoneEvent: this.#keys ? remote.telephoneEvent : undefined,
      sending: this.#direction === "sendrecv" || this.#direction === "sendonly",
    });
    return true;
  }

  /** Ours: what the other side's leaves, less what we hold (RFC 3264 s6.1). */
  get #direction(): Direction {
    const theirs = this.#remote?.direction ?? "sendrecv";
    const sending = theirs === "sendrecv" || theirs === "recvonly";
    const receiving = (theirs === "sendrecv" || theirs === "sendonly") && !this.#holding;
    if (sending) return receiving ? "sendrecv" : "sendonly";
    return receiving ? "recvonly" : "inactive";
  }

  #write(direction: Direction): string {
    this.#version += 1;
    const remote = this.#remote;
    const keys = remote === undefined ? OWN_TELEPHONE_EVENT : remote.telephoneEvent;
    return writeDescription({
      host: this.#host,
      port: this.leg.port,
      sessionId: this.#sessionId,
      version: this.#version,
      direction,
      codecs: this.#codec ? [this.#codec] : this.#accepted.map((name) => ({ name, payloadType: STATIC_TYPES[name] })),
      telephoneEvent: this.#keys ? keys : undefined,
      lines: remote?.lines,
      audioLine: remote?.audioLine ?? 0,
    });
  }
}
