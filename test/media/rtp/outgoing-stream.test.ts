// Our stream towards a peer by itself: whatever sources, keys, holds and processes come and go, its numbers never step back.
import fc from "fast-check";
import { expect, test } from "vitest";
import { readRtp, type RtpHeader } from "../../../src/media/embedded/rtp/rtp-packet.ts";
import { beyond, newStream, OutgoingStream, type StreamMark } from "../../../src/media/embedded/rtp/outgoing-stream.ts";

const audio = { payloadType: 0, isEvent: false, toClockRate: 8000 };
const event = { payloadType: 101, isEvent: true, toClockRate: 8000 };

interface Source {
  readonly ssrc: number;
  sequence: number;
  timestamp: number;
}

/** A packet of the source as it comes off the wire. */
function packetOf({ ssrc, sequence, timestamp }: Source): Buffer {
  const packet = Buffer.alloc(172, 0x80);
  packet[1] = 0;
  packet.writeUInt16BE(sequence & 0xffff, 2);
  packet.writeUInt32BE(timestamp >>> 0, 4);
  packet.writeUInt32BE(ssrc, 8);
  return packet;
}

class Bench {
  readonly sent: RtpHeader[] = [];
  nowMs = 1_000_000;
  stream: OutgoingStream;
  /** As the engine has it, once a second. */
  #marked: { readonly mark: StreamMark; readonly atMs: number };

  constructor(start: StreamMark) {
    this.stream = this.#open(start);
    this.#marked = { mark: this.stream.mark(this.nowMs), atMs: this.nowMs };
  }

  feed(source: Source, outlet = audio, isStart = false): void {
    const packet = packetOf(source);
    const header = readRtp(packet);
    if (header !== undefined) this.stream.forward(packet, header, outlet, isStart, this.nowMs);
  }

  pass(ms: number): void {
    this.nowMs += ms;
    if (this.nowMs - this.#marked.atMs >= 1000) this.#marked = { mark: this.stream.mark(this.nowMs), atMs: this.nowMs };
  }

  /** The dialog goes on in another session. */
  moveOn(): void {
    this.stream.close(this.nowMs);
    this.stream = this.#open(this.stream.mark(this.nowMs));
    this.#marked = { mark: this.stream.mark(this.nowMs), atMs: this.nowMs };
  }

  /** The process dies, and with it what it did after the last mark. */
  crash(): void {
    this.stream = this.#open(beyond(this.#marked.mark, this.nowMs - this.#marked.atMs));
    this.#marked = { mark: this.stream.mark(this.nowMs), atMs: this.nowMs };
  }

  #open(start: StreamMark): OutgoingStream {
    return new OutgoingStream(
      start,
      (packet) => {
        const header = readRtp(packet);
        if (header !== undefined) this.sent.push(header);
        return true;
      },
      this.nowMs,
    );
  }
}

const start = fc.record({ sequence: fc.nat(0xffff), timestamp: fc.nat(0xffff_ffff) });
const source = fc.record({
  ssrc: fc.integer({ min: 1, max: 0xffff_fffe }),
  sequence: fc.nat(0xffff),
  timestamp: fc.nat(0xffff_ffff),
});
const move = fc.oneof(
  fc.record({ kind: fc.constant("talk" as const), packets: fc.integer({ min: 1, max: 120 }), lateMs: fc.nat(200) }),
  fc.record({ kind: fc.constant("source" as const), source }),
  fc.record({ kind: fc.constant("hold" as const), ms: fc.integer({ min: 20, max: 90_000 }) }),
  fc.record({ kind: fc.constant("event" as const), packets: fc.integer({ min: 1, max: 30 }) }),
  fc.record({ kind: fc.constant("restart" as const), back: fc.nat(0xffff_ffff) }),
  fc.constant({ kind: "move" as const }),
  fc.constant({ kind: "crash" as const }),
);

