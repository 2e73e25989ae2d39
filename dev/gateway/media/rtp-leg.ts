// One RTP leg of the gateway: a pair of ports, G.711 paced at 20 ms out, whatever comes in heard and counted.
// Which sound plays and when is for call.ts; what was agreed is for session-description.ts.
import { randomInt } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { decodeAlaw, decodeUlaw, encodeAlaw, encodeUlaw } from "../../audio/g711.ts";
import { decodeRtp, encodeRtp } from "../../audio/rtp.ts";
import { encodeTelephoneEvent, keypad, type Keypress } from "../../audio/telephone-event.ts";
import { everyFrame } from "../../audio/pacer.ts";
import { Reception } from "../../audio/reception.ts";
import { encodeBye, encodeSenderReport, rtcpTypes } from "../../audio/rtcp.ts";
import type { Codec } from "./session-description.ts";
import { makeSound, type Sound } from "./sounds.ts";

const FRAME_SAMPLES = 160;
/** RFC 3550 s6.2: five seconds; the first one sooner. */
const FIRST_REPORT_FRAMES = 50;
const REPORT_FRAMES = 250;
const PORT_ATTEMPTS = 50;
/** A key is pressed for 160 ms, and 100 ms lie between two. */
const KEY_FRAMES = 8;
const KEY_PAUSE_FRAMES = 5;

/** What goes out for 20 ms instead of the sound. */
type KeyFrame = { readonly digit: string; readonly frame: number } | "pause";

/** What offer and answer agreed on. */
export interface Agreement {
  readonly address: string;
  readonly port: number;
  readonly rtcpPort: number;
  readonly codec: Codec;
  readonly telephoneEvent: number | undefined;
  /** Whether we may send: our direction, not theirs. */
  readonly sending: boolean;
}

export interface LegWatch {
  readonly pressed: (press: Keypress) => void;
  /** Something was heard, counted or reported. */
  readonly changed: () => void;
  readonly failed: (error: Error) => void;
}

export class RtpLeg {
  readonly port: number;
  readonly reception = new Reception();
  /** RTCP packet types that came, each as often as it came. */
  readonly rtcp: number[] = [];
  packetsSent = 0;
  readonly #rtp: Socket;
  readonly #rtcp: Socket;
  readonly #watch: LegWatch;
  readonly #ssrc = randomInt(1, 2 ** 32 - 1);
  #sequence = randomInt(2 ** 15);
  #timestamp = randomInt(2 ** 31);
  #octetsSent = 0;
  #frames = 0;
  #sound: Sound = makeSound("silence");
  #agreement: Agreement | undefined;
  #keypad = keypad(8_000);
  #stopBeat: (() => void) | undefined;
  #closed = false;
  readonly #keys: KeyFrame[] = [];
  #keyTimestamp = 0;
  #pressed: (() => void)[] = [];

