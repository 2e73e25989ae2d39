// Turns stored text back into records of calls. A row that cannot be read is a value here, never an exception: one bad row
// must not keep the bridge from starting.
import type { CallRecord } from "../core/call/model/record.ts";

export function parseObject(json: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null ? { ...value } : undefined;
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

/** undefined: not a record of this call. */
export function readRecord(id: string, json: string): CallRecord | undefined {
  const value = parseObject(json);
  if (value === undefined || value["id"] !== id || typeof value["endedAtMs"] !== "number" || !legIsSound(value)) {
    return undefined;
  }
  return value as unknown as CallRecord;
}
