// Ready-made dial plan, policy and identity for scenarios.
import { trunkName } from "../../src/core/ids.ts";
import type { DialPlan } from "../../src/core/number/dial-plan.ts";
import type { IdentityTemplates } from "../../src/core/policy/caller-identity.ts";
import type { Policy } from "../../src/core/policy/permission.ts";

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
