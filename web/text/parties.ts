// Who is in a call, in one line. Pure.
import type { Call, CallRecord } from "../api/types.ts";

/** Who calls stands first. */
export function partiesOf({
  direction,
  person,
  number,
  called,
}: Pick<Call | CallRecord, "direction" | "person" | "number" | "called">): string {
  const matrix = person ?? called;
  if (matrix === undefined) return number;
  return direction === "inbound" ? `${number} → ${matrix}` : `${matrix} → ${number}`;
}
