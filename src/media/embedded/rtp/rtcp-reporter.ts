// When RTCP is due on one leg, and what it says (RFC 3550 s6.2, s6.3): about every five seconds, never in step.
import type { HeardByEnd } from "../../../core/call/model/media-stats.ts";
import type { RtpStream } from "./rtp-stream.ts";
import type { OutgoingStream } from "./outgoing-stream.ts";
import { byePacket, readRtcp, reportPacket, roundTripMs } from "./rtcp.ts";

/** Tmin of RFC 3550 s6.2; with two parties on a leg nothing longer is ever computed. */
const intervalMs = 5000;
/** A peer may say anything. */
const mostJitterMs = 10_000;

export class RtcpReporter {
  readonly #stream: OutgoingStream;
  readonly #fromLeg: RtpStream;
  readonly #send: (packet: Buffer) => void;
  #dueAtMs: number | undefined;
  #lastSenderReport: { ssrc: number; middleNtp: number; atMs: number } | undefined;
  #packetsAtLastReport: number;
  #hears: HeardByEnd | undefined;

  /** `stream` is what the leg hears, `fromLeg` carries what it says. */
  constructor(stream: OutgoingStream, fromLeg: RtpStream, send: (packet: Buffer) => void) {
    this.#stream = stream;
    this.#packetsAtLastReport = stream.sent.packets;
    this.#fromLeg = fromLeg;
    this.#send = send;
  }

  /** What the leg has said last of how it hears us. */
  get hears(): HeardByEnd | undefined {
    return this.#hears;
  }

  /** RTCP from the leg. */
  packet(packet: Buffer, nowMs: number): void {
    this.#fromLeg.reception.heard(nowMs);
    const { senderReports, blocks } = readRtcp(packet);
    const last = senderReports.at(-1);
    if (last !== undefined) this.#lastSenderReport = { ...last, atMs: nowMs };
    const own = blocks.find(({ ssrc }) => ssrc === this.#stream.ssrc);
    if (own === undefined) return;
    const lostPercent = (own.fraction * 100) / 256;
    this.#stream.missed(lostPercent);
    const jitterMs = Math.min(mostJitterMs, Math.round((own.jitter * 10_000) / this.#stream.clockRate) / 10);
    this.#hears = { lostPercent, jitterMs, roundTripMs: roundTripMs(own, nowMs) ?? this.#hears?.roundTripMs };
  }

  /** Sends a report if one is due; `chance` in [0, 1) spreads them (RFC 3550 s6.3.1). */
  tick(nowMs: number, chance: number): void {
    // The first comes after half the time, so that a short call is reported on as well.
    this.#dueAtMs ??= nowMs + (intervalMs / 2) * (0.5 + chance);
    if (nowMs < this.#dueAtMs) return;
    this.#dueAtMs = nowMs + intervalMs * (0.5 + chance);
    this.#send(this.#report(nowMs));
  }

  bye(): void {
    const { sent, ssrc, cname } = this.#stream;
    if (sent.packets > 0) this.#send(byePacket(ssrc, cname));
  }

  #report(nowMs: number): Buffer {
    const { packets, octets } = this.#stream.sent;
    const hasSent = packets > this.#packetsAtLastReport;
    this.#packetsAtLastReport = packets;
    const sender = hasSent ? { nowMs, rtpTimestamp: this.#stream.timestampAt(nowMs), packets, octets } : undefined;
    const report = this.#fromLeg.reception.report();
    const last = this.#lastSenderReport?.ssrc === report?.ssrc ? this.#lastSenderReport : undefined;
    const block =
      report === undefined
        ? undefined
        : {
            ...report,
            lastSenderReport: last?.middleNtp ?? 0,
            delay: last === undefined ? 0 : Math.round(((nowMs - last.atMs) * 65_536) / 1000),
          };
    return reportPacket(this.#stream.ssrc, this.#stream.cname, sender, block);
  }
}
