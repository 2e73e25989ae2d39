// What an end says of how it hears us, octet by octet (RFC 3550 s6.4.1).
import { expect, test } from "vitest";
import { OutgoingStream } from "../../../src/media/embedded/rtp/outgoing-stream.ts";
import { RtcpReporter } from "../../../src/media/embedded/rtp/rtcp-reporter.ts";
import { RtpStream } from "../../../src/media/embedded/rtp/rtp-stream.ts";

const ssrc = 0x1122_3344;
const atMs = Date.UTC(2026, 11, 1);

function start() {
  const mark = {
    ssrc,
    cname: "c",
    sequence: 1,
    timestamp: 0,
    clockRate: 8000,
    quietMs: undefined,
    packets: 0,
    octets: 0,
  };
  const sent: Buffer[] = [];
  const stream = new OutgoingStream(mark, () => true, atMs);
  const reporter = new RtcpReporter(stream, new RtpStream(stream, () => {}), (packet) => sent.push(packet));
  /** Our sender report, as the end gets it: the middle of its NTP timestamp. */
  const reported = (nowMs: number): number => {
    stream.utter(
      { ssrc: 1, sequence: 1, timestamp: 0 } as never,
      new Uint8Array(160),
      { payloadType: 0, isEvent: false, toClockRate: 8000 },
      true,
      nowMs,
    );
    reporter.tick(nowMs, 0);
    reporter.tick(nowMs + 6_000, 0);
    return sent.at(-1)?.readUInt32BE(10) ?? 0;
  };
  return { reporter, reported };
}

/** A receiver report with one block. */
function report(about: number, fraction: number, jitter: number, lsr: number, dlsr: number): Buffer {
  const packet = Buffer.alloc(32);
  packet.set([0x81, 201, 0, 7]);
  packet.writeUInt32BE(0x99, 4);
  packet.writeUInt32BE(about, 8);
  packet[12] = fraction;
  packet.writeUInt32BE(jitter, 20);
  packet.writeUInt32BE(lsr, 24);
  packet.writeUInt32BE(dlsr, 28);
  return packet;
}

test("it says what it misses, how unevenly we come, and by the time that it kept our report, how far away it is", () => {
  const { reporter, reported } = start();
  expect(reporter.hears).toBeUndefined();
  reporter.packet(report(ssrc, 64, 80, 0, 0), atMs);
  expect(reporter.hears).toEqual({ lostPercent: 25, jitterMs: 10, roundTripMs: undefined });
  const middle = reported(atMs);
  // It came 150 ms after we sent it at +6 s, of which the end kept it 100 ms.
  reporter.packet(report(ssrc, 0, 16, middle, 6_554), atMs + 6_150);
  expect(reporter.hears).toMatchObject({ lostPercent: 0, jitterMs: 2 });
  expect(reporter.hears?.roundTripMs).toBeCloseTo(50, 0);
});

test.each([
  ["of a report that we never sent", 0x1234_5678, 0],
  ["that took longer than any call bears", -15 * 65_536, 0],
  ["that was kept longer than it was there", 0, 2 ** 31],
])("a round trip %s is not believed", (_, ahead, delay) => {
  const { reporter, reported } = start();
  const middle = reported(atMs);
  reporter.packet(report(ssrc, 0, 0, (middle + ahead) >>> 0, delay), atMs + 6_000);
  expect(reporter.hears?.roundTripMs).toBeUndefined();
});

test("what it says of others is nothing, and of itself bounded", () => {
  const { reporter } = start();
  reporter.packet(report(7, 255, 9, 0, 0), atMs);
  reporter.packet(report(ssrc, 255, 0xffff_ffff, 0, 0).subarray(0, 30), atMs);
  expect(reporter.hears).toBeUndefined();
  reporter.packet(report(ssrc, 255, 0xffff_ffff, 0, 0), atMs);
  expect(reporter.hears).toMatchObject({ jitterMs: 10_000 });
});
