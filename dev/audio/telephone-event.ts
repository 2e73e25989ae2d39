// DTMF as RTP events (RFC 4733): four octets of payload, and what a row of packets says was pressed.

const EVENTS = "0123456789*#ABCD";

/** The payload of one packet (RFC 4733 s2.3). */
export interface TelephoneEvent {
  /** One of `0-9 * # A-D`. */
  readonly digit: string;
  readonly end: boolean;
  /** Level in dB below 0 dBm0, 0 to 63. */
  readonly volume: number;
  /** In ticks of the event's RTP clock since its timestamp. */
  readonly duration: number;
}

/** A key that was pressed and let go. */
export interface Keypress {
  readonly digit: string;
  readonly durationMs: number;
}

export function encodeTelephoneEvent(event: TelephoneEvent): Uint8Array {
  const code = EVENTS.indexOf(event.digit.toUpperCase());
  if (event.digit.length !== 1 || code < 0) throw new RangeError(`no telephone key: ${event.digit}`);
  const duration = Math.max(0, Math.min(0xffff, event.duration));
  return Uint8Array.of(code, (event.end ? 0x80 : 0) | (event.volume & 0x3f), duration >> 8, duration & 0xff);
}

/** Undefined for what is too short and for events that are no DTMF digit. */
export function decodeTelephoneEvent(payload: Uint8Array): TelephoneEvent | undefined {
  const [code = 0xff, flags = 0, high = 0, low = 0] = payload;
  const digit = EVENTS[code];
  if (payload.length < 4 || digit === undefined) return undefined;
  return { digit, end: (flags & 0x80) !== 0, volume: flags & 0x3f, duration: (high << 8) | low };
}

/** Turns packets into key presses, each told once. */
export interface Keypad {
  /**
   * @param timestamp the packet's RTP timestamp: the same for all packets of one event (s2.2.1)
   * @returns the presses that this packet shows to be over
   */
  receive(timestamp: number, payload: Uint8Array): Keypress[];
  /** The press whose end never came, if there is one: for when the stream is over. */
  finish(): Keypress[];
}

/** @param clockRate ticks per second of the telephone-event payload type */
export function keypad(clockRate: number): Keypad {
  let open: { timestamp: number; event: TelephoneEvent } | undefined;
  let told: number | undefined; // timestamp of the last event that was told; its end is sent three times

  const close = (): Keypress[] => {
    if (open === undefined) return [];
    const press = { digit: open.event.digit, durationMs: (open.event.duration * 1000) / clockRate };
    told = open.timestamp;
    open = undefined;
    return [press];
  };

  return {
    receive(timestamp, payload) {
      const event = decodeTelephoneEvent(payload);
      if (event === undefined || timestamp === told) return [];
      // Another event began, so the end of the one before was lost (s2.5.1.4).
      const over = open !== undefined && open.timestamp !== timestamp ? close() : [];
      const reordered = open !== undefined && open.event.duration > event.duration;
      if (!reordered) open = { timestamp, event };
      return event.end ? [...over, ...close()] : over;
    },
    finish: close,
  };
}

/** All presses of a recorded stream, in the order of their packets. */
export function keypresses(
  packets: Iterable<{ readonly timestamp: number; readonly payload: Uint8Array }>,
  clockRate: number,
): Keypress[] {
  const pad = keypad(clockRate);
  const presses: Keypress[] = [];
  for (const packet of packets) presses.push(...pad.receive(packet.timestamp, packet.payload));
  return [...presses, ...pad.finish()];
}
