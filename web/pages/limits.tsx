// The limits, and what is left of them.
import type { JSX } from "preact";
import { useLive } from "../app/use-app.ts";
import { Empty, Loading } from "../parts/problem.tsx";
import { Facts, Meter } from "../parts/small.tsx";
import { Table } from "../parts/table.tsx";
import { Budgets, StopSwitch } from "./spending.tsx";
import { useWords } from "../text/use-words.ts";

export function LimitsPage(): JSX.Element {
  const { t, f } = useWords();
  const { limits } = useLive();
  if (limits === undefined)
    return (
      <>
        <h1>{t.limits.title}</h1>
        <Loading />
      </>
    );
  const { calls_in_all: all, people } = limits;
  const kinds = limits.allow.map((kind) => t.numbers.barred[kind]);
  return (
    <>
      <h1>{t.limits.title}</h1>
      <section class="panel">
        <h2>{t.limits.inAll}</h2>
        <Meter label={t.limits.inAll} used={all.used} limit={all.limit} />
        <Facts
          facts={[
            [t.limits.perUser, f.number(limits.calls_per_user)],
            [t.limits.perMinute, f.number(limits.calls_per_minute)],
            [t.limits.longest, f.duration(limits.max_duration_seconds * 1000)],
            [t.limits.allowed, kinds.length === 0 ? t.none : f.list(kinds)],
          ]}
        />
      </section>
      <section aria-labelledby="budget">
        <h2 id="budget">{t.limits.budget}</h2>
        <Budgets />
      </section>
      <section aria-labelledby="stops">
        <h2 id="stops">{t.limits.stops}</h2>
        <StopSwitch />
      </section>
      <section aria-labelledby="in-calls">
        <h2 id="in-calls">{t.limits.people}</h2>
        {people.length === 0 ? (
          <Empty title={t.limits.empty} />
        ) : (
          <Table
            caption={t.limits.people}
            rows={people}
            rowKey={({ person }) => person}
            columns={[
              { key: "person", head: t.call.person, names: true, cell: ({ person }) => person },
              {
                key: "used",
                head: t.limits.used,
                cell: ({ person, used, limit }) => <Meter label={person} used={used} limit={limit} />,
              },
            ]}
          />
        )}
      </section>
    </>
  );
}
