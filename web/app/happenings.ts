// What is said aloud of what happens: the beginnings and ends of calls and trunks, not every step.
import { useEffect } from "preact/hooks";
import type { Happening, LiveFeed } from "../state/live.ts";
import type { Strings } from "../strings/en.ts";
import { useWords } from "../text/use-words.ts";
import { partiesOf } from "../text/parties.ts";

export function useHappenings(feed: LiveFeed, say: (words: string) => void): void {
  const { t } = useWords();
  useEffect(
    () =>
      feed.onEvent((event) => {
        const words = wordsOf(event, t);
        if (words !== undefined) say(words);
      }),
    [feed, say, t],
  );
}

function wordsOf(event: Happening, t: Strings): string | undefined {
  switch (event.kind) {
    case "call.began":
      return t.calls.began(partiesOf(event.call));
    case "call.ended":
      return t.calls.ended(partiesOf(event.record), t.call.causes[event.record.cause]);
    case "call.one-way-audio":
      return t.calls.oneWay(partiesOf(event.call));
    case "limit.warned":
      return t.limits.warned(whoseLimit(event, t));
    case "limit.reached":
      return t.limits.reached(whoseLimit(event, t));
    case "trunk.up":
      return t.trunks.wentUp(event.trunk);
    case "trunk.down":
      return t.trunks.wentDown(event.trunk);
    default:
      return undefined;
  }
}

function whoseLimit(
  { scope: { kind, name } }: Extract<Happening, { kind: "limit.warned" | "limit.reached" }>,
  t: Strings,
): string {
  return kind === "bridge" ? t.pages.bridge : name;
}
