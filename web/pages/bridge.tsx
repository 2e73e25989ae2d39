// The bridge itself: how it is, its log, its end, and what admins did.
import type { JSX } from "preact";
import type { Action, LogLevel, Status } from "../api/types.ts";
import { useApp, useAsked, useLive } from "../app/use-app.ts";
import { Empty, Loading, ProblemBox, problemWords } from "../parts/problem.tsx";
import { Facts, Mark, Time } from "../parts/small.tsx";
import { Table } from "../parts/table.tsx";
import { useWords } from "../text/use-words.ts";

export function BridgePage(): JSX.Element {
  const { t } = useWords();
  const { status } = useLive();
  return (
    <>
      <h1>{t.bridge.title}</h1>
      {status === undefined ? <Loading /> : <State status={status} />}
      <section aria-labelledby="actions">
        <h2 id="actions">{t.bridge.actions}</h2>
        <Actions />
      </section>
    </>
  );
}

function State({ status }: { readonly status: Status }): JSX.Element {
  const { t } = useWords();
  const { client, announce, feed } = useApp();
  const setLevel = async (level: LogLevel): Promise<void> => {
    try {
      await client.ask("/log/level", { method: "PUT", body: { level } });
      announce(t.bridge.logSet(level));
      feed.refresh();
    } catch (error) {
      announce(problemWords(error, t), "failed");
    }
  };
  const drain = useDrain();
  return (
    <>
      <section class="panel" aria-labelledby="state">
        <h2 id="state">{t.bridge.status}</h2>
        <Facts
          facts={[
            [t.bridge.version, status.version],
            [t.bridge.started, <Time at={status.started_at} />],
          ]}
        />
        <div class="controls">
          <label class="field">
            <span>{t.bridge.log}</span>
            <select
              value={status.log_level}
              aria-describedby="log-hint"
              onChange={({ currentTarget: { value } }) => void setLevel(value as LogLevel)}
            >
              {Object.entries(t.bridge.levels).map(([level, words]) => (
                <option key={level} value={level}>
                  {level} – {words}
                </option>
              ))}
            </select>
            <small id="log-hint">{t.bridge.logHint}</small>
          </label>
          <div class="field">
            <button type="button" class="danger" disabled={status.closed === "draining"} onClick={() => void drain()}>
              {t.bridge.drain} …
            </button>
            <small>{t.bridge.drainHint}</small>
          </div>
        </div>
      </section>
      <section aria-labelledby="parts">
        <h2 id="parts">{t.bridge.parts}</h2>
        <Table
          caption={t.bridge.parts}
          rows={Object.entries(status.parts)}
          rowKey={([name]) => name}
          columns={[
            { key: "part", head: t.bridge.part, names: true, cell: ([name]) => <span lang="en">{name}</span> },
            {
              key: "ready",
              head: t.call.phase,
              cell: ([, { ready }]) => (
                <Mark tone={ready ? "good" : "bad"}>{ready ? t.bridge.ready : t.bridge.missing}</Mark>
              ),
            },
            {
              key: "detail",
              long: true,
              head: t.bridge.finding,
              cell: ([, { detail }]) => <span lang="en">{detail}</span>,
            },
          ]}
        />
      </section>
    </>
  );
}

function useDrain(): () => Promise<void> {
  const { t, f } = useWords();
  const { client, confirm, announce, feed } = useApp();
  return async () => {
    const given = await confirm({
      title: t.bridge.drainTitle,
      body: t.bridge.drainBody,
      action: t.bridge.drain,
      danger: true,
      fields: [{ name: "minutes", label: t.bridge.drainMinutes, type: "number", initial: "10", min: 0, max: 1440 }],
    });
    if (given === undefined) return;
    try {
      const seconds = Math.round(Number(given["minutes"]) * 60);
      await client.ask("/drain", { method: "POST", body: { within_seconds: seconds } });
      announce(t.bridge.drainNow(f.duration(seconds * 1000)));
      feed.refresh();
    } catch (error) {
      announce(problemWords(error, t), "failed");
    }
  };
}

function Actions(): JSX.Element {
  const { t } = useWords();
  const [asked, again] = useAsked<{ readonly actions: readonly Action[] }>("/actions");
  if (asked.state === "loading") return <Loading />;
  if (asked.state === "failed") return <ProblemBox error={asked.error} onRetry={again} />;
  const { actions } = asked.answer;
  if (actions.length === 0) return <Empty title={t.bridge.actionsEmpty} />;
  return (
    <Table
      caption={t.bridge.actions}
      rows={actions}
      rowKey={({ number }) => String(number)}
      columns={[
        { key: "at", head: t.bridge.at, names: true, cell: ({ at }) => <Time at={at} /> },
        { key: "who", head: t.bridge.who, cell: ({ who }) => <span lang="en">{who}</span> },
        {
          key: "what",
          long: true,
          head: t.bridge.what,
          cell: ({ action, target, detail }) => (
            <span lang="en">
              {action} {target !== undefined && <code>{target}</code>}{" "}
              {detail !== undefined && <span class="faint">{detail}</span>}
            </span>
          ),
        },
        {
          key: "outcome",
          head: t.bridge.outcome,
          cell: ({ outcome }) =>
            outcome === "done" ? <Mark tone="good">{t.bridge.done}</Mark> : <Mark tone="bad">{outcome}</Mark>,
        },
      ]}
    />
  );
}
