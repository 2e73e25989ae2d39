// The RTP stream from one end to the other, part by part: one out of many, what is counted, and packets that are none.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeRtp, encodeRtp } from "../../../dev/audio/rtp.ts";
import { DtmfReceiver } from "../../../src/media/embedded/rtp/dtmf-receiver.ts";
import { nativeIceServers } from "../../../src/media/embedded/base/ice-servers.ts";
import { ReceptionStats } from "../../../src/media/embedded/rtp/reception-stats.ts";
import { byePacket, readRtcp, reportPacket } from "../../../src/media/embedded/rtp/rtcp.ts";
import { isRtcp, readRtp, rewriteRtp } from "../../../src/media/embedded/rtp/rtp-packet.ts";
import { RtpRewriter } from "../../../src/media/embedded/rtp/rtp-rewriter.ts";

describe("one stream out of many", () => {
  const start = fc.record({ sequence: fc.nat(0xffff), timestamp: fc.nat(0xffff_ffff) });
  /** Runs of packets in order, each from a source of its own; some packets are not passed on. */
  const runs = fc.uniqueArray(
    fc.record({
      ssrc: fc.integer({ min: 1, max: 0xffff_ffff }),
      sequence: fc.nat(0xffff),
      timestamp: fc.nat(0xffff_ffff),
      passed: fc.array(fc.boolean(), { minLength: 1, maxLength: 30 }),
    }),
    { minLength: 1, maxLength: 6, selector: (run) => run.ssrc },
  );

  test("the listener never hears a gap or a step back, whatever the sources do", () => {
    fc.assert(
      fc.property(start, runs, (from, sources) => {
        const splice = new RtpRewriter(from);
        let nowMs = 1_000_000;
        let last = { sequence: from.sequence, timestamp: from.timestamp };
        for (const source of sources) {
          for (const [index, isPassed] of source.passed.entries()) {
            nowMs += 20;
            const sequence = (source.sequence + index) & 0xffff;
            const timestamp = (source.timestamp + index * 160) >>> 0;
            if (!isPassed) {
              splice.skip(source.ssrc, sequence);
              continue;
            }
            const place = splice.place(source.ssrc, sequence, timestamp, 8000, nowMs);
            expect(place?.sequence).toBe((last.sequence + 1) & 0xffff);
            const step = ((place?.timestamp ?? 0) - last.timestamp) | 0;
            expect(step).toBeGreaterThanOrEqual(160);
            expect(step).toBeLessThanOrEqual(160 * 200);
            last = { sequence: place?.sequence ?? 0, timestamp: place?.timestamp ?? 0 };
          }
        }
      }),
    );
  });

  test("packets that overtake each other keep their order, and none takes another's place", () => {
    fc.assert(
      fc.property(fc.nat(0xffff), fc.shuffledSubarray([...Array(20).keys()], { minLength: 20 }), (base, order) => {
        const splice = new RtpRewriter({ sequence: 100, timestamp: 0 });
        const first = splice.place(7, base, 0, 8000, 0);
        const places = order.map((index) => splice.place(7, (base + 1 + index) & 0xffff, index * 160, 8000, 0));
        for (const [position, index] of order.entries())
          expect(places[position]?.sequence).toBe(((first?.sequence ?? 0) + 1 + index) & 0xffff);
      }),
    );
  });

  test("a late packet from before a dropped one does not take the place of another", () => {
    const splice = new RtpRewriter({ sequence: 0, timestamp: 0 });
    const taken = [10, 12].map((sequence) => splice.place(7, sequence, 0, 8000, 0)?.sequence);
    splice.skip(7, 13);
    expect(splice.place(7, 11, 0, 8000, 0)).toBeUndefined();
    taken.push(splice.place(7, 14, 0, 8000, 0)?.sequence);
    expect(taken).toEqual([1, 3, 4]);
  });

  test("and so they do in a call of hours", () => {
    const splice = new RtpRewriter({ sequence: 0, timestamp: 0 });
    const lost: number[] = [];
    for (let pair = 0; pair < 100_000; pair += 2) {
      // Now and then the second one comes first.
      for (const number of pair % 500 === 2 ? [pair + 1, pair] : [pair, pair + 1]) {
        const place = splice.place(7, number & 0xffff, (number * 160) >>> 0, 8000, number * 20);
        if (place?.sequence !== ((number + 1) & 0xffff)) lost.push(number);
      }
    }
    expect(lost).toEqual([]);
  });

  test("loss at the source stays loss, as far as it is loss", () => {
    const splice = new RtpRewriter({ sequence: 0, timestamp: 0 });
    splice.place(7, 10, 0, 8000, 0);
    expect(splice.place(7, 15, 800, 8000, 100)?.sequence).toBe(6);
    expect(splice.place(7, 9000, 1600, 8000, 200)).toEqual({ sequence: 7, timestamp: 1760, isFirst: true });
  });
});

