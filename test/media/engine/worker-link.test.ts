// The engine's end of a worker process: how long a worker may take.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { WorkerLink } from "../../../src/media/embedded/engine/worker-link.ts";
import { FakeTelemetry } from "../../fakes/telemetry.ts";

const settings = {
  rtp: { host: "127.0.0.1", advertisedHost: "127.0.0.1" },
  ice: { bindHost: "127.0.0.1", advertisedHosts: [], portMin: undefined, portMax: undefined },
  silenceTimeoutMs: 30_000,
  reconnectTimeoutMs: 30_000,
};

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
});
afterEach(() => {
  vi.useRealTimers();
});

test("a worker that is slow to start, as on a busy machine, is waited for; one that then hangs is replaced", async () => {
  let ended = (): void => undefined;
  const isOver = new Promise<void>((resolve) => (ended = resolve));
  const watch = {
    report: () => undefined,
    price: () => undefined,
    admissionWanted: () => undefined,
    met: () => undefined,
    dialogs: () => undefined,
    marks: () => undefined,
    ended,
  };
  const telemetry = new FakeTelemetry();
  const starting = WorkerLink.start(settings, telemetry.log, watch);
  vi.advanceTimersByTime(15_000);
  const worker = await starting;
  expect(worker.isRunning).toBe(true);
  // No answer comes while these pass.
  vi.advanceTimersByTime(12_000);
  await isOver;
  expect(telemetry.lines.map(({ message }) => message)).toContain("media worker does not respond: killing it");
});
