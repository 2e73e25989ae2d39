// What happens to a number that somebody dials, or that a trunk sends. Nobody is called.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Arrived, Dialled, Reading } from "../api/types.ts";
import { hrefOf } from "../app/router.ts";
import { useAsked, useLive } from "../app/use-app.ts";
import { ProblemBox } from "../parts/problem.tsx";
import { Facts, Mark } from "../parts/small.tsx";
import { useWords } from "../text/use-words.ts";
import { Stages } from "./stages.tsx";

type Query = Readonly<Record<string, string>>;

export function Explain({ query }: { readonly query: Query }): JSX.Element {
  const { t } = useWords();
  const { trunks } = useLive();
  const [way, setWay] = useState(query["way"] === "arrived" ? "arrived" : "dialled");
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const given = [...new FormData(event.currentTarget as HTMLFormElement)].flatMap(([name, value]) =>
      typeof value === "string" ? [[name, value.trim()] as const] : [],
    );
    location.hash = hrefOf("numbers", undefined, Object.fromEntries(given));
  };
  return (
    <section class="panel" aria-labelledby="explain">
      <h2 id="explain">{t.numbers.explain}</h2>
      <form class="search" onSubmit={submit}>
        <label class="field">
          <span>{t.numbers.text}</span>
          <input name="text" type="tel" required maxLength={200} value={query["text"]} autocomplete="off" data-search />
        </label>
        <label class="field">
          <span>{t.numbers.way}</span>
          <select
            name="way"
            value={way}
            onChange={({ currentTarget: { value } }) => setWay(value === "arrived" ? value : "dialled")}
          >
            <option value="dialled">{t.numbers.dialled}</option>
            <option value="arrived">{t.numbers.arrived}</option>
          </select>
        </label>
        {way === "dialled" && (
          <label class="field">
            <span>{t.numbers.as}</span>
            <input
              name="as"
              value={query["as"]}
              placeholder="@alice:example.org"
              autocomplete="off"
              spellcheck={false}
            />
          </label>
        )}
        <label class="field">
          <span>{t.numbers.over}</span>
          <select
            name="trunk"
            value={query["trunk"] ?? (way === "dialled" ? "" : trunks?.[0]?.name)}
            required={way === "arrived"}
          >
            {way === "dialled" && <option value="">{t.numbers.anyTrunk}</option>}
            {trunks?.map(({ name }) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <div class="buttons">
          <span class="faint">{t.numbers.explainHint}</span>
          <button type="submit" class="primary">
            {t.numbers.submit}
          </button>
        </div>
      </form>
      <div aria-live="polite">{query["text"] && <Answer query={query} />}</div>
    </section>
  );
}

function Answer({ query }: { readonly query: Query }): JSX.Element | null {
  const { text = "", as = "", trunk = "", way } = query;
  const dialledQuery = new URLSearchParams({ text, ...(as && { as }), ...(trunk && { trunk }) }).toString();
  const isArrived = way === "arrived" && trunk !== "";
  const [dialled] = useAsked<Dialled>(isArrived ? undefined : `/numbers/explain?${dialledQuery}`);
  const [arrived] = useAsked<Arrived>(
    isArrived ? `/trunks/${encodeURIComponent(trunk)}/explain?${new URLSearchParams({ text }).toString()}` : undefined,
  );
  const asked = isArrived ? arrived : dialled;
  if (asked.state === "failed") return <ProblemBox error={asked.error} />;
  if (asked.state === "loading") return null;
  return isArrived ? (
    <ArrivedAnswer found={asked.answer as Arrived} />
  ) : (
    <DialledAnswer found={asked.answer as Dialled} />
  );
}

function DialledAnswer({ found }: { readonly found: Dialled }): JSX.Element {
  const { t } = useWords();
  const { route } = found;
  return (
    <div class="answer">
      <p class="verdict">
        <Mark tone={found.goes_out ? "good" : "bad"}>{found.goes_out ? t.numbers.goesOut : t.numbers.refused}</Mark>
      </p>
      <Facts
        facts={[
          [t.numbers.why, found.refused && causeWords(found.refused, t.call.causes)],
          [t.numbers.told, found.words && <q lang="en">{found.words}</q>],
          [t.numbers.readAs, <Readings readings={found.readings} />],
          [t.numbers.kinds, found.kinds.length > 0 && <span lang="en">{found.kinds.join(", ")}</span>],
          [t.numbers.country, found.country],
          [t.numbers.decides, found.permission && <code>{found.permission}</code>],
          [t.numbers.route, route && t.numbers.routeWords(route.prefix, route.strip, route.prepend)],
          [t.numbers.withheld, found.withheld && t.yes],
          [t.numbers.ghost, found.ghost && <code>{found.ghost}</code>],
          [
            t.numbers.tried,
            found.trunks.length > 0 && (
              <ol class="stages">
                {found.trunks.map(({ trunk, sent, uri }) => (
                  <li key={trunk}>
                    {trunk}: {t.numbers.sent} <span class="digits">{sent}</span> <code>{uri}</code>
                  </li>
                ))}
              </ol>
            ),
          ],
        ]}
      />
    </div>
  );
}

function ArrivedAnswer({ found }: { readonly found: Arrived }): JSX.Element {
  const { t } = useWords();
  const { caller, called } = found;
  const back = caller.call_back;
  return (
    <div class="answer">
      <Facts
        facts={[
          [t.numbers.readAs, <Readings readings={found.readings} />],
          [t.numbers.country, found.country],
          [t.numbers.format, <code>{found.format}</code>],
        ]}
      />
      <h3>{t.numbers.asCaller}</h3>
      <Facts
        facts={[
          [t.numbers.shownAs, caller.shown],
          [t.numbers.ghost, caller.ghost && <code>{caller.ghost}</code>],
          [t.numbers.callBack, back && `${back.number}, ${back.trunk}`],
        ]}
      />
      <h3>{t.numbers.asCalled}</h3>
      {called === undefined ? (
        <p>{t.numbers.ringsNobody}</p>
      ) : (
        <Facts
          facts={[
            [t.call.number, <span class="digits">{called.number}</span>],
            [t.numbers.rings, <Stages stages={called.stages} />],
          ]}
        />
      )}
    </div>
  );
}

function Readings({ readings }: { readonly readings: readonly Reading[] }): JSX.Element | string {
  if (readings.length === 0) return "";
  return (
    <ul class="stages" lang="en">
      {readings.map(({ way, number, kind, status }) => (
        <li key={`${way}${number}`}>
          <span class="digits">{number}</span> <span class="faint">{[way, kind, status].join(", ")}</span>
        </li>
      ))}
    </ul>
  );
}

function causeWords(cause: string, words: Readonly<Record<string, string>>): string {
  return words[cause] ?? cause;
}
