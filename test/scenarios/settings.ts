// Ready-made dial plan, policy and identity for scenarios.
import type { RingStage, RingTarget } from "../../src/core/number/plan/ring-stage.ts";
import { roomId, trunkName, type UserId } from "../../src/core/ids.ts";
import type { DialPlan } from "../../src/core/number/plan/dial-plan.ts";
import type { DidRule, DidTable } from "../../src/core/number/plan/did.ts";
import type { TrunkFeatures } from "../../src/core/policy/trunk-features.ts";
import type { IdentityTemplates } from "../../src/core/policy/caller-identity.ts";
import type { Policy } from "../../src/core/policy/permission.ts";
import { noLimits } from "../../src/core/policy/spending/allowance.ts";
import type { SpendingPolicy } from "../../src/core/policy/spending/spending-policy.ts";

const main = trunkName("main");

export const examplePlan: DialPlan = {
  country: "GB",
  trunks: [
    { name: main, host: "sip.example.org", port: undefined, format: "e164", numberPrefix: "", userPhone: false },
  ],
  routes: [],
  emergencyTrunk: undefined,
  withholdPrefixes: [],
  sipDomains: new Map(),
};

export const examplePolicy: Policy = {
  domain: "example.org",
  permissions: new Map([["*", { mayCall: true, allow: new Set(), callsPerUser: undefined, maxDurationMs: undefined }]]),
  allow: new Set(),
  callsPerUser: 2,
  callsPerMinute: 30,
  callsInAll: 10,
  maxDurationMs: 4 * 3_600_000,
};

/** No limits, no prices. */
export const exampleSpending: SpendingPolicy = {
  zone: "Europe/London",
  currency: "GBP",
  everybody: noLimits,
  people: new Map(),
  trunks: new Map(),
  countries: new Map(),
  bridge: noLimits,
  rates: undefined,
  defaultRate: undefined,
  privateRate: undefined,
  patterns: {
    expensiveFrom: undefined,
    shortCalls: 6,
    shortCallsAtNight: 4,
    night: { from: 22, until: 6 },
    allowedDays: 7,
  },
};

export const exampleTemplates: IdentityTemplates = {
  fromUser: "{localpart}",
  fallbackUser: undefined,
  fromHost: undefined,
  fromDisplayName: undefined,
  asserted: [],
  preferred: undefined,
  privacy: [],
  numbers: new Map(),
  defaultNumber: undefined,
};

export const exampleFeatures: TrunkFeatures = {
  dtmf: "auto",
  earlyMedia: "ring",
  transfer: "refer",
  progress: 180,
  messages: { maxLength: 1_000 },
};

const person = (name: string): RingTarget => ({ kind: "person", person: `@${name}:example.org` as UserId });

export const reception = roomId("!reception:example.org");

/** One number for each way to ring. */
export const exampleDids: DidTable = {
  rules: [
    rule("+441632960001", { targets: [person("ann")], ringMs: 30_000 }),
    rule("+441632960002", { targets: [person("ann"), person("bob")], ringMs: 30_000 }),
    rule("+441632960003", { targets: [person("ann")], ringMs: 20_000 }, { targets: [person("bob")], ringMs: 20_000 }),
    rule("+441632960004", { targets: [{ kind: "room", room: reception }], ringMs: 30_000 }),
  ],
};

function rule(number: string, ...stages: readonly RingStage[]): DidRule {
  return { match: { kind: "exact", number }, trunks: [], stages };
}