describe("a source that goes on under its SSRC with timestamps of its own", () => {
  test.each([
    ["back", 5_000_000, 160],
    ["ahead", 160, 3_000_000_000],
    ["nearly once around", 0xffff_ff00, 0x7000_0000],
  ])("is no leap %s to the listener", (_where, before, after) => {
    const splice = new RtpRewriter({ sequence: 0, timestamp: 0 });
    const first = splice.place(7, 10, before, 8000, 0);
    const next = splice.place(7, 11, after, 8000, 40);
    expect(next).toEqual({ sequence: 2, timestamp: (first?.timestamp ?? 0) + 320, isFirst: true });
    expect(splice.place(7, 12, after + 160, 8000, 60)).toMatchObject({ timestamp: (next?.timestamp ?? 0) + 160 });
  });

  test("a minute of silence is a minute, and packets held up by the network keep their times", () => {
    const splice = new RtpRewriter({ sequence: 0, timestamp: 0 });
    splice.place(7, 10, 0, 8000, 0);
    expect(splice.place(7, 11, 480_000, 8000, 60_000)).toMatchObject({ timestamp: 160 + 480_000, isFirst: false });
    expect(splice.place(7, 12, 480_160, 8000, 90_000)).toMatchObject({ timestamp: 320 + 480_000, isFirst: false });
  });

  test("sender reports tell the time of the stream also while a key is held", () => {
    const splice = new RtpRewriter({ sequence: 0, timestamp: 0 });
    const first = splice.place(7, 10, 0, 8000, 0)?.timestamp ?? 0;
    for (let index = 1; index <= 100; index += 1) splice.place(7, 10 + index, 160, 8000, index * 20);
    expect(splice.timestampAt(2000, 8000)).toBe(first + 16_000);
  });
});

describe("what is counted", () => {
  test.each([
    ["far ahead", 20_000],
    ["far back", 40_000],
  ])("a source that begins anew %s under its SSRC has lost nothing", (_where, again) => {
    const reception = new ReceptionStats();
    for (const sequence of [1, 2, 4, again, again + 1, again + 2, again + 4])
      reception.packet(1, sequence, 0, 1, undefined, 0);
    expect(reception.stats()).toMatchObject({ packets: 7, lost: 2 });
    expect(reception.report()).toMatchObject({ highestSequence: again + 4, cumulativeLost: 1 });
  });

  test("nor does one packet out of nowhere count as loss", () => {
    const reception = new ReceptionStats();
    for (const sequence of [1, 2, 20_000, 3, 4]) reception.packet(1, sequence, 0, 1, undefined, 0);
    expect(reception.stats().lost).toBe(0);
    expect(reception.report()).toMatchObject({ highestSequence: 4, cumulativeLost: 0 });
  });

  test("loss over the wrap of the sequence number, and the jitter of packets that come unevenly", () => {
    const reception = new ReceptionStats();
    let timestamp = 0xffff_ff00;
    for (const [index, sequence] of [65_533, 65_534, 1, 0, 4].entries()) {
      const lateMs = index % 2 === 0 ? 0 : 10;
      reception.packet(1, sequence, timestamp, 160, 8000, 1000 + index * 20 + lateMs);
      timestamp = (timestamp + 160) >>> 0;
    }
    const stats = reception.stats();
    expect(stats).toMatchObject({ packets: 5, bytes: 800, lost: 3, lastHeardAtMs: 1080 });
    // Differences of 10 ms each time: 80 units, filtered by 1/16 as RFC 3550 A.8 says.
    const jitter = [80, 80, 80, 80].reduce((value, change) => value + (change - value) / 16, 0);
    expect(stats.jitterMs).toBeCloseTo(jitter / 8, 0);
    expect(reception.report()).toMatchObject({ cumulativeLost: 3, fractionLost: 96, highestSequence: 0x1_0004 });
    expect(reception.report()).toMatchObject({ cumulativeLost: 3, fractionLost: 0 });
  });

  test("a new source keeps what was lost of the old one, and loses nothing by starting elsewhere", () => {
    const reception = new ReceptionStats();
    for (const sequence of [1, 2, 5]) reception.packet(1, sequence, 0, 1, undefined, 0);
    for (const sequence of [40_000, 40_001]) reception.packet(2, sequence, 0, 1, undefined, 0);
    expect(reception.stats()).toMatchObject({ packets: 5, lost: 2 });
  });

  test("packets that come twice are no negative loss", () => {
    const reception = new ReceptionStats();
    for (const sequence of [1, 1, 1, 2]) reception.packet(1, sequence, 0, 1, undefined, 0);
    expect(reception.stats().lost).toBe(0);
  });
});