  private constructor(rtp: Socket, rtcp: Socket, watch: LegWatch) {
    this.#rtp = rtp;
    this.#rtcp = rtcp;
    this.#watch = watch;
    this.port = rtp.address().port;
    rtp.on("message", (bytes) => this.#arrived(bytes));
    rtcp.on("message", (bytes) => {
      this.rtcp.push(...rtcpTypes(bytes));
      watch.changed();
    });
    for (const socket of [rtp, rtcp]) socket.on("error", watch.failed);
  }

  /** Takes an even port and the odd one after it (RFC 3550 s11). Throws when none is free. */
  static async open(host: string, watch: LegWatch): Promise<RtpLeg> {
    for (let attempt = 0; attempt < PORT_ATTEMPTS; attempt += 1) {
      const rtp = await bound(host, 0);
      const port = rtp?.address().port ?? 0;
      const rtcp = port % 2 === 0 ? await bound(host, port + 1) : undefined;
      if (rtp !== undefined && rtcp !== undefined) return new RtpLeg(rtp, rtcp, watch);
      rtp?.close();
    }
    throw new Error("no pair of RTP ports is free");
  }

  agree(agreement: Agreement): void {
    this.#agreement = agreement;
    if (!this.#closed) this.#stopBeat ??= everyFrame(() => this.#beat());
  }

  play(sound: Sound): void {
    this.#sound = sound;
  }

  /**
   * Presses keys; resolves when the last packet of the last one is out, or the leg closes.
   * Throws RangeError for what is no key, and an Error where no RTP events were agreed on.
   */
  async press(digits: string): Promise<void> {
    if (this.#agreement?.telephoneEvent === undefined) throw new Error("no RTP events were agreed on");
    for (const digit of digits) encodeTelephoneEvent({ digit, end: false, volume: 10, duration: 0 });
    if (this.#closed || digits === "") return;
    for (const digit of digits) {
      for (let frame = 1; frame <= KEY_FRAMES; frame += 1) this.#keys.push({ digit, frame });
      for (let frame = 0; frame < KEY_PAUSE_FRAMES; frame += 1) this.#keys.push("pause");
    }
    await new Promise<void>((resolve) => this.#pressed.push(resolve));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const pressed of this.#pressed.splice(0)) pressed();
    this.#stopBeat?.();
    for (const press of this.#keypad.finish()) this.#watch.pressed(press);
    this.#rtp.close();
    if (this.#agreement === undefined || this.packetsSent === 0) {
      this.#rtcp.close();
      return;
    }
    this.#report(encodeBye(this.#ssrc), () => this.#rtcp.close());
  }

  #beat(): void {
    const agreement = this.#agreement;
    if (agreement === undefined) return;
    // The sound and the media clock go on while held, so that a resumed call hears the present.
    const samples = this.#sound.next(FRAME_SAMPLES);
    const timestamp = this.#timestamp;
    this.#timestamp = (this.#timestamp + FRAME_SAMPLES) >>> 0;
    const key = this.#keys.shift();
    if (key !== undefined && this.#keys.length === 0) for (const pressed of this.#pressed.splice(0)) pressed();
    if (!agreement.sending) return;
    if (key !== undefined && key !== "pause" && agreement.telephoneEvent !== undefined) {
      this.#sendKey(agreement, agreement.telephoneEvent, key, timestamp);
    } else {
      const payload = agreement.codec.name === "PCMU" ? encodeUlaw(samples) : encodeAlaw(samples);
      this.#send(agreement, agreement.codec.payloadType, this.packetsSent === 0, timestamp, payload);
    }
    this.#frames += 1;
    if (this.#frames % REPORT_FRAMES === FIRST_REPORT_FRAMES) this.#report(Buffer.alloc(0));
  }

  /** All packets of a key bear the time at which it began, and its end is said three times (RFC 4733 s2.5.1). */
  #sendKey(to: Agreement, payloadType: number, key: Exclude<KeyFrame, "pause">, timestamp: number): void {
    const { digit, frame } = key;
    if (frame === 1) this.#keyTimestamp = timestamp;
    const end = frame === KEY_FRAMES;
    const payload = encodeTelephoneEvent({ digit, end, volume: 10, duration: frame * FRAME_SAMPLES });
    for (let copy = 0; copy < (end ? 3 : 1); copy += 1) {
      this.#send(to, payloadType, frame === 1, this.#keyTimestamp, payload);
    }
  }

  #send(to: Agreement, payloadType: number, marker: boolean, timestamp: number, payload: Uint8Array): void {
    const packet = encodeRtp({ payloadType, marker, sequence: this.#sequence, timestamp, ssrc: this.#ssrc, payload });
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.packetsSent += 1;
    this.#octetsSent += payload.length;
    this.#rtp.send(packet, to.port, to.address, (error) => {
      if (error !== null && !this.#closed) this.#watch.failed(error);
    });
  }

  #report(last: Buffer, then: () => void = () => undefined): void {
    const agreement = this.#agreement;
    if (agreement === undefined) return;
    const report = encodeSenderReport({
      ssrc: this.#ssrc,
      nowMs: Date.now(),
      rtpTimestamp: this.#timestamp,
      packets: this.packetsSent,
      octets: this.#octetsSent,
      reception: this.reception.report(),
      cname: `gateway-${this.port}`,
    });
    this.#rtcp.send(Buffer.concat([report, last]), agreement.rtcpPort, agreement.address, (error) => {
      if (error !== null) this.#watch.failed(error);
      then();
    });
  }

  #arrived(bytes: Buffer): void {
    const packet = decodeRtp(bytes);
    const agreement = this.#agreement;
    if (packet === undefined || agreement === undefined) return;
    this.reception.count(packet, performance.now());
    if (packet.payloadType === agreement.codec.payloadType) {
      const samples = agreement.codec.name === "PCMU" ? decodeUlaw(packet.payload) : decodeAlaw(packet.payload);
      this.reception.keep(samples);
      this.#sound.hear?.(samples);
    } else if (packet.payloadType === agreement.telephoneEvent) {
      for (const press of this.#keypad.receive(packet.timestamp, packet.payload)) {
        this.#sound.press?.(press.digit);
        this.#watch.pressed(press);
      }
    } else this.reception.strangers += 1;
    this.#watch.changed();
  }
}

async function bound(host: string, port: number): Promise<Socket | undefined> {
  const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
  try {
    socket.bind(port, host);
    await once(socket, "listening");
    return socket;
  } catch {
    socket.close();
    return undefined;
  }
}
