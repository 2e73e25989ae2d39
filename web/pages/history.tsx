// Calls that have ended: search, page by page, and as a file.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { CallRecord } from "../api/types.ts";
import { hrefOf } from "../app/router.ts";
import { useApp, useLive } from "../app/use-app.ts";
import { Empty, Loading, ProblemBox } from "../parts/problem.tsx";
import { Time } from "../parts/small.tsx";
import { remember } from "../state/ended-calls.ts";
import { Table, type Column } from "../parts/table.tsx";
import { useWords } from "../text/use-words.ts";
import { Direction, Ending } from "./call-words.tsx";
import { ExportButtons } from "./export-calls.tsx";
import { searchOf, type Search } from "./record-search.ts";

interface Page {
  readonly records: readonly CallRecord[];
  readonly next?: string;
}

type Found =
  | { readonly state: "loading" | "more"; readonly page: Page }
  | { readonly state: "failed"; readonly page: Page; readonly error: unknown }
  | { readonly state: "ready"; readonly page: Page };

const nothing: Page = { records: [] };
const pageSize = "50";

export function HistoryPage({ query }: { readonly query: Readonly<Record<string, string>> }): JSX.Element {
  const { t } = useWords();
  const search = searchOf(query);
  const isSearching = Object.keys(query).length > 0;
  const [found, more] = useRecords(search);
  const { page } = found;
  return (
    <>
      <h1>{t.history.title}</h1>
      <SearchForm key={JSON.stringify(query)} query={query} />
      <div class="title-row">
        <p class="faint" role="status">
          {found.state === "loading" ? t.loading : t.history.shown(page.records.length)}
        </p>
        <ExportButtons search={search} />
      </div>
      {found.state === "loading" && <Loading />}
      {page.records.length > 0 && <Records records={page.records} />}
      {found.state === "failed" && <ProblemBox error={found.error} onRetry={more} />}
      {found.state === "ready" && page.records.length === 0 && page.next === undefined && (
        <Empty title={isSearching ? t.history.empty : t.history.emptyAll} />
      )}
      {page.next !== undefined && found.state !== "failed" && (
        <p class="more">
          <button type="button" disabled={found.state === "more"} onClick={more}>
            {found.state === "more" ? t.loading : t.more}
          </button>
        </p>
      )}
    </>
  );
}

/** A page may be empty although there are more: then the next one is asked for. */
function useRecords(search: Search): readonly [Found, () => void] {
  const { client } = useApp();
  const [found, setFound] = useState<Found>({ state: "loading", page: nothing });
  const wanted = JSON.stringify(search);
  const ask = async (before: Page, signal?: AbortSignal): Promise<void> => {
    let page = before;
    try {
      do {
        const query = { ...search, limit: pageSize, after: page.next };
        const answer = await client.ask<Page>("/records", { query, signal });
        remember(answer.records);
        page = { ...answer, records: [...page.records, ...answer.records] };
      } while (page.records.length === before.records.length && page.next !== undefined);
      setFound({ state: "ready", page });
    } catch (error) {
      if (signal?.aborted !== true) setFound({ state: "failed", page, error });
    }
  };
  useEffect(() => {
    const gone = new AbortController();
    setFound({ state: "loading", page: nothing });
    void ask(nothing, gone.signal);
    return () => gone.abort();
  }, [wanted]);
  const more = (): void => {
    setFound(({ page }) => ({ state: page.records.length === 0 ? "loading" : "more", page }));
    void ask(found.page);
  };
  return [found, more];
}

function SearchForm({ query }: { readonly query: Readonly<Record<string, string>> }): JSX.Element {
  const { t } = useWords();
  const { trunks } = useLive();
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const given = [...new FormData(event.currentTarget as HTMLFormElement)].flatMap(([name, value]) =>
      typeof value === "string" && value.trim() !== "" ? [[name, value.trim()] as const] : [],
    );
    location.hash = hrefOf("history", undefined, Object.fromEntries(given));
  };
  return (
    <search>
      <form class="panel search" onSubmit={submit}>
        <label class="field">
          <span>{t.history.from}</span>
          <input type="date" name="from" value={query["from"]} />
        </label>
        <label class="field">
          <span>{t.history.to}</span>
          <input type="date" name="to" value={query["to"]} />
        </label>
        <label class="field">
          <span>{t.history.person}</span>
          <input
            name="person"
            value={query["person"]}
            placeholder={t.history.personHint}
            autocomplete="off"
            spellcheck={false}
          />
        </label>
        <label class="field">
          <span>{t.history.number}</span>
          <input
            name="number"
            type="tel"
            value={query["number"]}
            placeholder={t.history.numberHint}
            autocomplete="off"
            data-search
          />
        </label>
        <label class="field">
          <span>{t.call.trunk}</span>
          <select name="trunk" value={query["trunk"] ?? ""}>
            <option value="">{t.history.any}</option>
            {trunks?.map(({ name }) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          <span>{t.call.result}</span>
          <select name="result" value={query["result"] ?? ""}>
            <option value="">{t.history.any}</option>
            {Object.entries(t.call.results).map(([name, words]) => (
              <option key={name} value={name}>
                {words}
              </option>
            ))}
          </select>
        </label>
        <div class="buttons">
          <label class="choice">
            <input
              type="checkbox"
              name="whole_numbers"
              value="true"
              defaultChecked={query["whole_numbers"] === "true"}
            />
            {t.history.whole}
          </label>
          <a class="button" href={hrefOf("history")}>
            {t.history.clear}
          </a>
          <button type="submit" class="primary">
            {t.history.submit}
          </button>
        </div>
      </form>
    </search>
  );
}

function Records({ records }: { readonly records: readonly CallRecord[] }): JSX.Element {
  const { t, f } = useWords();
  const columns: readonly Column<CallRecord>[] = [
    {
      key: "direction",
      head: t.call.directionHead,
      quiet: true,
      cell: ({ direction }) => <Direction of={direction} />,
    },
    {
      key: "started",
      head: t.call.started,
      names: true,
      cell: ({ id, started_at: at }) => (
        <a href={hrefOf("calls", id)}>
          <Time at={at} />
        </a>
      ),
    },
    { key: "person", head: t.call.person, cell: ({ person }) => person },
    { key: "number", head: t.call.number, cell: ({ number }) => <span class="digits">{number}</span> },
    { key: "trunk", head: t.call.trunk, cell: ({ trunk }) => trunk },
    {
      key: "talked",
      head: t.call.talked,
      numeric: true,
      cell: ({ answered_at: from, ended_at: to }) => from && f.ticking(Date.parse(to) - Date.parse(from)),
    },
    { key: "cause", long: true, head: t.call.cause, cell: (record) => <Ending of={record} /> },
    { key: "status", head: "SIP", numeric: true, cell: ({ sip_status: status }) => status },
  ];
  return <Table caption={t.history.title} columns={columns} rows={records} rowKey={({ id }) => id} />;
}
