// A crypto worker that hangs is ended, and whoever asked it is told.
import { expect, it, onTestFinished } from "vitest";
import { systemClock } from "../../../src/clock/system-clock.ts";
import { WorkerLink } from "../../../src/matrix/encryption/worker-link.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import { collectingLog } from "../edge-rig.ts";

/** An hour takes a minute. */
const clock: Clock = {
  ...systemClock,
  nowMs: () => systemClock.nowMs() * 60,
  at: (atMs, then) => systemClock.at(atMs / 60, then),
};

it("A question that hangs ends the worker, and is refused", async () => {
  let ended = 0;
  const link = new WorkerLink(clock, collectingLog([]), () => (ended += 1), new URL("mute-worker.ts", import.meta.url));
  onTestFinished(() => link.stop());
  const asked = link.ask<"outgoing">({ kind: "outgoing", user: "@ghost:example.org" });
  await expect(asked).rejects.toMatchObject({ name: "CryptoError", lost: true });
  expect(ended).toBe(1);
  expect(link.isRunning).toBe(false);
  await expect(link.ask<"outgoing">({ kind: "outgoing", user: "@ghost:example.org" })).rejects.toThrow("gone");
});
