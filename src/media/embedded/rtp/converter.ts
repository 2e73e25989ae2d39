// Turns the packets of one direction into another codec. To the stream that they go into it is one more source, with
// numbers of its own: where a conversion begins or ends, the stream goes on.
import type { Crossing } from "../../../core/sdp/exchange/agreement.ts";
import type { AudioDecoder, AudioEncoder, SampleRate } from "../codec/audio-codec.ts";
import { codecOf } from "../codec/codecs.ts";
import { Pacer } from "./pacer.ts";
import { ReorderBuffer } from "./reorder-buffer.ts";
import type { RtpHeader } from "./rtp-packet.ts";
import { distance } from "./rtp-rewriter.ts";

/** What a packet that was made here is numbered with. */
export interface Numbers {
  readonly ssrc: number;
  readonly sequence: number;
  readonly timestamp: number;
  readonly marker: boolean;
}

type Emit = (numbers: Numbers, payload: Uint8Array, crossing: Crossing) => void;

interface Heard {
  readonly kind: "audio" | "event" | "noise" | "nothing";
  readonly timestamp: number;
  readonly marker: boolean;
  readonly payload: Uint8Array;
  readonly crossing: Crossing;
}

const usualFrameMs = 20;
/** Steps of the sequence number after which a source has begun anew, as in the rewriter. */
const far = { ahead: 3000, behind: -100 };
/** The longest hole that is filled by guessing. */
const mostConcealedMs = 100;
/** How far a pause is filled ahead of the packet that ends it, and for how long after the last packet. */
const pause = { stepMs: 20, lagMs: 40, dtxMs: 1000, noiseMs: 10_000 };

/** Beyond all SSRCs, so that no source on the wire has the same. */
let sources = 2 ** 32;

export class Converter {
  readonly crossing: Crossing;
  readonly #decoder: AudioDecoder;
  readonly #encoder: AudioEncoder;
  readonly #pacer: Pacer<Parameters<Emit>>;
  readonly #lossPercent: () => number;
  readonly #order = new ReorderBuffer<Heard>((heard, lost) => this.#play(heard, lost));
  /** Ticks of the timestamp on either side, for each sample. */
  readonly #fromTicks: number;
  readonly #toTicks: number;
  readonly #rate: SampleRate;
  readonly #frame: Int16Array;
  #filled = 0;
  /** Of our numbers: the source, the last packet, and the timestamp at which the frame begins. */
  #ssrc = 0;
  #sequence = 0;
  #timestamp = 0;
  #isStart = true;
  /** Of the source's numbers: who, the highest packet, and the timestamp that is due next. */
  #source: number | undefined;
  #highest = 0;
  #due: number | undefined;
  /** Samples of the last packet. */
  #usual: number;
  #event: { readonly timestamp: number; readonly placed: number } | undefined;
  #pause: NodeJS.Timeout | undefined;

  private constructor(
    crossing: Crossing,
    rate: SampleRate,
    decoder: AudioDecoder,
    encoder: AudioEncoder,
    frameMs: number,
    emit: Emit,
    lossPercent: () => number,
  ) {
    this.crossing = crossing;
    this.#decoder = decoder;
    this.#encoder = encoder;
    this.#pacer = new Pacer(frameMs, (packet) => emit(...packet));
    this.#lossPercent = lossPercent;
    this.#rate = rate;
    this.#fromTicks = crossing.fromClockRate / rate;
    this.#toTicks = crossing.toClockRate / rate;
    this.#usual = (rate * usualFrameMs) / 1000;
    this.#frame = new Int16Array((rate * frameMs) / 1000);
  }

  /**
   * Undefined: the crossing needs none, or one that we do not have.
   * @param lossPercent what of our packets does not reach the receiver
   */
  static for(crossing: Crossing | undefined, emit: Emit, lossPercent: () => number): Converter | undefined {
    if (crossing?.converts === undefined) return undefined;
    const { from, wishes, ptimeMs = usualFrameMs } = crossing.converts;
    const [own, other] = [codecOf(from), codecOf(crossing.name)];
    if (own === undefined || other === undefined) return undefined;
    const frameMs = other.frames.findLast((each) => each <= ptimeMs) ?? usualFrameMs;
    const rate = own.rate === other.rate ? own.rate : 8000;
    return new Converter(crossing, rate, own.decoder(rate), other.encoder(rate, wishes), frameMs, emit, lossPercent);
  }

  /** Would `crossing` be converted just as now? */
  isFor(crossing: Crossing | undefined): boolean {
    const [own, other] = [this.crossing.converts, crossing?.converts];
    return (
      other !== undefined &&
      own?.from === other.from &&
      own.wishes === other.wishes &&
      own.ptimeMs === other.ptimeMs &&
      this.crossing.name === crossing?.name &&
      this.crossing.payloadType === crossing.payloadType
    );
  }

