// Turns stored text back into core's types. A row that cannot be read is a value here, never an exception: one bad row
// must not keep the bridge from starting.
import type { Call } from "../core/call/model/call.ts";
import type { CallRecord } from "../core/call/model/record.ts";
import { inTodaysForm } from "./earlier-calls.ts";

function parseObject(json: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

const legTexts = ["room", "ghost", "person", "matrixCallId", "ownParty"] as const;

/** An inbound call that nobody has answered has none. */
function legIsSound(value: Readonly<Record<string, unknown>>): boolean {
  const leg = value["leg"];
  if (leg === undefined) return value["direction"] === "inbound";
  if (typeof leg !== "object" || leg === null) return false;
  const fields = leg as Record<string, unknown>;
  return legTexts.every((name) => typeof fields[name] === "string");
}

/** undefined: not a call of this id that could still be ended. */
export function readCall(id: string, json: string): Call | undefined {
  const value = parseObject(json);
  if (value === undefined || value["id"] !== id || typeof value["phase"] !== "string" || !legIsSound(value))
    return undefined;
  return inTodaysForm(value) as unknown as Call;
}

/** undefined: not a record of this call. */
export function readRecord(id: string, json: string): CallRecord | undefined {
  const value = parseObject(json);
  if (value === undefined || value["id"] !== id || typeof value["endedAtMs"] !== "number" || !legIsSound(value)) {
    return undefined;
  }
  return value as unknown as CallRecord;
}
