// Calls that have ended while the console looked, or that the history has shown: for the page of one of them.
import type { Client } from "../api/client.ts";
import type { CallRecord } from "../api/types.ts";

const most = 2_000;
const known = new Map<string, CallRecord>();

export function remember(records: readonly CallRecord[]): void {
  for (const record of records) known.set(record.id, record);
  for (const id of known.keys()) {
    if (known.size <= most) return;
    known.delete(id);
  }
}

/** Undefined where it is not among the newest ones either. Rejects with Problem. */
export async function findEnded(client: Client, id: string, signal: AbortSignal): Promise<CallRecord | undefined> {
  if (!known.has(id)) {
    const { records } = await client.ask<{ records: readonly CallRecord[] }>("/records", {
      query: { limit: "500" },
      signal,
    });
    remember(records);
  }
  return known.get(id);
}
