// Small pieces of text with a meaning: marks, times, durations, meters.
import type { ComponentChildren, JSX } from "preact";
import { useNow } from "../app/use-app.ts";
import { useWords } from "../text/use-words.ts";

export type Tone = "good" | "warn" | "bad" | "calm" | "busy";

/** Its shape tells what its colour tells. */
export function Mark({ tone, children }: { readonly tone: Tone; readonly children: ComponentChildren }): JSX.Element {
  return (
    <span class={`mark ${tone}`}>
      <svg viewBox="0 0 12 12" aria-hidden="true">
        {shapes[tone]}
      </svg>
      {children}
    </span>
  );
}

const shapes: Readonly<Record<Tone, JSX.Element>> = {
  good: <circle cx="6" cy="6" r="5" />,
  warn: <path d="M6 .8 11.6 11H.4Z" />,
  bad: <path d="M1 1h10v10H1Z" />,
  calm: <circle cx="6" cy="6" r="4" class="ring" />,
  busy: <path d="M6 .5 11.5 6 6 11.5.5 6Z" />,
};

/** As short as can be, with the whole date in its title. */
export function Time({ at }: { readonly at: string | number }): JSX.Element {
  const { f } = useWords();
  const now = useNow();
  const iso = typeof at === "string" ? at : new Date(at).toISOString();
  return (
    <time dateTime={iso} title={f.full(at)}>
      {f.moment(at, now)}
    </time>
  );
}

/** From then until now. */
export function Ticking({ since }: { readonly since: string }): JSX.Element {
  const { f } = useWords();
  const ms = useNow() - Date.parse(since);
  return (
    <time dateTime={since} title={f.full(since)} class="ticking">
      {ms >= 86_400_000 ? f.duration(ms) : f.ticking(ms)}
    </time>
  );
}

interface MeterProps {
  readonly label: string;
  readonly used: number;
  readonly limit: number;
  /** In place of the two numbers. */
  readonly words?: string;
}

export function Meter({ label, used, limit, words: given }: MeterProps): JSX.Element {
  const { t, f } = useWords();
  const part = limit === 0 ? 1 : Math.min(1, used / limit);
  const tone = part >= 1 ? "bad" : part >= 0.8 ? "warn" : "good";
  const words = given ?? t.calls.of(f.number(used), f.number(limit));
  return (
    <div class="meter-row">
      <svg
        class={`meter ${tone}`}
        viewBox="0 0 100 8"
        preserveAspectRatio="none"
        role="img"
        aria-label={`${label}: ${words}`}
      >
        <rect class="track" width="100" height="8" />
        <rect class="fill" width={part * 100} height="8" />
      </svg>
      <span class="meter-words">{words}</span>
    </div>
  );
}

/** A name and its value, which may need a line of its own. */
export type Fact = readonly [name: string, value: ComponentChildren, width?: "wide"];

export function Facts({ facts }: { readonly facts: readonly Fact[] }): JSX.Element {
  return (
    <dl class="facts">
      {facts
        .filter(([, value]) => value !== undefined && value !== "" && value !== false)
        .map(([name, value, width]) => (
          <div key={name} class={width}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}
