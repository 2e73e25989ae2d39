// Writes the SDP of one leg: what stays the same for the session's life (ids, stream, origin) is kept here.
import { randomBytes, randomInt } from "node:crypto";
import { advertisedCandidates } from "../../core/sdp/candidate.ts";
import type { CryptoAttribute } from "../../core/sdp/crypto-attribute.ts";
import type { Description } from "../../core/sdp/description.ts";
import { otherEnd } from "../../core/call/model/media-end.ts";
import type { Format } from "../../core/sdp/format.ts";
import type { AnswerTurn, OfferTurn } from "../../core/sdp/turn.ts";
import { clientBody, newOrigin, say, trunkBody, type Frame } from "../../core/sdp/writer.ts";
import type { LocalEnd } from "./client/client-transport.ts";
import type { SdpMemory } from "./trunk/dialog-media.ts";

const defaultPtimeMs = 20;

export class ClientSdp {
  readonly #facts: {
    readonly advertisedHosts: readonly string[];
    /** Of our stream to the client. */
    readonly ssrc: number;
    readonly cname: string;
  };
  readonly #streamId = randomBytes(12).toString("hex");
  #origin = newOrigin(newSessionId());

  constructor(facts: { advertisedHosts: readonly string[]; ssrc: number; cname: string }) {
    this.#facts = facts;
  }

  write(turn: OfferTurn | AnswerTurn, end: LocalEnd): string {
    const { advertisedHosts, ssrc, cname } = this.#facts;
    const frame = frameOf(turn);
    const behind = turn.kind === "offer" ? turn.exchange.offered?.behind?.description : undefined;
    const others = behind ?? turn.exchange.agreed?.[otherEnd(turn.to)];
    const body = clientBody({
      ...end,
      mid: frame?.audio.mid ?? "0",
      formats: turn.formats,
      direction: turn.direction,
      ptimeMs: others?.audio.ptimeMs,
      candidates: advertisedCandidates(end.candidates, advertisedHosts),
      streamId: this.#streamId,
      trackId: "audio",
      ssrc,
      cname,
      frame,
    });
    const { sdp, origin } = say(this.#origin, "127.0.0.1", body);
    this.#origin = origin;
    return sdp;
  }
}

export class TrunkSdp {
  readonly #address: string;
  readonly #port: number;
  #memory: SdpMemory;

  constructor(address: string, port: number, memory?: SdpMemory) {
    this.#address = address;
    this.#port = port;
    this.#memory = memory ?? { origin: newOrigin(newSessionId()), numbers: [], frame: undefined };
  }

  get memory(): SdpMemory {
    return this.#memory;
  }

  /** The peer has answered our offer. */
  answered({ sections, audioIndex }: Description): void {
    this.#memory = { ...this.#memory, frame: { sections, audioIndex } };
  }

  /** `crypto` undefined: plain RTP. */
  write(turn: OfferTurn | AnswerTurn, crypto: readonly CryptoAttribute[] | undefined): string {
    const described = frameOf(turn);
    const frame: Frame | undefined = described ?? this.#memory.frame;
    const body = trunkBody({
      address: this.#address,
      port: this.#port,
      formats: turn.formats,
      direction: turn.direction,
      ptimeMs: described?.audio.ptimeMs ?? defaultPtimeMs,
      crypto,
      rtcpMux: described?.audio.rtcpMux ?? false,
      frame,
    });
    const { sdp, origin } = say(this.#memory.origin, this.#address, body);
    this.#memory = {
      origin,
      numbers: withNumbers(this.#memory.numbers, turn.formats),
      frame: frame && { sections: frame.sections, audioIndex: frame.audioIndex },
    };
    return sdp;
  }
}

function withNumbers(known: readonly Format[], said: readonly Format[]): readonly Format[] {
  const more = said.filter(({ payloadType }) => !known.some((each) => each.payloadType === payloadType));
  return more.length === 0 ? known : [...known, ...more];
}

/** The sections to be named, in their order: of the offer that is answered, or what was agreed before (RFC 3264 s8). */
function frameOf(turn: OfferTurn | AnswerTurn): Description | undefined {
  return turn.kind === "answer" ? turn.offer : turn.exchange.agreed?.[turn.to];
}

/** Decimal, unguessable, and within what every parser takes for a number (RFC 8866 s5.2). */
function newSessionId(): string {
  return String(randomInt(1, 2 ** 47));
}
