// The calls that a search finds, as a file.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { callHeads, callRow } from "../../src/cli/admin/call-table.ts";
import type { CallRecord } from "../api/types.ts";
import { useApp } from "../app/use-app.ts";
import { problemWords } from "../parts/problem.tsx";
import { useWords } from "../text/use-words.ts";
import type { Search } from "./record-search.ts";

const pageSize = "500";
/** A browser holds them all in its memory; the command has no such limit. */
const mostRecords = 50_000;

export function ExportButtons({ search }: { readonly search: Search }): JSX.Element {
  const { t } = useWords();
  const { client, announce } = useApp();
  const [written, setWritten] = useState<number | undefined>();

  async function all(): Promise<readonly CallRecord[]> {
    const records: CallRecord[] = [];
    let after: string | undefined;
    do {
      const page = await client.ask<{ records: readonly CallRecord[]; next?: string }>("/records", {
        query: { ...search, limit: pageSize, after },
      });
      records.push(...page.records);
      after = page.next;
      setWritten(records.length);
    } while (after !== undefined && records.length < mostRecords);
    if (after !== undefined) announce(t.history.tooMany(records.length), "failed");
    else announce(t.history.exported(records.length));
    return records;
  }

  const write = async (kind: "csv" | "json"): Promise<void> => {
    setWritten(0);
    try {
      const records = await all();
      const text = kind === "csv" ? callHeads + records.map(callRow).join("") : `${JSON.stringify(records, null, 1)}\n`;
      save(text, kind === "csv" ? "text/csv;charset=utf-8" : "application/json", `calls.${kind}`);
    } catch (error) {
      announce(problemWords(error, t), "failed");
    } finally {
      setWritten(undefined);
    }
  };
  return (
    <div class="buttons">
      {written !== undefined && <span class="faint">{t.history.exporting(written)}</span>}
      <button type="button" disabled={written !== undefined} onClick={() => void write("csv")}>
        {t.history.exportCsv}
      </button>
      <button type="button" disabled={written !== undefined} onClick={() => void write("json")}>
        {t.history.exportJson}
      </button>
    </div>
  );
}

function save(text: string | Blob, type: string, name: string): void {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // Not before the browser has begun to read it.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
