// Writes the SDP of one leg: what stays the same for the leg's life (ids, stream, origin) is kept here.
import { randomBytes, randomInt } from "node:crypto";
import type { CryptoAttribute } from "../../core/sdp/crypto-attribute.ts";
import type { Description } from "../../core/sdp/description.ts";
import { otherEnd } from "../../core/media-end.ts";
import type { Format } from "../../core/sdp/format.ts";
import type { AnswerTurn, OfferTurn } from "../../core/sdp/exchange/turn.ts";
import { clientBody, newOrigin, say, trunkBody, type Frame } from "../../core/sdp/writer.ts";
import type { LocalClient, LocalTrunk } from "../../ports/media-engine.ts";

const defaultPtimeMs = 20;

export class ClientSdp {
  readonly #streamId = randomBytes(12).toString("hex");
  #origin = newOrigin(newSessionId());

  write(turn: OfferTurn | AnswerTurn, local: LocalClient): string {
    const frame = frameOf(turn);
    const behind = turn.kind === "offer" ? turn.exchange.offered?.behind?.description : undefined;
    const others = behind ?? turn.exchange.agreed?.[otherEnd(turn.to)];
    const body = clientBody({
      ...local,
      mid: frame?.audio.mid ?? "0",
      formats: turn.formats,
      direction: turn.direction,
      ptimeMs: others?.audio.ptimeMs,
      streamId: this.#streamId,
      trackId: "audio",
      frame,
    });
    const { sdp, origin } = say(this.#origin, "127.0.0.1", body);
    this.#origin = origin;
    return sdp;
  }
}

export class TrunkSdp {
  #origin = newOrigin(newSessionId());
  /** Every payload type that we have given a meaning: it keeps it as long as the dialog lives (RFC 3264 s8.3.2). */
  #numbers: readonly Format[] = [];
  /** The sections of the last description: an offer may add some, but not leave any out (RFC 3264 s8). */
  #frame: Frame | undefined;

  get numbers(): readonly Format[] {
    return this.#numbers;
  }

  /** The peer has answered our offer. */
  answered({ sections, audioIndex }: Description): void {
    this.#frame = { sections, audioIndex };
  }

  /** `crypto` undefined: plain RTP. */
  write(
    turn: OfferTurn | AnswerTurn,
    { address, port }: LocalTrunk,
    crypto: readonly CryptoAttribute[] | undefined,
  ): string {
    const described = frameOf(turn);
    const frame: Frame | undefined = described ?? this.#frame;
    const body = trunkBody({
      address,
      port,
      formats: turn.formats,
      direction: turn.direction,
      ptimeMs: described?.audio.ptimeMs ?? defaultPtimeMs,
      crypto,
      rtcpMux: described?.audio.rtcpMux ?? false,
      frame,
    });
    const { sdp, origin } = say(this.#origin, address, body);
    this.#origin = origin;
    this.#numbers = withNumbers(this.#numbers, turn.formats);
    this.#frame = frame && { sections: frame.sections, audioIndex: frame.audioIndex };
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