test("over any joins, transfers, holds, keys, restarts of a source, and processes that die", () => {
  fc.assert(
    fc.property(start, source, fc.array(move, { minLength: 1, maxLength: 30 }), (from, first, moves) => {
      const bench = new Bench({ ...newStream(), ...from, ssrc: 0xffff_ffff });
      let speaking: Source = { ...first };
      const step = (): void => {
        speaking.sequence += 1;
        speaking.timestamp += 160;
        bench.pass(20);
      };
      for (const each of moves) {
        switch (each.kind) {
          case "talk":
            // Packets that the network held up arrive together.
            bench.pass(each.lateMs);
            for (let packet = 0; packet < each.packets; packet += 1) {
              bench.feed(speaking);
              step();
            }
            break;
          case "source":
            speaking = { ...each.source };
            break;
          case "hold":
            bench.pass(each.ms);
            speaking.timestamp += each.ms * 8;
            break;
          case "event": {
            const { timestamp } = speaking;
            for (let packet = 0; packet < each.packets; packet += 1) {
              bench.feed({ ...speaking, timestamp }, event);
              step();
            }
            break;
          }
          case "restart":
            speaking.timestamp -= each.back;
            break;
          case "move":
            bench.moveOn();
            break;
          case "crash":
            bench.crash();
        }
      }
      for (const [index, packet] of bench.sent.entries()) {
        const before = bench.sent[index - 1];
        expect(packet.ssrc).toBe(0xffff_ffff);
        if (before === undefined) continue;
        expect(((packet.sequence - before.sequence - 1) & 0xffff) < 0x7fff).toBe(true);
        expect((packet.timestamp - before.timestamp) | 0).toBeGreaterThanOrEqual(0);
      }
    }),
    { numRuns: 400 },
  );
});

test("audio after a key of ours that ran ahead of it does not step back, and begins with the marker", () => {
  const bench = new Bench({ ...newStream(), timestamp: 0 });
  const speaking = { ssrc: 7, sequence: 10, timestamp: 5000 };
  bench.feed(speaking);
  bench.pass(500);
  bench.stream.press({ digit: "1", durationMs: 100, payloadType: 101, clockRate: 8000 }, bench.nowMs);
  bench.pass(10);
  bench.stream.close(bench.nowMs);
  // Half a second late, as far as its timestamp goes.
  bench.feed({ ...speaking, sequence: 11, timestamp: 5160 });
  const last = bench.sent.at(-1);
  expect(last).toMatchObject({ payloadType: 0, marker: true });
  expect(((last?.timestamp ?? 0) - (bench.sent.at(-2)?.timestamp ?? 0)) | 0).toBeGreaterThan(0);
});

test("packets of an event that lie before audio between them keep the event's time", () => {
  const bench = new Bench({ ...newStream(), timestamp: 0 });
  bench.feed({ ssrc: 7, sequence: 10, timestamp: 800 }, event);
  bench.feed({ ssrc: 7, sequence: 11, timestamp: 960 });
  bench.feed({ ssrc: 7, sequence: 12, timestamp: 800 }, event);
  const [first, , third] = bench.sent;
  expect(third?.timestamp).toBe(first?.timestamp);
});

test("events on a clock of their own do not change the clock of the audio", () => {
  const bench = new Bench(newStream());
  const speaking = { ssrc: 7, sequence: 1, timestamp: 160 };
  bench.feed(speaking);
  bench.feed({ ...speaking, sequence: 2 }, { ...event, toClockRate: 48_000 });
  const { stream, nowMs } = bench;
  expect(stream.timestampAt(nowMs + 1_000) - stream.timestampAt(nowMs)).toBe(8_000);
});

test("what the socket did not take is not reported as sent", () => {
  const stream = new OutgoingStream(newStream(), () => false, 0);
  const packet = packetOf({ ssrc: 7, sequence: 1, timestamp: 160 });
  const header = readRtp(packet);
  if (header === undefined) throw new Error("no RTP");
  stream.forward(packet, header, audio, true, 0);
  expect(stream.sent).toEqual({ packets: 0, octets: 0 });
});
