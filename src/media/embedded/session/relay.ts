// What joins the two legs of a session: an RTP stream each way, the RTCP about them, the digits in them, and the watch for
// silence. It knows nothing of SDP but what was agreed.
import { mediaEnds, otherEnd, type MediaEnd } from "../../../core/media-end.ts";
import type { EndStats, MediaStats } from "../../../core/call/model/media-stats.ts";
import { codecStats, heardIn, type Flows } from "../../../core/sdp/exchange/flows.ts";
import type { Format } from "../../../core/sdp/format.ts";
import type { MediaReport } from "../../../ports/media.ts";
import { clockMs } from "../base/clock.ts";
import { RtpStream } from "../rtp/rtp-stream.ts";
import type { Leg } from "../base/leg.ts";
import { RtcpReporter } from "../rtp/rtcp-reporter.ts";
import { OutgoingStream, type StreamMark } from "../rtp/outgoing-stream.ts";
import type { HeardFormat } from "../trunk/dialog-media.ts";
import { RingingTone } from "./ringing-tone.ts";
import { Inactivity } from "./inactivity.ts";

export class Relay {
  /** What we send, named by the end that hears it. */
  readonly streams: Readonly<Record<MediaEnd, OutgoingStream>>;
  readonly #legs: Readonly<Record<MediaEnd, () => Leg | undefined>>;
  readonly #starts: Readonly<Record<MediaEnd, StreamMark>>;
  readonly #report: (fact: MediaReport) => void;
  /** Named by the end they come from. */
  readonly #rtpStreams: Readonly<Record<MediaEnd, RtpStream>>;
  readonly #reporters: Readonly<Record<MediaEnd, RtcpReporter>>;
  readonly #inactivity: Inactivity;
  /** As it was agreed, and as it passes. */
  #agreed: Flows | undefined;
  #flows: Flows | undefined;
  /** What ends hear whose peers have said so by themselves. */
  readonly #heard: Partial<Record<MediaEnd, Format>> = {};
  readonly #before: Partial<Record<MediaEnd, HeardFormat | undefined>>;
  #tone: RingingTone | undefined;

  /**
   * The legs are asked for with each packet, as they come after their relay. `starts`: where our streams go on. `before`: in what
   * peers were spoken to in the session before.
   */
  constructor(
    legs: Readonly<Record<MediaEnd, () => Leg | undefined>>,
    starts: Readonly<Record<MediaEnd, StreamMark>>,
    before: Partial<Record<MediaEnd, HeardFormat | undefined>>,
    silenceTimeoutMs: number,
    report: (fact: MediaReport) => void,
  ) {
    this.#legs = legs;
    this.#starts = starts;
    this.#before = before;
    this.#report = report;
    this.#inactivity = new Inactivity(silenceTimeoutMs);
    this.streams = { a: this.#stream("a", starts.a), b: this.#stream("b", starts.b) };
    this.#rtpStreams = { a: this.#rtpStream("a"), b: this.#rtpStream("b") };
    this.#reporters = { a: this.#reporter("a"), b: this.#reporter("b") };
  }

  /** The ringing tone for that end, until something is agreed. */
  ring(end: MediaEnd): void {
    if (this.#flows === undefined) this.#tone ??= new RingingTone(this.streams[end], () => this.heard(end));
  }

  pass(flows: Flows): void {
    this.#quiet();
    this.#agreed = flows;
    this.#agree();
  }

  /** The peer at that end hears `format` from now on, whatever is agreed. */
  hears(end: MediaEnd, format: Format): void {
    this.#heard[end] = format;
    this.#agree();
  }

  /** In what the peer at that end is spoken to now, or was in the session before. */
  heard(end: MediaEnd): HeardFormat | undefined {
    const crossings = [...(this.#flows?.[otherEnd(end)].crossings.values() ?? [])];
    const spoken = crossings.find(({ isEvent }) => !isEvent);
    if (spoken === undefined) return this.#heard[end] ?? this.#before[end];
    return { payloadType: spoken.payloadType, name: spoken.name, clockRate: spoken.toClockRate };
  }

  /** What turns into what in it. */
  get ways(): Flows["ways"] {
    return this.#flows?.ways;
  }

  #agree(): void {
    let flows = this.#agreed;
    if (flows === undefined) return;
    for (const end of mediaEnds) {
      const heard = this.#heard[end];
      if (heard !== undefined) flows = heardIn(flows, end, heard);
    }
    this.#flows = flows;
    for (const end of mediaEnds) {
      const { crossings, isOpen } = flows[end];
      this.#rtpStreams[end].agree(crossings, isOpen, flows[otherEnd(end)].digits);
    }
  }

  rtp(from: MediaEnd, packet: Buffer): void {
    this.#rtpStreams[from].packet(packet, clockMs());
  }

  rtcp(from: MediaEnd, packet: Buffer): void {
    this.#reporters[from].packet(packet, clockMs());
  }

  /** The end is there, also where nothing comes of it. */
  alive(end: MediaEnd): void {
    this.#rtpStreams[end].reception.heard(clockMs());
  }

  /** Ignored where the end takes no events. */
  press(to: MediaEnd, digit: string, durationMs: number): void {
    const format = this.#flows?.[to].digits;
    if (format !== undefined) this.streams[to].press({ digit, durationMs, ...format }, clockMs());
  }

  /** Once a second. `isUp`: media can flow on both legs. */
  tick(nowMs: number, isUp: boolean): void {
    const flows = this.#flows;
    if (flows === undefined) return;
    for (const end of mediaEnds) {
      if (this.#legs[end]()?.isConnected === true) this.#reporters[end].tick(nowMs, Math.random());
      const { lastHeardAtMs } = this.#rtpStreams[end].reception;
      if (this.#inactivity.isTimedOut(end, isUp && !flows.isHeld, lastHeardAtMs, nowMs))
        this.#report({ kind: "media.timedOut", end });
    }
  }

  /** Of which end nothing has been passed on, although it may be. */
  unheard(): readonly MediaEnd[] {
    const flows = this.#flows;
    if (flows === undefined) return [];
    return mediaEnds.filter((from) => {
      const to = otherEnd(from);
      return flows[from].isOpen && this.streams[to].sent.packets === this.#starts[to].packets;
    });
  }

  stats(): MediaStats {
    return {
      ...codecStats(this.#flows),
      a: this.#endStats("a"),
      b: this.#endStats("b"),
    };
  }

  #endStats(end: MediaEnd): EndStats {
    const { reception, loudness } = this.#rtpStreams[end];
    return { ...reception.stats(), levelDbov: loudness.levelDbov(clockMs()), hears: this.#reporters[end].hears };
  }

  close(): void {
    this.#quiet();
    for (const end of mediaEnds) {
      this.#rtpStreams[end].close();
      this.streams[end].close(clockMs());
      this.#reporters[end].bye();
    }
  }

  #quiet(): void {
    this.#tone?.stop();
    this.#tone = undefined;
  }

  #stream(to: MediaEnd, start: StreamMark): OutgoingStream {
    const leg = this.#legs[to];
    return new OutgoingStream(start, (packet) => leg()?.sendRtp(packet) ?? false, clockMs());
  }

  #rtpStream(from: MediaEnd): RtpStream {
    return new RtpStream(this.streams[otherEnd(from)], (digit, relayed) =>
      this.#report({ kind: "media.dtmf", from, ...digit, relayed }),
    );
  }

  #reporter(end: MediaEnd): RtcpReporter {
    return new RtcpReporter(this.streams[end], this.#rtpStreams[end], (packet) => this.#legs[end]()?.sendRtcp(packet));
  }
}
