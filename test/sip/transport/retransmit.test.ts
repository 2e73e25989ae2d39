// The timers of RFC 3261 table 4 over UDP, on a clock that the test moves.
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { Retransmitter } from "../../../src/sip/transport/retransmit.ts";
import { VirtualClock } from "../../fakes/virtual-clock.ts";

let clock: VirtualClock;
let retransmitter: Retransmitter;
let sentAtMs: number[];
let startMs: number;
const again = (): void => void sentAtMs.push(clock.nowMs() - startMs);

beforeEach(() => {
  clock = new VirtualClock();
  startMs = clock.nowMs();
  retransmitter = new Retransmitter(clock);
  sentAtMs = [];
});

describe("a request of ours", () => {
  it("INVITE without an answer goes again after T1, doubling, until 64*T1 (timers A and B)", () => {
    retransmitter.requestSent("b", "INVITE", again);
    clock.advance(40_000);
    expect(sentAtMs).toEqual([500, 1_500, 3_500, 7_500, 15_500, 31_500]);
    expect(clock.pending).toBe(0);
  });

  it("INVITE stops at the first provisional", () => {
    retransmitter.requestSent("b", "INVITE", again);
    clock.advance(600);
    expect(retransmitter.responseReceived("b", "INVITE", 100)).toBe(false);
    clock.advance(40_000);
    expect(sentAtMs).toEqual([500]);
  });

  it("any other goes again doubling up to T2 (timer E), and every T2 after a provisional", () => {
    retransmitter.requestSent("b", "BYE", again);
    clock.advance(10_000);
    expect(sentAtMs).toEqual([500, 1_500, 3_500, 7_500]);
    retransmitter.responseReceived("b", "BYE", 100);
    clock.advance(8_000);
    expect(sentAtMs.slice(4)).toEqual([14_000, 18_000]);
    retransmitter.responseReceived("b", "BYE", 200);
    clock.advance(40_000);
    expect(sentAtMs).toHaveLength(6);
    expect(clock.pending).toBe(0);
  });

  it("the answer to another request of the same branch does not stop it", () => {
    retransmitter.requestSent("b", "INVITE", again);
    retransmitter.responseReceived("b", "CANCEL", 200);
    clock.advance(600);
    expect(sentAtMs).toEqual([500]);
  });

  it("an ACK goes again only when the refusal does (timer D)", () => {
    retransmitter.requestSent("b", "ACK", again);
    clock.advance(5_000);
    expect(sentAtMs).toEqual([]);
    expect(retransmitter.responseReceived("b", "INVITE", 486)).toBe(true);
    expect(retransmitter.responseReceived("b", "INVITE", 486)).toBe(true);
    expect(sentAtMs).toEqual([5_000, 5_000]);
    expect(retransmitter.responseReceived("b", "INVITE", 200)).toBe(false);
    clock.advance(32_000);
    expect(retransmitter.responseReceived("b", "INVITE", 486)).toBe(false);
  });
});

describe("a response of ours", () => {
  it("a refusal of INVITE goes again until its ACK (timers G and H)", () => {
    retransmitter.responseSent("k", "INVITE", 486, again);
    clock.advance(8_000);
    expect(sentAtMs).toEqual([500, 1_500, 3_500, 7_500]);
    expect(retransmitter.requestReceived("k", "ACK")).toBe(false);
    clock.advance(40_000);
    expect(sentAtMs).toHaveLength(4);
  });

  it("after its ACK a repeated INVITE is swallowed (timer I)", () => {
    retransmitter.responseSent("k", "INVITE", 486, again);
    retransmitter.requestReceived("k", "ACK");
    expect(retransmitter.requestReceived("k", "INVITE")).toBe(true);
    expect(sentAtMs).toEqual([]);
  });

  it("a repeated request is answered again (timer J), for 64*T1", () => {
    retransmitter.responseSent("k", "BYE", 200, again);
    expect(retransmitter.requestReceived("k", "BYE")).toBe(true);
    clock.advance(31_999);
    expect(retransmitter.requestReceived("k", "BYE")).toBe(true);
    clock.advance(1);
    expect(retransmitter.requestReceived("k", "BYE")).toBe(false);
    expect(sentAtMs).toEqual([0, 31_999]);
  });

  it("provisionals and the 2xx to INVITE are not repeated here", () => {
    retransmitter.responseSent("k", "INVITE", 180, again);
    retransmitter.responseSent("k", "INVITE", 200, again);
    clock.advance(40_000);
    expect(sentAtMs).toEqual([]);
    expect(retransmitter.requestReceived("k", "INVITE")).toBe(false);
  });
});

it("whatever comes in whatever order, nothing is sent after 64*T1 or after the end", () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("sent" as const), method: fc.constantFrom("INVITE", "BYE", "ACK") }),
    fc.record({
      kind: fc.constant("received" as const),
      method: fc.constantFrom("INVITE", "BYE"),
      status: fc.constantFrom(100, 200, 486),
    }),
    fc.record({
      kind: fc.constant("answered" as const),
      method: fc.constantFrom("INVITE", "BYE"),
      status: fc.constantFrom(180, 200, 486),
    }),
    fc.record({ kind: fc.constant("asked" as const), method: fc.constantFrom("INVITE", "BYE", "ACK") }),
    fc.record({ kind: fc.constant("wait" as const), ms: fc.integer({ min: 0, max: 20_000 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const time = new VirtualClock();
      const layer = new Retransmitter(time);
      let sent = 0;
      const count = (): void => void (sent += 1);
      for (const it of steps) {
        if (it.kind === "sent") layer.requestSent("b", it.method, count);
        else if (it.kind === "received") layer.responseReceived("b", it.method, it.status);
        else if (it.kind === "answered") layer.responseSent("k", it.method, it.status, count);
        else if (it.kind === "asked") layer.requestReceived("k", it.method);
        else time.advance(it.ms);
      }
      time.advance(32_000);
      const before = sent;
      time.advance(100_000);
      expect(sent).toBe(before);
      expect(time.pending).toBe(0);
      layer.requestSent("b", "INVITE", count);
      layer.close();
      expect(time.pending).toBe(0);
    }),
  );
});
