// Trunks: how they are, and whether calls begin over them.
import type { JSX } from "preact";
import type { Trunk } from "../api/types.ts";
import { useApp, useLive } from "../app/use-app.ts";
import { Empty, Loading, problemWords } from "../parts/problem.tsx";
import { Facts, Mark, Time, type Tone } from "../parts/small.tsx";
import { useWords } from "../text/use-words.ts";

export function TrunksPage(): JSX.Element {
  const { t } = useWords();
  const { trunks } = useLive();
  return (
    <>
      <h1>{t.trunks.title}</h1>
      {trunks === undefined && <Loading />}
      {trunks?.length === 0 && <Empty title={t.trunks.empty} />}
      {trunks !== undefined && trunks.length > 0 && (
        <ul class="cards">
          {trunks.map((trunk) => (
            <TrunkCard key={trunk.name} trunk={trunk} />
          ))}
        </ul>
      )}
    </>
  );
}

const tones: Readonly<Record<Trunk["state"], Tone>> = { up: "good", down: "bad", unknown: "calm" };

function TrunkCard({ trunk }: { readonly trunk: Trunk }): JSX.Element {
  const { t, f } = useWords();
  const { name, state, detail, since, registered, paused, calls } = trunk;
  const gate = useGate();
  const registration =
    registered === undefined ? t.trunks.registersNot : registered ? t.trunks.registered : t.trunks.notRegistered;
  return (
    <li class="card">
      <div class="card-head">
        <h2>{name}</h2>
        <span>
          <Mark tone={tones[state]}>{t.trunks.states[state]}</Mark>{" "}
          {paused && <Mark tone="warn">{t.trunks.paused}</Mark>}
        </span>
      </div>
      <Facts
        facts={[
          [t.trunks.since, <Time at={since} />],
          [t.trunks.registration, registration],
          [t.trunks.callsNow, f.number(calls)],
          [t.trunks.detail, <span lang="en">{detail}</span>, "wide"],
        ]}
      />
      <div class="buttons">
        {paused ? (
          <button type="button" aria-label={t.trunks.resumeOf(name)} onClick={() => void gate.resume(trunk)}>
            {t.trunks.resume}
          </button>
        ) : (
          <button type="button" aria-label={t.trunks.pauseOf(name)} onClick={() => void gate.pause(trunk)}>
            {t.trunks.pause}
          </button>
        )}
      </div>
    </li>
  );
}

function useGate() {
  const { t } = useWords();
  const { client, confirm, announce, feed } = useApp();
  const order = async (name: string, verb: "pause" | "resume", words: string): Promise<void> => {
    try {
      await client.ask(`/trunks/${encodeURIComponent(name)}/${verb}`, { method: "POST" });
      announce(words);
      feed.refresh();
    } catch (error) {
      announce(problemWords(error, t), "failed");
    }
  };
  return {
    async pause({ name, calls }: Trunk): Promise<void> {
      const question = { title: t.trunks.pauseTitle(name), body: t.trunks.pauseBody(calls), action: t.trunks.pause };
      if ((await confirm(question)) !== undefined) await order(name, "pause", t.trunks.pausedNow(name));
    },
    resume: ({ name }: Trunk) => order(name, "resume", t.trunks.resumedNow(name)),
  };
}
