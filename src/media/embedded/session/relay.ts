// What joins the two legs of a session: a lane of audio each way, the RTCP about them, the keys in them, and the watch for
// silence. It knows nothing of SDP but what was agreed.
import type { MediaSide } from "../../../core/call/model/media-side.ts";
import { otherSide } from "../../../core/call/model/media-side.ts";
import type { MediaStats } from "../../../core/call/model/media-stats.ts";
import { crossingsWithKeys, spokenCodec } from "../../../core/sdp/agreement.ts";
import { isHeld, isOpen, keyFormat } from "../../../core/sdp/exchange.ts";
import type { Agreed } from "../../../core/sdp/turn.ts";
import type { MediaReport } from "../../../ports/media.ts";
import { clockMs } from "../clock.ts";
import { Lane } from "../rtp/rtp-stream.ts";
import type { Leg } from "../leg.ts";
import { Reporter } from "../rtp/rtcp-reporter.ts";
import { OutgoingStream, type StreamMark } from "../rtp/outgoing-stream.ts";
import { Silence } from "./inactivity.ts";

const sides = ["matrix", "trunk"] as const;

export class Relay {
  /** What we send, named by the side that hears it. */
  readonly streams: Readonly<Record<MediaSide, OutgoingStream>>;
  readonly #legs: Readonly<Record<MediaSide, () => Leg | undefined>>;
  readonly #starts: Readonly<Record<MediaSide, StreamMark>>;
  readonly #report: (fact: MediaReport) => void;
  /** Named by the side they come from. */
  readonly #lanes: Readonly<Record<MediaSide, Lane>>;
  readonly #reporters: Readonly<Record<MediaSide, Reporter>>;
  readonly #silence: Silence;
  #agreed: Agreed | undefined;

  /** The legs are asked for with each packet, as they come after their relay. `starts`: where our streams go on. */
  constructor(
    legs: Readonly<Record<MediaSide, () => Leg | undefined>>,
    starts: Readonly<Record<MediaSide, StreamMark>>,
    silenceTimeoutMs: number,
    report: (fact: MediaReport) => void,
  ) {
    this.#legs = legs;
    this.#starts = starts;
    this.#report = report;
    this.#silence = new Silence(silenceTimeoutMs);
    this.streams = { matrix: this.#stream("matrix", starts.matrix), trunk: this.#stream("trunk", starts.trunk) };
    this.#lanes = { matrix: this.#lane("matrix"), trunk: this.#lane("trunk") };
    this.#reporters = { matrix: this.#reporter("matrix"), trunk: this.#reporter("trunk") };
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
    this.streams[to].press({ digit, durationMs, payloadType, clockRate }, clockMs());
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

  /** Of which side nothing has been passed on, although it may be. */
  unheard(): readonly MediaSide[] {
    const agreed = this.#agreed;
    if (agreed === undefined) return [];
    return sides.filter((from) => {
      const to = otherSide(from);
      return isOpen(agreed, from) && this.streams[to].sent.packets === this.#starts[to].packets;
    });
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
      this.streams[side].close(clockMs());
      this.#reporters[side].bye();
    }
  }

  #stream(to: MediaSide, start: StreamMark): OutgoingStream {
    const leg = this.#legs[to];
    return new OutgoingStream(start, (packet) => leg()?.sendRtp(packet) ?? false, clockMs());
  }

  #lane(from: MediaSide): Lane {
    return new Lane(this.streams[otherSide(from)], (digit, relayed) =>
      this.#report({ kind: "media.dtmf", from, ...digit, relayed }),
    );
  }

  #reporter(side: MediaSide): Reporter {
    return new Reporter(this.streams[side], this.#lanes[side], (packet) => this.#legs[side]()?.sendRtcp(packet));
  }
}
