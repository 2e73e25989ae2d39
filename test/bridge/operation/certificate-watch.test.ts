import { expect, test } from "vitest";
import { CertificateWatch } from "../../../src/bridge/operation/certificate-watch.ts";
import { trunkName, type TrunkName } from "../../../src/core/ids.ts";
import type { BridgeEvent } from "../../../src/ports/admin/bridge-event.ts";
import { FakeTelemetry } from "../../fakes/telemetry.ts";
import { VirtualClock } from "../../fakes/virtual-clock.ts";

const main = trunkName("main");
const dayMs = 24 * 3_600_000;

test("a certificate is told 21, 14 and 7 days before its end, and on each of the last days, until it is renewed", () => {
  const clock = new VirtualClock();
  const begunMs = clock.wallMs();
  let endsAtMs = begunMs + 30.5 * dayMs;
  const told: number[] = [];
  const watch = new CertificateWatch({
    ends: () => new Map<TrunkName, number>([[main, endsAtMs]]),
    emit: (event: BridgeEvent) => void told.push(Math.floor((event.atMs - begunMs) / dayMs)),
    telemetry: new FakeTelemetry(),
    clock,
    log: new FakeTelemetry().log,
  });
  watch.start();
  for (let days = 0; days < 32; days += 1) clock.advance(dayMs);
  expect(told).toEqual([9, 16, 23, 27, 28, 29, 30, 31, 32]);
  endsAtMs += 90 * dayMs;
  watch.look();
  clock.advance(dayMs);
  expect(told).toHaveLength(9);
});
