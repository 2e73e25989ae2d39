// The calls of the moment.
import type { JSX } from "preact";
import type { Call } from "../api/types.ts";
import { hrefOf } from "../app/router.ts";
import { useLive } from "../app/use-app.ts";
import { Icon } from "../parts/icons.tsx";
import { Empty, Loading } from "../parts/problem.tsx";
import { Mark, Ticking } from "../parts/small.tsx";
import { Table, type Column } from "../parts/table.tsx";
import { partiesOf } from "../text/parties.ts";
import { useWords } from "../text/use-words.ts";
import { Direction, Phase } from "./call-words.tsx";
import { QualityCell } from "../quality/quality-cell.tsx";
import { useHangUp } from "./use-hang-up.ts";

export function CallsPage(): JSX.Element {
  const { t } = useWords();
  const { calls } = useLive();
  return (
    <>
      <h1>{t.calls.title}</h1>
      <Summary />
      {calls === undefined ? (
        <Loading />
      ) : calls.length === 0 ? (
        <Empty title={t.calls.empty} hint={t.calls.emptyHint} />
      ) : (
        <CallTable calls={calls} />
      )}
    </>
  );
}

function Summary(): JSX.Element | null {
  const { t, f } = useWords();
  const { limits, trunks, status } = useLive();
  if (limits === undefined || trunks === undefined || status === undefined) return null;
  const { used, limit } = limits.calls_in_all;
  const up = trunks.filter(({ state, paused }) => state === "up" && !paused).length;
  return (
    <ul class="tiles">
      <li>
        <span class="faint">{t.calls.now}</span>
        <strong>{t.calls.of(f.number(used), f.number(limit))}</strong>
      </li>
      <li>
        <span class="faint">{t.calls.people}</span>
        <strong>{f.number(limits.people.length)}</strong>
      </li>
      <li>
        <span class="faint">{t.calls.trunksUp}</span>
        <strong>{t.calls.of(f.number(up), f.number(trunks.length))}</strong>
      </li>
      <li>
        <span class="faint">{t.calls.ready}</span>
        <strong>
          {status.closed !== undefined ? (
            <Mark tone="warn">{t.calls.closed}</Mark>
          ) : (
            <Mark tone={status.ready ? "good" : "bad"}>{status.ready ? t.calls.isReady : t.calls.notReady}</Mark>
          )}
        </strong>
      </li>
    </ul>
  );
}

function CallTable({ calls }: { readonly calls: readonly Call[] }): JSX.Element {
  const { t } = useWords();
  const hangUp = useHangUp();
  const columns: readonly Column<Call>[] = [
    {
      key: "direction",
      head: t.call.directionHead,
      quiet: true,
      cell: ({ direction }) => <Direction of={direction} />,
    },
    {
      key: "person",
      head: t.call.person,
      names: true,
      cell: ({ id, person }) => (
        <a href={hrefOf("calls", id)}>{person ?? <span class="faint">{t.call.nobody}</span>}</a>
      ),
    },
    { key: "number", head: t.call.number, cell: ({ number }) => <span class="digits">{number}</span> },
    { key: "trunk", head: t.call.trunk, cell: ({ trunk }) => trunk },
    { key: "phase", head: t.call.phase, cell: ({ phase }) => <Phase of={phase} /> },
    { key: "since", head: t.call.since, numeric: true, cell: ({ since }) => <Ticking since={since} /> },
    { key: "quality", head: t.calls.quality, cell: ({ id }) => <QualityCell call={id} /> },
    {
      key: "hang-up",
      head: t.hangUp.button,
      quiet: true,
      cell: (call) => (
        <button
          type="button"
          class="small"
          data-hang-up
          disabled={call.phase === "ending"}
          aria-label={t.hangUp.of(partiesOf(call))}
          onClick={() => void hangUp(call)}
        >
          <Icon name="calls" down />
          {t.hangUp.button}
        </button>
      ),
    },
  ];
  return <Table caption={t.calls.title} columns={columns} rows={calls} rowKey={({ id }) => id} />;
}
