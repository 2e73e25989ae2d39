// Numbers: what happens to one, whom they ring, and who may call.
import type { JSX } from "preact";
import type { NumberEntry, User } from "../api/types.ts";
import { useAsked } from "../app/use-app.ts";
import { Empty, Loading, ProblemBox } from "../parts/problem.tsx";
import { Mark } from "../parts/small.tsx";
import { Table } from "../parts/table.tsx";
import { useWords } from "../text/use-words.ts";
import { Explain } from "./explain.tsx";
import { Stages } from "./stages.tsx";

export function NumbersPage({ query }: { readonly query: Readonly<Record<string, string>> }): JSX.Element {
  const { t } = useWords();
  return (
    <>
      <h1>{t.numbers.title}</h1>
      <Explain query={query} />
      <section aria-labelledby="rung">
        <h2 id="rung">{t.numbers.list}</h2>
        <Numbers />
      </section>
      <section aria-labelledby="people">
        <h2 id="people">{t.numbers.people}</h2>
        <People />
      </section>
    </>
  );
}

function Numbers(): JSX.Element {
  const { t } = useWords();
  const [asked, again] = useAsked<{ readonly numbers: readonly NumberEntry[] }>("/numbers");
  if (asked.state === "loading") return <Loading />;
  if (asked.state === "failed") return <ProblemBox error={asked.error} onRetry={again} />;
  const { numbers } = asked.answer;
  if (numbers.length === 0) return <Empty title={t.numbers.empty} />;
  return (
    <Table
      caption={t.numbers.list}
      rows={numbers}
      rowKey={({ match, number, trunks }) => [match, number, ...trunks].join(" ")}
      columns={[
        {
          key: "number",
          head: t.call.number,
          names: true,
          cell: ({ number }) => (number === "" ? t.numbers.everyOther : <span class="digits">{number}</span>),
        },
        { key: "match", head: t.numbers.match, cell: ({ match }) => t.numbers.matches[match] },
        {
          key: "trunks",
          head: t.call.trunk,
          cell: ({ trunks }) => (trunks.length === 0 ? t.numbers.everyTrunk : trunks.join(", ")),
        },
        { key: "stages", long: true, head: t.numbers.rings, cell: ({ stages }) => <Stages stages={stages} /> },
      ]}
    />
  );
}

function People(): JSX.Element {
  const { t, f } = useWords();
  const [asked, again] = useAsked<{ readonly users: readonly User[] }>("/users");
  if (asked.state === "loading") return <Loading />;
  if (asked.state === "failed") return <ProblemBox error={asked.error} onRetry={again} />;
  const { users } = asked.answer;
  if (users.length === 0) return <Empty title={t.numbers.peopleEmpty} />;
  return (
    <Table
      caption={t.numbers.people}
      rows={users}
      rowKey={({ subject }) => subject}
      columns={[
        {
          key: "subject",
          head: t.numbers.subject,
          names: true,
          cell: ({ subject }) => (subject === "*" ? t.numbers.everybody : subject),
        },
        {
          key: "may",
          head: t.numbers.mayCall,
          cell: (user) => <Mark tone={user.may_call ? "good" : "calm"}>{user.may_call ? t.yes : t.no}</Mark>,
        },
        { key: "rule", head: t.numbers.rule, cell: ({ rule }) => rule && <code>{rule}</code> },
        {
          key: "allowed",
          long: true,
          head: t.numbers.allowed,
          cell: ({ allow }) => f.list(allow.map((kind) => t.numbers.barred[kind])),
        },
        {
          key: "at-once",
          head: t.numbers.atOnce,
          numeric: true,
          cell: (user) =>
            user.calls === undefined
              ? f.number(user.calls_at_once)
              : t.calls.of(f.number(user.calls), f.number(user.calls_at_once)),
        },
        {
          key: "longest",
          head: t.numbers.longest,
          numeric: true,
          cell: (user) => f.duration(user.max_duration_seconds * 1000),
        },
        {
          key: "rung",
          long: true,
          head: t.numbers.rungBy,
          cell: (user) => <span class="digits">{user.rung_by.join(", ")}</span>,
        },
      ]}
    />
  );
}
