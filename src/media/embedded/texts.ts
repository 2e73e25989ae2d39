// Writes a session's SDP for both sides: what stays the same for its life (ids, stream, origin) is kept here.
import { randomBytes, randomInt } from "node:crypto";
import type { MediaSide } from "../../core/call/media-side.ts";
import { advertisedCandidates } from "../../core/sdp/candidate.ts";
import type { CryptoAttribute } from "../../core/sdp/crypto-attribute.ts";
import type { Description } from "../../core/sdp/description.ts";
import type { Turn } from "../../core/sdp/exchange.ts";
import { clientBody, newOrigin, say, trunkBody } from "../../core/sdp/writer.ts";
import type { LocalEnd } from "./client-transport.ts";
import type { WorkerSettings } from "./protocol.ts";

/** What the texts have to say of the session's RTP. */
export interface TextFacts {
  readonly settings: WorkerSettings;
  readonly rtpPort: number;
  /** Of our stream to the client. */
  readonly ssrc: number;
  readonly cname: string;
}

const defaultPtimeMs = 20;

export class Texts {
  readonly #facts: TextFacts;
  readonly #streamId = randomBytes(12).toString("hex");
  readonly #origins = { matrix: newOrigin(newSessionId()), trunk: newOrigin(newSessionId()) };

  constructor(facts: TextFacts) {
    this.#facts = facts;
  }

  client(turn: Turn, end: LocalEnd): string {
    const { settings, ssrc, cname } = this.#facts;
    const frame = frameOf(turn);
    const body = clientBody({
      ...end,
      mid: frame?.audio.mid ?? "0",
      formats: turn.formats,
      direction: turn.direction,
      ptimeMs: turn.exchange.agreed?.trunk.audio.ptimeMs,
      candidates: advertisedCandidates(end.candidates, settings.ice.advertisedHosts),
      streamId: this.#streamId,
      trackId: "audio",
      ssrc,
      cname,
      frame,
    });
    return this.#say("matrix", "127.0.0.1", body);
  }

  /** `crypto` undefined: plain RTP. */
  trunk(turn: Turn, crypto: readonly CryptoAttribute[] | undefined): string {
    const { settings, rtpPort } = this.#facts;
    const frame = frameOf(turn);
    const address = settings.rtp.advertisedHost;
    const body = trunkBody({
      address,
      port: rtpPort,
      formats: turn.formats,
      direction: turn.direction,
      ptimeMs: frame?.audio.ptimeMs ?? defaultPtimeMs,
      crypto,
      rtcpMux: frame?.audio.rtcpMux ?? false,
      frame,
    });
    return this.#say("trunk", address, body);
  }

  #say(to: MediaSide, address: string, body: readonly string[]): string {
    const { sdp, origin } = say(this.#origins[to], address, body);
    this.#origins[to] = origin;
    return sdp;
  }
}

/** The sections to be named, in their order: of the offer that is answered, or what was agreed before (RFC 3264 s8). */
function frameOf(turn: Turn): Description | undefined {
  return turn.kind === "answer" ? turn.offer : turn.exchange.agreed?.[turn.to];
}

/** Decimal, unguessable, and within what every parser takes for a number (RFC 8866 s5.2). */
function newSessionId(): string {
  return String(randomInt(1, 2 ** 47));
}
