// A converted direction under any traffic: losses, strange packets, other sources, holds, keys of ours, other codecs.
import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { encodeTelephoneEvent } from "../../../dev/audio/telephone-event.ts";
import { alaw, audio, events, Line, opus, speaker, toAlaw, toOpus } from "../peers/converted-line.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance", "setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
});

const frames = Array.from({ length: 20 }, speaker(20).frame);

const octets = fc.uint8Array({ maxLength: 200 });
const event = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("say" as const), packets: fc.integer({ min: 1, max: 6 }) }) },
  fc.record({ kind: fc.constant("lose" as const), packets: fc.integer({ min: 1, max: 8 }) }),
  fc.record({ kind: fc.constant("swap" as const) }),
  fc.record({ kind: fc.constant("repeat" as const) }),
  fc.record({
    kind: fc.constant("strange" as const),
    payloadType: fc.constantFrom(opus, alaw, events, 13, 63),
    octets,
  }),
  fc.record({ kind: fc.constant("key" as const), steps: fc.integer({ min: 1, max: 8 }) }),
  fc.record({ kind: fc.constant("pause" as const), ms: fc.integer({ min: 1, max: 3000 }) }),
  fc.record({ kind: fc.constant("another source" as const), ssrc: fc.integer({ min: 1, max: 0xffff }) }),
  fc.record({ kind: fc.constant("leap" as const), sequence: fc.nat(0xffff), timestamp: fc.nat(0xffff_ffff) }),
  fc.record({ kind: fc.constant("agree" as const), what: fc.nat(4), isOpen: fc.boolean() }),
  fc.record({ kind: fc.constant("codec in common" as const) }),
  fc.record({ kind: fc.constant("either codec" as const), isOpus: fc.array(fc.boolean(), { maxLength: 8 }) }),
  fc.record({ kind: fc.constant("press" as const) }),
);

const agreed = [
  toAlaw(),
  toAlaw(60),
  toOpus("useinbandfec=1"),
  // Each packet becomes two, of which one waits.
  new Map([[opus, audio("G722", "opus", "", 10)]]),
  new Map([[alaw, audio("G722", "PCMA", "", 10)]]),
];
/** One that the source may speak as well as the other. */
const either = new Map([
  [alaw, audio("PCMA", "PCMA")],
  [opus, audio("PCMA", "opus")],
]);
const unconverted = new Map([
  [opus, audio("opus", "opus")],
  [alaw, audio("PCMA", "PCMA")],
]);

test("what comes out is one stream without a gap in its numbers or a step back in its time, and nothing throws", () => {
  fc.assert(
    fc.property(fc.array(event, { minLength: 1, maxLength: 40 }), (walk) => {
      const line = new Line(toAlaw());
      let isOpus = true;
      let said = 0;
      const next = (): Buffer => {
        const payload = isOpus ? (frames[(said += 1) % frames.length] ?? frames[0]) : new Uint8Array(160).fill(said);
        return line.next(isOpus ? opus : alaw, payload ?? new Uint8Array(), isOpus ? 960 : 160);
      };
      const pass = (...packets: Buffer[]): void => {
        for (const packet of packets) {
          line.put(packet);
          vi.advanceTimersByTime(20);
        }
      };
      for (const each of walk) {
        switch (each.kind) {
          case "say":
            for (let count = 0; count < each.packets; count += 1) pass(next());
            break;
          case "lose":
            for (let count = 0; count < each.packets; count += 1) next();
            vi.advanceTimersByTime(20 * each.packets);
            break;
          case "swap": {
            const [one, other] = [next(), next()];
            pass(other, one);
            break;
          }
          case "repeat": {
            const packet = next();
            pass(packet, packet);
            break;
          }
          case "strange":
            pass(line.next(each.payloadType, each.octets, 960));
            break;
          case "key":
            for (let step = 1; step <= each.steps; step += 1) {
              const key = { digit: "5", end: step === each.steps, volume: 10, duration: step * 960 };
              pass(line.next(events, encodeTelephoneEvent(key), 0));
            }
            break;
          case "pause":
            line.timestamp = (line.timestamp + each.ms * (isOpus ? 48 : 8)) >>> 0;
            vi.advanceTimersByTime(each.ms);
            break;
          case "another source":
            line.ssrc = each.ssrc;
            break;
          case "leap":
            line.sequence = each.sequence;
            line.timestamp = each.timestamp;
            break;
          case "agree": {
            const crossings = agreed[each.what] ?? toAlaw();
            isOpus = crossings.has(opus);
            line.stream.agree(crossings, each.isOpen, { payloadType: 101, clockRate: 8000 });
            break;
          }
          case "codec in common":
            line.stream.agree(unconverted, true, undefined);
            pass(next(), next());
            line.stream.agree(isOpus ? toAlaw() : toOpus(), true, undefined);
            break;
          case "either codec":
            line.stream.agree(either, true, undefined);
            for (const spoken of each.isOpus) {
              isOpus = spoken;
              pass(next());
            }
            isOpus = true;
            line.stream.agree(toAlaw(), true, undefined);
            break;
          case "press":
            line.to.press({ digit: "1", durationMs: 100, payloadType: 101, clockRate: 8000 }, line.nowMs);
            vi.advanceTimersByTime(200);
        }
      }
      line.stream.close();
      line.to.close(line.nowMs);
      const { length } = line.out;
      vi.advanceTimersByTime(20_000);
      expect(line.out).toHaveLength(length);
      const audible = line.out.filter(({ payloadType }) => payloadType !== 101);
      for (const [index, { timestamp }] of audible.entries())
        expect((timestamp - (audible[index - 1]?.timestamp ?? timestamp)) | 0).toBeGreaterThanOrEqual(0);
      if (line.out.length > 1) expect(line.steps.sequences).toEqual(new Set([1]));
      expect(new Set(line.out.map(({ ssrc }) => ssrc)).size).toBeLessThanOrEqual(1);
    }),
    { numRuns: 300 },
  );
});