describe("packets", () => {
  test("CSRCs, extension and padding are left behind, the payload stays as it is", () => {
    fc.assert(
      fc.property(
        fc.nat(15),
        fc.nat(5),
        fc.nat(20),
        fc.uint8Array({ maxLength: 40 }),
        (csrcs, words, padding, payload) => {
          const hasExtension = words > 0;
          const bytes = Buffer.concat([
            Buffer.from([0x80 | (padding > 0 ? 0x20 : 0) | (hasExtension ? 0x10 : 0) | csrcs, 0x80 | 9]),
            Buffer.from([0, 1, 0, 0, 0, 2, 0, 0, 0, 3]),
            Buffer.alloc(csrcs * 4, 0xcc),
            hasExtension
              ? Buffer.concat([Buffer.from([0xbe, 0xde, 0, words]), Buffer.alloc(words * 4, 0xee)])
              : Buffer.alloc(0),
            payload,
            padding > 0 ? Buffer.concat([Buffer.alloc(padding - 1), Buffer.from([padding])]) : Buffer.alloc(0),
          ]);
          const header = readRtp(bytes);
          expect(header).toMatchObject({ payloadType: 9, marker: true, sequence: 1, timestamp: 2, ssrc: 3 });
          if (header === undefined) return;
          const fields = { payloadType: 101, marker: false, sequence: 65_535, timestamp: 4_294_967_295, ssrc: 77 };
          const rewritten = decodeRtp(rewriteRtp(bytes, header, fields));
          expect(rewritten).toMatchObject(fields);
          expect(Buffer.from(rewritten?.payload ?? [])).toEqual(Buffer.from(payload));
        },
      ),
    );
  });

  test("noise is read as nothing, or as what it says it is, within its bounds", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (noise) => {
        const bytes = Buffer.from(noise);
        const header = readRtp(bytes);
        if (header !== undefined) {
          expect(header.start).toBeGreaterThanOrEqual(12);
          expect(header.end).toBeLessThanOrEqual(bytes.length);
          expect(header.start).toBeLessThanOrEqual(header.end);
        }
        readRtcp(bytes);
        new DtmfReceiver().packet(0, bytes, 8000);
      }),
    );
  });

  test("our reports can be read, and are told apart from RTP", () => {
    const block = {
      ssrc: 9,
      fractionLost: 1,
      cumulativeLost: -2,
      highestSequence: 70_000,
      jitter: 3,
      lastSenderReport: 4,
      delay: 5,
    };
    const sender = { nowMs: Date.UTC(2030, 0, 1), rtpTimestamp: 8, packets: 2 ** 33, octets: 10 };
    for (const cname of ["a", "ab", "abc", "abcd"]) {
      const report = reportPacket(5, cname, sender, block);
      expect(report.length % 4).toBe(0);
      expect(isRtcp(report)).toBe(true);
      expect(readRtcp(report)).toEqual({
        senderReports: [{ ssrc: 5, middleNtp: report.readUInt32BE(10) }],
        blocks: [{ ssrc: 9, fraction: 1, jitter: 3, lastSenderReport: 4, delay: 5 }],
        isBye: false,
      });
      expect(report.readIntBE(33, 3)).toBe(-2);
      expect(readRtcp(byePacket(5, cname)).isBye).toBe(true);
    }
    expect(
      isRtcp(
        Buffer.from(
          encodeRtp({ payloadType: 72, marker: false, sequence: 1, timestamp: 1, ssrc: 1, payload: new Uint8Array(8) }),
        ),
      ),
    ).toBe(false);
  });
});

test("a key held for longer than one segment can tell is one key", () => {
  const digits = new DtmfReceiver();
  const packet = (duration: number, isEnd = false): Buffer =>
    Buffer.from([5, isEnd ? 0x80 : 0, duration >> 8, duration & 0xff]);
  const told = [
    [1000, packet(48_000)],
    [1000, packet(0xffff)],
    [66_535, packet(960)],
    [66_535, packet(30_465, true)],
    [66_535, packet(30_465, true)],
    [66_535, packet(30_465, true)],
    [200_000, packet(960)],
    [200_000, packet(4800, true)],
  ] as const;
  expect(told.flatMap(([timestamp, payload]) => digits.packet(timestamp, payload, 48_000))).toEqual([
    { digit: "5", durationMs: 2000 },
    { digit: "5", durationMs: 100 },
  ]);
});

test("of the homeserver's servers, those that the library can use are used", () => {
  expect(
    nativeIceServers([
      {
        urls: ["turn:turn.example.org?transport=udp", "turn:turn.example.org?transport=tcp"],
        username: "u",
        credential: "c",
      },
      { urls: ["turns:turn.example.org:443", "stun:[2001:db8::1]:3479", "http://example.org", "turn:no.credentials"] },
      { urls: ["stun:example.org:99999", "stun:example.org:0"] },
    ]),
  ).toEqual([
    { hostname: "turn.example.org", port: 3478, username: "u", password: "c", relayType: "TurnUdp" },
    { hostname: "2001:db8::1", port: 3479 },
  ]);
});
