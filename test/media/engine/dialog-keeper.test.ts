// How far a dialog's stream has come, kept for the session in which it goes on.
import { expect, onTestFinished, test, vi } from "vitest";
import { callId } from "../../../src/core/ids.ts";
import { DialogKeeper } from "../../../src/media/embedded/engine/dialog-keeper.ts";
import { newStream } from "../../../src/media/embedded/rtp/outgoing-stream.ts";
import { type DialogMedia, sentBeyond } from "../../../src/media/embedded/trunk/dialog-media.ts";

const leg = callId("leg");

function mediaSaid(quietMs: number | undefined): DialogMedia {
  return { place: {} as DialogMedia["place"], sent: { stream: { ...newStream(), quietMs }, srtp: undefined } };
}

/** Time passes when the test says so. */
function stopTime(): void {
  vi.useFakeTimers({ toFake: ["performance"] });
  onTestFinished(() => void vi.useRealTimers());
}

test("a session that dies after its telephone went on in another one takes nothing away from that", () => {
  const keeper = new DialogKeeper();
  keeper.hold(1, { b: leg }, { b: 4000 }, {});
  keeper.described(1, { b: mediaSaid(0) });
  keeper.hold(2, { b: leg }, { b: 4002 }, {});
  keeper.lost(1);
  expect(keeper.holderOf(leg)).toMatchObject({ session: 2, end: "b" });
  expect(keeper.take(leg)).toBeUndefined();
});

test("the time between two sessions counts as silence of the stream", () => {
  stopTime();
  const keeper = new DialogKeeper();
  keeper.hold(1, { b: leg }, { b: 4000 }, {});
  keeper.handedOver(leg, mediaSaid(100));
  vi.advanceTimersByTime(5_000);
  expect(keeper.take(leg)?.media.sent.stream.quietMs).toBe(5_100);
});

test("what is kept is taken once", () => {
  const keeper = new DialogKeeper();
  keeper.hold(1, { b: leg }, { b: 4000 }, {});
  keeper.handedOver(leg, mediaSaid(0));
  expect(keeper.take(leg)).toMatchObject({ rtpPort: 4000 });
  expect(keeper.take(leg)).toBeUndefined();
});

test("what a process may have sent before it died is never sent again, in RTP or encrypted RTCP (RFC 3711 s9.1)", () => {
  const stream = newStream();
  const mark = { rtp: [], rtcp: [], sentRtcp: 7 };
  const ageMs = 2_000;
  const { stream: next, srtp } = sentBeyond({ stream, srtp: { outbound: mark, inbound: mark } }, ageMs);
  // A packet of audio every 10 ms, and a report every second.
  expect(next.sequence - stream.sequence).toBeGreaterThan(ageMs / 10);
  expect(srtp?.outbound.sentRtcp).toBeGreaterThan(mark.sentRtcp + ageMs / 1_000);
  expect(srtp?.inbound).toEqual(mark);
});
