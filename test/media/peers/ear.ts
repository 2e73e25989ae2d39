// What a peer of a test has heard: packets as they came, the audio in them, the keys that were pressed.
import { listen, type Heard } from "../../../dev/audio/goertzel.ts";
import type { RtpPacket } from "../../../dev/audio/rtp.ts";
import { concatenate } from "../../../dev/audio/tone.ts";

export interface Waiting {
  readonly isSo: () => boolean;
  readonly resolve: () => void;
}

export class Ear {
  packets: RtpPacket[] = [];
  readonly #payloadType: number;
  readonly #decode: (payload: Uint8Array) => Int16Array;
  #waiting: Waiting[] = [];

  constructor(payloadType: number, decode: (payload: Uint8Array) => Int16Array) {
    this.#payloadType = payloadType;
    this.#decode = decode;
  }

  hear(packet: RtpPacket): void {
    this.packets.push(packet);
    this.#waiting = this.#waiting.filter((each) => {
      if (!each.isSo()) return true;
      each.resolve();
      return false;
    });
  }

  get samples(): Int16Array {
    return concatenate(this.audio.map((packet) => this.#decode(packet.payload)));
  }

  /** Packets with sound in them. */
  get audio(): RtpPacket[] {
    return this.packets.filter((packet) => packet.payloadType === this.#payloadType);
  }

  /** Forgets, and tells which tone is in the next second of 8 kHz audio. */
  async nextSecond(frequencies: readonly number[]): Promise<Heard> {
    this.packets = [];
    await this.until(() => this.audio.length >= 50);
    return listen(this.samples, 8000, frequencies);
  }

  async until(isSo: () => boolean): Promise<void> {
    if (isSo()) return;
    await new Promise<void>((resolve) => this.#waiting.push({ isSo, resolve }));
  }
}