  /** `crossing`: how it leaves; of no meaning for `noise` (RFC 3389) and `nothing` (a number that is no loss). */
  packet(kind: Heard["kind"], header: RtpHeader, payload: Uint8Array, crossing: Crossing = this.crossing): void {
    const { ssrc, sequence, timestamp, marker } = header;
    const ahead = distance(this.#highest, sequence);
    if (ssrc !== this.#source || ahead > far.ahead || ahead < far.behind) this.#begin(ssrc, sequence);
    else if (ahead > 0) this.#highest = sequence;
    this.#order.push(sequence, { kind, timestamp, marker, payload, crossing });
  }

  /** Nothing is let through: what comes afterwards is a new beginning. */
  stop(): void {
    this.#order.clear();
    this.#pacer.clear();
    clearTimeout(this.#pause);
    this.#source = undefined;
  }

  close(): void {
    this.stop();
    this.#decoder.release();
    this.#encoder.release();
  }

  #begin(ssrc: number, sequence: number): void {
    this.#pacer.flush();
    this.stop();
    sources += 1;
    this.#ssrc = sources;
    this.#source = ssrc;
    this.#highest = sequence;
    this.#due = undefined;
    this.#filled = 0;
    this.#isStart = true;
    this.#event = undefined;
  }

  #play(heard: Heard, lost: number): void {
    this.#pacer.flush();
    switch (heard.kind) {
      case "audio":
        this.#audio(heard, lost);
        return;
      case "event":
        this.#say(heard);
        return;
      case "noise":
        this.#decoder.hush(heard.payload[0] ?? 127);
        this.#due ??= heard.timestamp;
        this.#fillPause(pause.noiseMs);
        return;
      case "nothing":
    }
  }

  #audio({ timestamp, payload, marker }: Heard, lost: number): void {
    const isPaused = this.#pause !== undefined;
    this.#endPause();
    const missing = Math.round(((timestamp - (this.#due ?? timestamp)) | 0) / this.#fromTicks);
    const most = isPaused ? missing : Math.min(missing, lost * this.#usual);
    const concealed = Math.max(0, Math.min(most, (this.#rate * mostConcealedMs) / 1000));
    if (concealed > 0) this.#append(this.#decoder.conceal(concealed, isPaused ? undefined : payload));
    if (missing > concealed) this.#leap(missing - concealed);
    this.#isStart ||= marker && missing > concealed;
    const pcm = this.#decoder.decode(payload) ?? this.#decoder.conceal(this.#usual);
    this.#usual = pcm.length;
    // What took the place of lost packets is late already.
    this.#pacer.flush();
    this.#append(pcm);
    this.#due = (timestamp + pcm.length * this.#fromTicks) >>> 0;
    if (this.#decoder.isPause(payload)) this.#fillPause(pause.dtxMs);
  }

  /** A digit of the source, at its place in our time: the same for all its packets. */
  #say({ timestamp, payload, marker, crossing }: Heard): void {
    this.#endPause();
    if (this.#event?.timestamp !== timestamp) {
      this.#flush();
      this.#pacer.flush();
      this.#due ??= timestamp;
      const later = Math.round(((timestamp - this.#due) | 0) / this.#fromTicks) * this.#toTicks;
      this.#event = { timestamp, placed: (this.#timestamp + later) >>> 0 };
    }
    this.#send(this.#event.placed, marker, payload, crossing);
  }

  #append(pcm: Int16Array): void {
    for (let taken = 0; taken < pcm.length;) {
      const part = pcm.subarray(taken, taken + this.#frame.length - this.#filled);
      this.#frame.set(part, this.#filled);
      this.#filled += part.length;
      taken += part.length;
      if (this.#filled === this.#frame.length) this.#encode();
    }
  }

  #encode(): void {
    this.#send(this.#timestamp, this.#isStart, this.#encoder.encode(this.#frame, this.#lossPercent()), this.crossing);
    this.#isStart = false;
    this.#filled = 0;
    this.#timestamp = (this.#timestamp + this.#frame.length * this.#toTicks) >>> 0;
  }

  #send(timestamp: number, marker: boolean, payload: Uint8Array, crossing: Crossing): void {
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.#pacer.push([{ ssrc: this.#ssrc, sequence: this.#sequence, timestamp, marker }, payload, crossing]);
  }

  /** What has no whole frame yet is said, with silence behind it. Gives the samples of silence. */
  #flush(): number {
    if (this.#filled === 0) return 0;
    const silent = this.#frame.length - this.#filled;
    this.#frame.fill(0, this.#filled);
    this.#encode();
    return silent;
  }

  /** The source has said nothing for so many samples: nor do we. */
  #leap(samples: number): void {
    const left = Math.max(0, samples - this.#flush());
    this.#timestamp = (this.#timestamp + left * this.#toTicks) >>> 0;
    this.#isStart = true;
  }

  /** Silence of the source that its decoder fills: somebody who hears nothing at all thinks that the line is dead. */
  #fillPause(forMs: number): void {
    this.#endPause();
    const steps = Math.floor(forMs / pause.stepMs);
    let step = 0;
    const fill = (): void => {
      step += 1;
      const samples = (this.#rate * pause.stepMs) / 1000;
      this.#pacer.flush();
      this.#append(this.#decoder.conceal(samples));
      this.#due = ((this.#due ?? 0) + samples * this.#fromTicks) >>> 0;
      this.#pause = step < steps ? setTimeout(fill, pause.stepMs) : undefined;
    };
    this.#pause = setTimeout(fill, pause.stepMs + pause.lagMs);
  }

  #endPause(): void {
    clearTimeout(this.#pause);
    this.#pause = undefined;
  }
}
