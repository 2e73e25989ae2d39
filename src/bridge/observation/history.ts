// Looks for ended calls. The store knows them by when they ended alone, so what else is asked is compared here: so many at a
// time, that signalling never waits for a long search.
import type { Country } from "../../core/number/e164.ts";
import { exactForms } from "../../core/number/plan/did.ts";
import type { CallRecord } from "../../core/call/model/record.ts";
import type { RecordPage, RecordQuery } from "../../ports/admin/admin-door.ts";
import type { CallLedger, RecordPlace } from "../../ports/store.ts";
import { viewRecord } from "./live-call.ts";

export interface HistoryParts {
  readonly ledger: Pick<CallLedger, "history">;
  readonly country: Country | undefined;
  readonly shownNumber: (number: string) => string;
}

/** Records that are read at once, and in all for one page. */
const readAtOnce = 200;
const readForPage = 2_000;

/** Rejects with StoreError. */
export async function findRecords(query: RecordQuery, parts: HistoryParts): Promise<RecordPage> {
  const { ledger, country, shownNumber } = parts;
  const { fromMs, toMs, limit, wholeNumbers } = query;
  const fits = filterOf(query, country);
  const found: CallRecord[] = [];
  let after: RecordPlace | undefined = query.after;
  for (let read = 0; read < readForPage && found.length < limit;) {
    const records = await ledger.history(readAtOnce, { fromMs, toMs, after });
    for (const record of records) {
      after = { id: record.id, endedAtMs: record.endedAtMs };
      if (fits(record)) found.push(record);
      if (found.length >= limit) break;
    }
    read += records.length;
    const isLast = records.length < readAtOnce && after?.id === records.at(-1)?.id;
    if (isLast || records.length === 0) {
      after = undefined;
      break;
    }
  }
  const shown = wholeNumbers ? (number: string) => number : shownNumber;
  return { records: found.map((record) => viewRecord(record, shown)), next: after };
}

function filterOf(query: RecordQuery, country: Country | undefined): (record: CallRecord) => boolean {
  const { person, number, trunk, result } = query;
  const wanted = number === undefined ? undefined : new Set(exactForms(number, country));
  const isNumber = (text: string | undefined): boolean =>
    text !== undefined && exactForms(text, country).some((form) => wanted?.has(form));
  return (record) =>
    (person === undefined || record.person === person) &&
    (trunk === undefined || record.trunk === trunk) &&
    (result === undefined || record.result === result) &&
    (wanted === undefined || isNumber(record.number) || isNumber(record.called));
}
