// What an operator hears of a trunk that registers: whether its gateways answer, and whether it can be called.
import type { TrunkHealth } from "../../ports/sip.ts";
import type { RegistrationStatus } from "./registration-state.ts";

/** A trunk that should be registered is up only while it is. `sinceMs` is of the merged state: the earlier one's where that is the same. */
export function healthWith(
  gateways: TrunkHealth,
  registration: RegistrationStatus | undefined,
  before: TrunkHealth | undefined,
  nowMs: number,
): TrunkHealth {
  if (registration === undefined) return gateways;
  const { registered, detail: said } = registration;
  const state = gateways.state === "down" || registered === false ? "down" : registered === true ? "up" : "unknown";
  const asked = gateways.state === "unknown" ? [] : [gateways.detail];
  const detail = [...(gateways.state === "down" ? asked : []), said, ...(gateways.state === "up" ? asked : [])].join(
    "; ",
  );
  const sinceMs = before?.state === state ? before.sinceMs : nowMs;
  return { name: gateways.name, state, registered: registered === true, detail, sinceMs };
}
