// Minutes and money: what is used of their limits; and the switch that stops calls.
import type { JSX } from "preact";
import type { LimitUse, Stop } from "../api/types.ts";
import { useApp, useAsked } from "../app/use-app.ts";
import { Empty, Loading, ProblemBox, problemWords } from "../parts/problem.tsx";
import { Mark, Meter, Time } from "../parts/small.tsx";
import { Table } from "../parts/table.tsx";
import { useWords } from "../text/use-words.ts";

type Scope = Stop["scope"];

function ScopeWords({ of: { kind, name } }: { readonly of: Scope }): JSX.Element {
  const { t } = useWords();
  return (
    <>
      {t.limits.scopes[kind]} {name !== "" && <code>{name}</code>}
    </>
  );
}

export function Budgets(): JSX.Element {
  const { t, f } = useWords();
  const [asked, again] = useAsked<{ readonly currency: string; readonly uses: readonly LimitUse[] }>("/limits/uses");
  if (asked.state === "loading") return <Loading />;
  if (asked.state === "failed") return <ProblemBox error={asked.error} onRetry={again} />;
  const { currency, uses } = asked.answer;
  if (uses.length === 0) return <Empty title={t.limits.budgetEmpty} />;
  const amount = ({ measure }: LimitUse, value: string): string =>
    measure === "money" ? f.money(Number(value), currency) : f.minutes(Number(value));
  return (
    <Table
      caption={t.limits.budget}
      rows={uses}
      rowKey={({ scope, span, measure }) => [scope.kind, scope.name, span, measure].join(" ")}
      columns={[
        { key: "scope", head: t.numbers.subject, names: true, cell: ({ scope }) => <ScopeWords of={scope} /> },
        { key: "span", head: t.limits.span, cell: ({ span }) => t.limits.spans[span] },
        {
          key: "used",
          head: t.limits.used,
          cell: (use) =>
            use.limit === undefined ? (
              `${amount(use, use.used)} (${t.limits.noLimit})`
            ) : (
              <Meter
                label={t.limits.spans[use.span]}
                used={Number(use.used)}
                limit={Number(use.limit)}
                words={t.calls.of(amount(use, use.used), amount(use, use.limit))}
              />
            ),
        },
      ]}
    />
  );
}

export function StopSwitch(): JSX.Element {
  const { t } = useWords();
  const { client, confirm, announce } = useApp();
  const [asked, again] = useAsked<{ readonly stops: readonly Stop[] }>("/stops");
  const order = async (path: string, body: object, words: string): Promise<void> => {
    try {
      await client.ask(path, { method: "POST", body });
      announce(words);
    } catch (error) {
      announce(problemWords(error, t), "failed");
    }
    again();
  };
  const stop = async (): Promise<void> => {
    const given = await confirm({
      title: t.limits.stopTitle,
      body: t.limits.stopBody,
      action: t.limits.stop,
      danger: true,
      fields: [{ name: "reason", label: t.hangUp.reason, maxLength: 200 }],
    });
    if (given === undefined) return;
    const reason = given["reason"]?.trim();
    await order("/stops", reason ? { reason } : {}, t.limits.stopped);
  };
  const start = ({ scope: { kind, name } }: Stop): Promise<void> =>
    order("/stops/remove", kind === "user" || kind === "trunk" ? { [kind]: name } : {}, t.limits.started);
  if (asked.state === "loading") return <Loading />;
  if (asked.state === "failed") return <ProblemBox error={asked.error} onRetry={again} />;
  const { stops } = asked.answer;
  return (
    <>
      {stops.length > 0 && (
        <Table
          caption={t.limits.stops}
          rows={stops}
          rowKey={({ scope }) => `${scope.kind} ${scope.name}`}
          columns={[
            {
              key: "scope",
              head: t.numbers.subject,
              names: true,
              cell: ({ scope, inbound }) => (
                <Mark tone="bad">
                  <span>
                    <ScopeWords of={scope} /> ({inbound ? t.limits.bothWays : t.call.direction.outbound})
                  </span>
                </Mark>
              ),
            },
            { key: "at", head: t.bridge.at, cell: ({ at }) => <Time at={at} /> },
            { key: "who", head: t.bridge.who, cell: ({ who }) => <span lang="en">{who}</span> },
            { key: "why", head: t.numbers.why, long: true, cell: ({ why }) => why },
            {
              key: "start",
              head: t.limits.start,
              quiet: true,
              cell: (one) => (
                <button type="button" class="small" onClick={() => void start(one)}>
                  {t.limits.start}
                </button>
              ),
            },
          ]}
        />
      )}
      {!stops.some(({ scope }) => scope.kind === "bridge") && (
        <p>
          <button type="button" class="danger" onClick={() => void stop()}>
            {t.limits.stop} …
          </button>
        </p>
      )}
    </>
  );
}
