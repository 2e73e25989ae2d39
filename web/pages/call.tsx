// One call: while it is up, and when it has ended.
import type { JSX } from "preact";
import type { Call } from "../api/types.ts";
import { hrefOf } from "../app/router.ts";
import { useLive } from "../app/use-app.ts";
import { Icon } from "../parts/icons.tsx";
import { Empty, Loading } from "../parts/problem.tsx";
import { Facts, Ticking, Time } from "../parts/small.tsx";
import { partiesOf } from "../text/parties.ts";
import { useWords } from "../text/use-words.ts";
import { Codec, Direction, Phase } from "./call-words.tsx";
import { QualityCharts } from "./quality-charts.tsx";
import { useHangUp } from "./use-hang-up.ts";

export function CallPage({ id }: { readonly id: string }): JSX.Element {
  const { t } = useWords();
  const { calls } = useLive();
  const call = calls?.find((one) => one.id === id);
  return (
    <>
      <p class="back">
        <a href={hrefOf("calls")}>← {t.calls.back}</a>
      </p>
      {calls === undefined && <Loading />}
      {call !== undefined && <LiveCall call={call} />}
      {calls !== undefined && call === undefined && (
        <>
          <h1>{t.pages.calls}</h1>
          <Empty title={t.calls.gone} />
        </>
      )}
    </>
  );
}

function LiveCall({ call }: { readonly call: Call }): JSX.Element {
  const { t } = useWords();
  const hangUp = useHangUp();
  return (
    <>
      <div class="title-row">
        <h1>
          <Direction of={call.direction} /> {partiesOf(call)}
        </h1>
        <button
          type="button"
          class="danger"
          data-hang-up
          disabled={call.phase === "ending"}
          onClick={() => void hangUp(call)}
        >
          <Icon name="calls" down />
          {t.hangUp.button}
        </button>
      </div>
      <section class="panel">
        <Facts
          facts={[
            [t.call.phase, <Phase of={call.phase} />],
            [t.call.since, <Ticking since={call.since} />],
            [t.call.person, call.person],
            [t.call.number, <span class="digits">{call.number}</span>],
            [t.call.called, call.called && <span class="digits">{call.called}</span>],
            [t.call.trunk, call.trunk],
            [t.call.started, <Time at={call.started_at} />],
            [t.call.answered, call.answered_at && <Time at={call.answered_at} />],
            [t.call.codec, call.media && <Codec of={call.media} />],
            [t.call.room, call.room && <code>{call.room}</code>],
            [t.call.ids.bridge, <code>{call.id}</code>],
          ]}
        />
      </section>
      <QualityCharts call={call} />
    </>
  );
}
