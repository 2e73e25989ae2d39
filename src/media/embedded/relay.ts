// What joins the two legs of a session: a lane of audio each way, the RTCP about them, the keys in them, and the watch for
// silence. It knows nothing of SDP but what was agreed.
import { randomBytes, randomInt } from "node:crypto";
import type { MediaSide } from "../../core/call/media-side.ts";
import { otherSide } from "../../core/call/media-side.ts";
import type { MediaStats } from "../../core/call/media-stats.ts";
import { crossingsWithKeys, spokenCodec } from "../../core/sdp/agreement.ts";
import { isHeld, isOpen, keyFormat, type Agreed } from "../../core/sdp/exchange.ts";
import type { MediaReport } from "../../ports/media.ts";
import { clockMs } from "./clock.ts";
import { Lane } from "./lane.ts";
import type { Leg } from "./leg.ts";
import { Reporter } from "./reporter.ts";
import { Silence } from "./silence.ts";

const sides = ["matrix", "trunk"] as const;

export class Relay {
  /** Of our own RTCP. */
  readonly cname = randomBytes(12).toString("base64url");
  readonly #legs: Readonly<Record<MediaSide, () => Leg | undefined>>;
  readonly #report: (fact: MediaReport) => void;
  /** Named by the side they come from. */
  readonly #lanes: Readonly<Record<MediaSide, Lane>>;
  readonly #reporters: Readonly<Record<MediaSide, Reporter>>;
  readonly #silence: Silence;
  #agreed: Agreed | undefined;

  /** The legs are asked for with each packet, as they come after their relay. */
  constructor(
    legs: Readonly<Record<MediaSide, () => Leg | undefined>>,
    silenceTimeoutMs: number,
    report: (fact: MediaReport) => void,
  ) {
    this.#legs = legs;
    this.#report = report;
    this.#silence = new Silence(silenceTimeoutMs);
    this.#lanes = { matrix: this.#lane("matrix"), trunk: this.#lane("trunk") };
    this.#reporters = { matrix: this.#reporter("matrix"), trunk: this.#reporter("trunk") };
  }

  /** Of all that we send to a side. */
  ssrcTo(side: MediaSide): number {
    return this.#lanes[otherSide(side)].ssrc;
  }

  agree(agreed: Agreed): void {
    this.#agreed = agreed;
    for (const side of sides) {
      const crossings = crossingsWithKeys(agreed.passages, side, agreed.formats[side]);
      this.#lanes[side].agree(crossings, isOpen(agreed, side), keyFormat(agreed, otherSide(side)));
    }
  }

  rtp(from: MediaSide, packet: Buffer): void {
    this.#lanes[from].packet(packet, clockMs());
  }

  rtcp(from: MediaSide, packet: Buffer): void {
    this.#reporters[from].packet(packet, clockMs());
  }

  /** Ignored where the side takes no events. */
  press(to: MediaSide, digit: string, durationMs: number): void {
    const format = this.#agreed === undefined ? undefined : keyFormat(this.#agreed, to);
    if (format === undefined) return;
    const { payloadType, clockRate } = format;
    this.#lanes[otherSide(to)].press({ digit, durationMs, payloadType, clockRate }, clockMs());
  }

  /** Once a second. `isUp`: media can flow on both legs. */
  tick(nowMs: number, isUp: boolean): void {
    const agreed = this.#agreed;
    if (agreed === undefined) return;
    for (const side of sides) {
      if (this.#legs[side]()?.isConnected === true) this.#reporters[side].tick(nowMs, Math.random());
      const { lastHeardAtMs } = this.#lanes[side].reception;
      if (this.#silence.isTimedOut(side, isUp && !isHeld(agreed), lastHeardAtMs, nowMs))
        this.#report({ kind: "media.timedOut", side });
    }
  }

  stats(): MediaStats {
    return {
      codec: this.#agreed === undefined ? undefined : spokenCodec(this.#agreed.passages),
      fromMatrix: this.#lanes.matrix.reception.stats(),
      fromTrunk: this.#lanes.trunk.reception.stats(),
    };
  }

  close(): void {
    for (const side of sides) {
      this.#lanes[side].close();
      this.#reporters[side].bye();
    }
  }

  #lane(from: MediaSide): Lane {
    const to = this.#legs[otherSide(from)];
    return new Lane(newSsrc(), newStart(), {
      send: (packet) => to()?.sendRtp(packet) ?? false,
      digit: (digit, relayed) => this.#report({ kind: "media.dtmf", from, ...digit, relayed }),
    });
  }

  #reporter(side: MediaSide): Reporter {
    const { [otherSide(side)]: toLeg, [side]: fromLeg } = this.#lanes;
    return new Reporter(toLeg, fromLeg, this.cname, (packet) => this.#legs[side]()?.sendRtcp(packet));
  }
}

/** Never zero: some stacks take it for "none". */
function newSsrc(): number {
  return randomInt(1, 0xffff_ffff);
}

function newStart(): { sequence: number; timestamp: number } {
  // The first half, so that SRTP peers do not meet a roll-over at once (RFC 3711 s3.3.1 advises so).
  return { sequence: randomInt(0, 0x8000), timestamp: randomInt(0, 0xffff_ffff) };
}
