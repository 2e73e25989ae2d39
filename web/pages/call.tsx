// One call: while it is up, and when it has ended.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Call, CallRecord } from "../api/types.ts";
import { hrefOf } from "../app/router.ts";
import { useApp, useLive, type Asked } from "../app/use-app.ts";
import { CallLadder } from "../ladder/call-ladder.tsx";
import { Icon } from "../parts/icons.tsx";
import { Empty, Loading, ProblemBox } from "../parts/problem.tsx";
import { Facts, Ticking, Time, type Fact } from "../parts/small.tsx";
import { findEnded } from "../state/ended-calls.ts";
import { partiesOf } from "../text/parties.ts";
import { useWords } from "../text/use-words.ts";
import { Codec, Direction, Ending, Phase } from "./call-words.tsx";
import { QualityCharts } from "../quality/quality-charts.tsx";
import { useHangUp } from "./use-hang-up.ts";

export function CallPage({ id }: { readonly id: string }): JSX.Element {
  const { t } = useWords();
  const { calls } = useLive();
  const live = calls?.find((one) => one.id === id);
  const ended = useEnded(id, calls !== undefined && live === undefined);
  const isNowhere = live === undefined && ended.state === "ready" && ended.answer === undefined;
  return (
    <>
      <p class="back">
        <a href={hrefOf("calls")}>← {t.calls.back}</a>
      </p>
      {live !== undefined && <LiveCall call={live} />}
      {live === undefined && ended.state === "loading" && <Loading />}
      {live === undefined && ended.state === "failed" && <ProblemBox error={ended.error} />}
      {live === undefined && ended.state === "ready" && ended.answer !== undefined && (
        <EndedCall record={ended.answer} />
      )}
      {isNowhere && (
        <>
          <h1>{t.pages.calls}</h1>
          <Empty title={t.calls.gone} />
        </>
      )}
      {!isNowhere && calls !== undefined && <CallLadder call={id} isLive={live !== undefined} />}
    </>
  );
}

/** Asks when the call is not up, or no longer. */
function useEnded(id: string, hasEnded: boolean): Asked<CallRecord | undefined> {
  const { client } = useApp();
  const [found, setFound] = useState<Asked<CallRecord | undefined>>({ state: "loading" });
  useEffect(() => {
    if (!hasEnded) return;
    const gone = new AbortController();
    findEnded(client, id, gone.signal).then(
      (answer) => setFound({ state: "ready", answer }),
      (error: unknown) => {
        if (!gone.signal.aborted) setFound({ state: "failed", error });
      },
    );
    return () => gone.abort();
  }, [id, hasEnded]);
  return found;
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

function EndedCall({ record }: { readonly record: CallRecord }): JSX.Element {
  const { t, f } = useWords();
  const { answered_at: answered, ended_at: ended, media } = record;
  const sides = [
    [t.quality.fromMatrix, media.from_matrix],
    [t.quality.fromTrunk, media.from_trunk],
  ] as const;
  return (
    <>
      <h1>
        <Direction of={record.direction} /> {partiesOf(record)}
      </h1>
      <section class="panel">
        <Facts
          facts={[
            [t.call.cause, <Ending of={record} />],
            [t.call.result, t.call.results[record.result]],
            [t.call.sipStatus, record.sip_status],
            [t.call.talked, answered && f.ticking(Date.parse(ended) - Date.parse(answered))],
            [t.call.person, record.person],
            [t.call.number, <span class="digits">{record.number}</span>],
            [t.call.called, record.called && <span class="digits">{record.called}</span>],
            [t.call.trunk, record.trunk],
            [t.call.started, <Time at={record.started_at} />],
            [t.call.rang, record.ringing_at && <Time at={record.ringing_at} />],
            [t.call.answered, answered && <Time at={answered} />],
            [t.call.ended, <Time at={ended} />],
            [t.call.room, record.room && <code>{record.room}</code>],
            [t.call.ids.bridge, <code>{record.id}</code>],
            [t.call.ids.matrix, record.matrix_call && <code>{record.matrix_call}</code>],
            [t.call.ids.sip, record.sip_call && <code>{record.sip_call}</code>],
          ]}
        />
        {record.unsettled && <p class="note warn">{t.call.unsettled}</p>}
      </section>
      {answered !== undefined && (
        <section class="panel" aria-labelledby="quality">
          <h2 id="quality">{t.quality.title}</h2>
          <Facts
            facts={[
              [t.call.codec, <Codec of={media} />],
              ...sides.map(([name, side]): Fact => [
                name,
                t.quality.totals(f.number(side.packets), f.number(side.lost), f.milliseconds(side.jitter_ms)),
              ]),
            ]}
          />
        </section>
      )}
    </>
  );
}
