// Digits of our own as telephone-events (RFC 4733): one after the other, every 20 ms a packet, in the time of the stream that
// they are part of. Where the packets go, and what else is in that stream, is the RTP stream's affair (rtp-stream.ts).
import type { DigitFormat } from "../../../core/sdp/exchange/flows.ts";
import { clockMs } from "../base/clock.ts";

export interface OutgoingDigit extends DigitFormat {
  readonly digit: string;
  readonly durationMs: number;
}

export interface DigitSink {
  /** Timestamp of the digit that begins now. */
  begin(nowMs: number): number;
  send(payloadType: number, isFirst: boolean, timestamp: number, payload: Buffer): void;
  /** The digit that had begun at `timestamp` is over after `durationMs`. */
  end(timestamp: number, durationMs: number, nowMs: number): void;
}

const digits = "0123456789*#ABCD";
const stepMs = 20;
/** The last packet goes out three times (RFC 4733 s2.5.1.4). */
const endCopies = 3;
/** From the end of one digit to the beginning of the next, the three packets of the end within it. */
const gapMs = 80;
const shortestMs = 40;
const longestMs = 6000;
/** More are nobody's typing. */
const maxWaiting = 64;
/** -10 dBm0, as telephones press them. */
const volume = 10;

export class DtmfSender {
  readonly #sink: DigitSink;
  #waiting: OutgoingDigit[] = [];
  #timer: NodeJS.Timeout | undefined;
  #playing:
    | {
        digit: OutgoingDigit;
        readonly timestamp: number;
        readonly startedAtMs: number;
        step: number;
        /** When its end was first told. */
        endedAtMs: number | undefined;
      }
    | undefined;

  constructor(sink: DigitSink) {
    this.#sink = sink;
  }

  /** A digit, or the end of it, is on its way: nothing else has a place in the stream. */
  get isBusy(): boolean {
    return this.#playing !== undefined;
  }

  /** False: no digit that could be told. */
  press(digit: OutgoingDigit, nowMs: number): boolean {
    if (digit.digit.length !== 1 || !digits.includes(digit.digit) || this.#waiting.length >= maxWaiting) return false;
    this.#waiting.push(bounded(digit));
    if (this.#playing === undefined) this.#next(nowMs);
    return true;
  }

  /** What is on its way goes on under these numbers, of another peer perhaps; undefined: it takes no digits. */
  retune(format: DigitFormat | undefined): void {
    if (format === undefined) {
      this.close();
      return;
    }
    const { payloadType, clockRate } = format;
    this.#waiting = this.#waiting.map((digit) => bounded({ ...digit, payloadType, clockRate }));
    if (this.#playing !== undefined) this.#playing.digit = { ...this.#playing.digit, payloadType, clockRate };
  }

  /** Ends at once what is on its way, so that the peer knows how long the digit was. */
  finish(nowMs: number): void {
    const playing = this.#playing;
    this.close();
    if (playing === undefined) return;
    const { digit, timestamp, startedAtMs, step } = playing;
    const steps = Math.ceil(digit.durationMs / stepMs);
    const elapsedMs = Math.min(digit.durationMs, Math.max(stepMs, nowMs - startedAtMs));
    for (let copy = Math.max(step, steps); copy < steps + endCopies; copy += 1)
      this.#sink.send(digit.payloadType, step === 0, timestamp, payloadOf(digit, true, elapsedMs));
    this.#sink.end(timestamp, elapsedMs, nowMs);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#waiting = [];
    this.#playing = undefined;
  }

  #next(nowMs: number): void {
    const digit = this.#waiting.shift();
    this.#playing =
      digit === undefined
        ? undefined
        : { digit, timestamp: this.#sink.begin(nowMs), startedAtMs: nowMs, step: 0, endedAtMs: undefined };
    if (this.#playing !== undefined) this.#step(nowMs);
  }

  /** Sends what is due, and waits for what comes next; late timers are caught up with, but not at the cost of the gap. */
  #step(nowMs: number): void {
    const playing = this.#playing;
    if (playing === undefined) return;
    const { digit, timestamp, startedAtMs } = playing;
    const steps = Math.ceil(digit.durationMs / stepMs);
    const last = steps + endCopies - 1;
    while (playing.step <= last && startedAtMs + playing.step * stepMs <= nowMs) {
      const isEnd = playing.step >= steps;
      const elapsedMs = Math.min(digit.durationMs, Math.max(1, playing.step) * stepMs);
      this.#sink.send(digit.payloadType, playing.step === 0, timestamp, payloadOf(digit, isEnd, elapsedMs));
      if (playing.step === steps) {
        this.#sink.end(timestamp, digit.durationMs, nowMs);
        playing.endedAtMs = nowMs;
      }
      playing.step += 1;
    }
    const { endedAtMs = nowMs } = playing;
    const dueAtMs = playing.step <= last ? startedAtMs + playing.step * stepMs : endedAtMs + gapMs;
    const isOver = playing.step > last && nowMs >= dueAtMs;
    if (isOver) this.#next(nowMs);
    else this.#timer = setTimeout(() => this.#step(clockMs()), Math.max(1, dueAtMs - nowMs));
  }
}

/** Long enough to be heard, and no longer than the duration's 16 bits can say. */
function bounded(digit: OutgoingDigit): OutgoingDigit {
  const most = Math.min(longestMs, Math.floor((0xffff * 1000) / digit.clockRate));
  return { ...digit, durationMs: Math.max(shortestMs, Math.min(most, digit.durationMs)) };
}

function payloadOf(digit: OutgoingDigit, isEnd: boolean, elapsedMs: number): Buffer {
  const payload = Buffer.from([digits.indexOf(digit.digit), (isEnd ? 0x80 : 0) | volume, 0, 0]);
  payload.writeUInt16BE(Math.min(0xffff, Math.round((elapsedMs * digit.clockRate) / 1000)), 2);
  return payload;
}
