// What Matrix and SIP said in a call, as telephone engineers draw it: a lane for each side, an arrow for each message. The message
// that is pointed at, or has the focus, is beside it in full.
import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import type { Ladder } from "../api/types.ts";
import { Icon } from "../parts/icons.tsx";
import { useWords } from "../text/use-words.ts";
import { layoutOf, letterOf, type Lane, type Rung } from "./layout.ts";

export function LadderView({ ladder }: { readonly ladder: Ladder }): JSX.Element {
  const { t } = useWords();
  const [chosen, setChosen] = useState(0);
  const list = useRef<HTMLOListElement>(null);
  const { lanes, rungs, threads } = layoutOf(ladder);
  const shown = rungs[Math.min(chosen, rungs.length - 1)];
  const columns = `0.5fr repeat(${Math.max(0, lanes.length - 1)}, 1fr) 0.5fr`;
  const width = { minWidth: `${lanes.length * 112 + 70}px` };
  const move = (event: KeyboardEvent): void => {
    const next = placeAfter(event.key, chosen, rungs.length);
    if (next === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    setChosen(next);
    list.current?.querySelectorAll("button")[next]?.focus();
  };
  return (
    <div class="ladder-and-message">
      <div class="ladder" data-ladder data-scrolls>
        <div class="ladder-heads" style={{ ...width, gridTemplateColumns: `repeat(${lanes.length}, 1fr)` }}>
          {lanes.map((lane) => (
            <LaneHead key={lane.key} lane={lane} />
          ))}
        </div>
        <div class="ladder-body" style={width}>
          <div class="ladder-lines" style={{ gridTemplateColumns: columns }} aria-hidden="true">
            {lanes.map(({ key }) => (
              <i key={key} />
            ))}
          </div>
          <ol ref={list} onKeyDown={move} aria-label={t.ladder.title}>
            {rungs.map((rung, index) => (
              <RungRow
                key={rung.message.order}
                {...{ rung, lanes, columns }}
                isMarked={threads > 1}
                isChosen={rung === shown}
                onChoose={() => setChosen(index)}
              />
            ))}
          </ol>
        </div>
      </div>
      {shown !== undefined && <Message rung={shown} lanes={lanes} />}
    </div>
  );
}

function placeAfter(key: string, now: number, count: number): number | undefined {
  switch (key) {
    case "ArrowDown":
    case "j":
      return Math.min(now + 1, count - 1);
    case "ArrowUp":
    case "k":
      return Math.max(now - 1, 0);
    case "Home":
      return 0;
    case "End":
      return count - 1;
    default:
      return undefined;
  }
}

function LaneHead({ lane: { kind, name, address } }: { readonly lane: Lane }): JSX.Element {
  const { t } = useWords();
  return (
    <div>
      <strong>{t.ladder.lanes[kind]}</strong>
      {name !== "" && <span>{name}</span>}
      {address !== undefined && <code>{address}</code>}
    </div>
  );
}

interface RungRowProps {
  readonly rung: Rung;
  readonly lanes: readonly Lane[];
  readonly columns: string;
  /** There are several dialogs: each message says to which it belongs. */
  readonly isMarked: boolean;
  readonly isChosen: boolean;
  readonly onChoose: () => void;
}

function RungRow({ rung, lanes, columns, isMarked, isChosen, onChoose }: RungRowProps): JSX.Element {
  const { t, f } = useWords();
  const { message, from, to, thread, afterMs } = rung;
  const { label, repeat, left_out_before: leftOut } = message;
  const [left, right] = from < to ? [from, to] : [to, from];
  const seconds = f.number(afterMs / 1000, 3);
  const nameOf = (place: number): string => lanes[place]?.name || t.ladder.lanes[lanes[place]?.kind ?? "bridge"];
  return (
    <>
      {leftOut > 0 && <li class="ladder-gap">{t.ladder.leftOut(leftOut)}</li>}
      <li>
        <button
          type="button"
          class={`rung thread-${thread % 4} ${from < to ? "rightwards" : "leftwards"} ${repeat ? "repeat" : ""}`}
          aria-pressed={isChosen}
          tabIndex={isChosen ? 0 : -1}
          onClick={onChoose}
          onFocus={onChoose}
          onPointerEnter={({ pointerType }) => {
            if (pointerType === "mouse") onChoose();
          }}
        >
          <span class="rung-time">{seconds}</span>
          <span class="rung-lanes" style={{ gridTemplateColumns: columns }}>
            <span class="arrow" style={{ gridColumn: `${left + 2} / ${right + 2}` }}>
              <span class="rung-label">
                {isMarked && <b>{letterOf(thread)}</b>} {label}
                {repeat && ` (${t.ladder.again})`}
                <span class="unseen"> {t.ladder.spoken(nameOf(from), nameOf(to))}</span>
              </span>
            </span>
          </span>
        </button>
      </li>
    </>
  );
}

function Message({ rung, lanes }: { readonly rung: Rung; readonly lanes: readonly Lane[] }): JSX.Element {
  const { t, f } = useWords();
  const { message, from, to } = rung;
  const end = (place: number): string => {
    const lane = lanes[place];
    return lane === undefined ? "" : [lane.name || t.ladder.lanes[lane.kind], lane.address].filter(Boolean).join(" ");
  };
  return (
    <section class="message panel" aria-label={t.ladder.message}>
      <h3>{message.label}</h3>
      <p class="faint">
        <time dateTime={message.at} title={f.full(message.at)}>
          {f.clock(message.at)}
        </time>{" "}
        · {end(from)} → {end(to)} · {message.transport?.toUpperCase() ?? "Matrix"}
      </p>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- whoever has no mouse scrolls it by keys */}
      <pre tabIndex={0} data-scrolls>
        {message.repeat ? t.ladder.same : message.text}
      </pre>
      <p class="faint hint">
        <Icon name="help" /> {t.ladder.hint}
      </p>
    </section>
  );
}
