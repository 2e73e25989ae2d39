// Keys of ours as a peer gets them, on a clock that the test holds: how long they are, and what is between them.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { keypresses } from "../../../dev/audio/telephone-event.ts";
import { decodeRtp, type RtpPacket } from "../../../dev/audio/rtp.ts";
import { newStream, OutgoingStream } from "../../../src/media/embedded/rtp/outgoing-stream.ts";

const format = { payloadType: 101, clockRate: 8000 };

let nowMs = 0;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  nowMs = 0;
  vi.spyOn(performance, "now").mockImplementation(() => nowMs - performance.timeOrigin);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

interface Heard extends RtpPacket {
  readonly atMs: number;
}

function stream(): { readonly heard: Heard[]; readonly stream: OutgoingStream } {
  const heard: Heard[] = [];
  const send = (packet: Buffer): boolean => {
    const read = decodeRtp(packet);
    if (read !== undefined) heard.push({ ...read, atMs: nowMs });
    return true;
  };
  return { heard, stream: new OutgoingStream({ ...newStream(), clockRate: 8000 }, send, 0) };
}

/** So much time on the timers, while the clock is now and then `lateMs` ahead of them. */
function pass(ms: number, lateMs = 0): void {
  for (let passed = 1; passed <= ms; passed += 1) {
    nowMs += passed % 50 === 0 ? 1 + lateMs : 1;
    vi.advanceTimersByTime(1);
  }
}

const isEnd = ({ payload }: RtpPacket): boolean => ((payload[1] ?? 0) & 0x80) !== 0;

test.each([0, 30, 150, 400])(
  "are as long as they were pressed, with a pause between them, where timers are %i ms late",
  (lateMs) => {
    const { heard, stream: to } = stream();
    for (const digit of ["1", "5", "5"]) to.press({ digit, durationMs: 160, ...format }, nowMs);
    pass(2000, lateMs);
    expect(keypresses(heard, 8000)).toEqual(["1", "5", "5"].map((digit) => ({ digit, durationMs: 160 })));
    const starts = heard.filter(({ marker }) => marker);
    expect(starts).toHaveLength(3);
    for (const [index, start] of starts.entries()) {
      const before = starts[index - 1];
      if (before === undefined) continue;
      // 160 ms, and as long as a telephone needs to tell two keys apart (40 ms at least, ITU-T Q.24).
      expect((start.timestamp - before.timestamp) | 0).toBeGreaterThanOrEqual(8 * 240);
      const end = heard.find((packet) => packet.timestamp === before.timestamp && isEnd(packet));
      expect(start.atMs - (end?.atMs ?? 0)).toBeGreaterThanOrEqual(80);
    }
  },
);

test("that are on their way when the peer changes its number for them go out under the new one", () => {
  const { heard, stream: to } = stream();
  for (const digit of ["1", "2", "3"]) to.press({ digit, durationMs: 100, ...format }, nowMs);
  pass(50);
  to.agree(undefined, { payloadType: 97, clockRate: 8000 });
  const { length } = heard;
  pass(1000);
  expect(new Set(heard.slice(0, length).map(({ payloadType }) => payloadType))).toEqual(new Set([101]));
  expect(new Set(heard.slice(length).map(({ payloadType }) => payloadType))).toEqual(new Set([97]));
  expect(keypresses(heard, 8000)).toEqual(["1", "2", "3"].map((digit) => ({ digit, durationMs: 100 })));
  expect(heard.filter(isEnd)).toHaveLength(9);
});

test("are told no more to a peer that takes none any longer", () => {
  const { heard, stream: to } = stream();
  for (const digit of ["1", "2"]) to.press({ digit, durationMs: 100, ...format }, nowMs);
  pass(50);
  to.agree(undefined, undefined);
  const { length } = heard;
  pass(1000);
  expect(heard).toHaveLength(length);
  expect(to.isBusy).toBe(false);
});
