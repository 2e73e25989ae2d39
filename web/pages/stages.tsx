import type { JSX } from "preact";
import type { NumberEntry } from "../api/types.ts";
import { useWords } from "../text/use-words.ts";

/** Who rings, one stage after the other. */
export function Stages({ stages }: { readonly stages: NumberEntry["stages"] }): JSX.Element {
  const { t, f } = useWords();
  return (
    <ol class="stages">
      {stages.map(({ people, rooms, ring_seconds: seconds }, index) => (
        <li key={index}>
          {index > 0 && <span class="faint">{t.numbers.andThen} </span>}
          {f.list([...people, ...rooms])} <span class="faint">{t.numbers.forTime(f.duration(seconds * 1000))}</span>
        </li>
      ))}
    </ol>
  );
}
