// Whether an invite is still alive, and until when its call may be answered, whatever clocks and clients say.
import { describe, expect, test } from "vitest";
import { RateLimit } from "../../../src/bridge/limits/rate-limit.ts";
import { CallGate } from "../../../src/bridge/admission/call-gate.ts";
import { OutboundAdmission } from "../../../src/bridge/admission/outbound-admission.ts";
import { eventId, matrixCallId, deviceId } from "../../../src/core/ids.ts";
import { ghostNumber } from "../../../src/core/number/plan/number-key.ts";
import { createGhostIds } from "../../../src/core/number/ghost/ghost-id.ts";
import { FakeHomeserver } from "../../fakes/homeserver.ts";
import { FakeTelemetry } from "../../fakes/telemetry.ts";
import { VirtualClock } from "../../fakes/virtual-clock.ts";
import { ann, ghost, room } from "../../scenarios/test-bridge.ts";
import { exampleFeatures, examplePlan, examplePolicy, exampleTemplates } from "../../scenarios/settings.ts";
import { legacyClient } from "../../../src/matrix/legs/legacy-form.ts";

const ids = createGhostIds({
  domain: "example.org",
  prefix: "_sip_",
  encoding: "percent",
  gateway: "sip.example.org",
  sipDomains: [],
  country: "GB",
});

interface Times {
  readonly lifetimeMs: number;
  readonly ageMs?: number;
  /** Against the bridge's present clock. */
  readonly receivedAgoMs?: number;
}

/** For how long the call may still ring, in ms; undefined where it never does. */
function ringsFor({ lifetimeMs, ageMs = 0, receivedAgoMs = 0 }: Times): number | undefined {
  const clock = new VirtualClock();
  const admission = new OutboundAdmission({
    ids,
    policy: () => examplePolicy,
    blocks: { bars: () => false },
    identities: () => exampleTemplates,
    features: () => exampleFeatures,
    homeserver: new FakeHomeserver(),
    notices: () => ({ failures: true, history: false }),
    gate: new CallGate(() => false),
    spending: { begin: ({ trunks }) => ({ kind: "allowed", trunks }) },
    callRateLimit: new RateLimit(examplePolicy.callsPerMinute, clock),
    clock,
    log: new FakeTelemetry().log,
  });
  const target = ids.parse(ghost) ?? ({ kind: "withheld" } as const);
  const first = admission.receive({
    fact: {
      kind: "call.invited",
      eventId: eventId("$1"),
      room,
      sender: ann,
      matrixCallId: matrixCallId("call1"),
      device: deviceId("PHONE"),
      ageMs,
      receivedAtMs: clock.nowMs() - receivedAgoMs,
      description: "offer",
      video: false,
      lifetimeMs,
      invitee: undefined,
      ...legacyClient("1"),
    },
    ghost: ghostNumber(ghost, target, examplePlan),
    own: undefined,
    displayName: undefined,
    running: { ofPerson: 0, inAll: 0 },
    closed: undefined,
  });
  const deadline = first?.orders.find((order) => order.kind === "deadline.set");
  return deadline === undefined ? undefined : deadline.atMs - clock.nowMs();
}

describe("a call rings", () => {
  test("for what is left of its invite's lifetime", () => {
    expect(ringsFor({ lifetimeMs: 60_000 })).toBe(60_000);
    expect(ringsFor({ lifetimeMs: 60_000, ageMs: 10_000, receivedAgoMs: 5_000 })).toBe(45_000);
    expect(ringsFor({ lifetimeMs: 60_000, ageMs: 59_000 })).toBe(1_000);
  });

  test("never for longer than five minutes, whatever the client says", () => {
    expect(ringsFor({ lifetimeMs: 1e12 })).toBe(300_000);
    expect(ringsFor({ lifetimeMs: Number.POSITIVE_INFINITY })).toBe(300_000);
  });

  test("not after its time, nor where its times are nonsense", () => {
    for (const lifetimeMs of [0, -1, 999, Number.NaN]) expect(ringsFor({ lifetimeMs })).toBeUndefined();
    expect(ringsFor({ lifetimeMs: 60_000, ageMs: 1e9 })).toBeUndefined();
    expect(ringsFor({ lifetimeMs: 60_000, ageMs: Number.NaN })).toBeUndefined();
    expect(ringsFor({ lifetimeMs: 60_000, receivedAgoMs: 1e9 })).toBeUndefined();
  });

  test("no longer because our clock was set back after the invite had come", () => {
    expect(ringsFor({ lifetimeMs: 60_000, receivedAgoMs: -3_600_000 })).toBe(60_000);
  });
});
