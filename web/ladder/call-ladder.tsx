// The ladder of a call as the bridge keeps it, asked for again while the call goes on; as text and as a file too.
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { drawLadder, printMessages } from "../../src/cli/ladder/drawing.ts";
import type { Ladder } from "../api/types.ts";
import { Problem } from "../api/client.ts";
import { useApp, useAsked } from "../app/use-app.ts";
import { Loading, ProblemBox } from "../parts/problem.tsx";
import { useWords } from "../text/use-words.ts";
import { LadderView } from "./ladder-view.tsx";

const askEveryMs = 3_000;

interface CallLadderProps {
  readonly call: string;
  readonly isLive: boolean;
}

export function CallLadder({ call, isLive }: CallLadderProps): JSX.Element {
  const { t } = useWords();
  const [asked, again] = useAsked<Ladder>(`/calls/${encodeURIComponent(call)}/ladder`);
  // Once more when it has ended: last words come then.
  useEffect(() => {
    again();
    if (!isLive) return;
    const timer = setInterval(() => {
      if (!document.hidden) again();
    }, askEveryMs);
    return () => clearInterval(timer);
  }, [isLive]);
  return (
    <section aria-labelledby="ladder">
      <div class="title-row">
        <h2 id="ladder">{t.ladder.title}</h2>
        {asked.state === "ready" && asked.answer.messages.length > 0 && <CopyButton ladder={asked.answer} />}
      </div>
      {asked.state === "loading" && <Loading />}
      {asked.state === "failed" &&
        (asked.error instanceof Problem && asked.error.code === "not_found" ? (
          <p class="faint">{t.ladder.gone}</p>
        ) : (
          <ProblemBox error={asked.error} onRetry={again} />
        ))}
      {asked.state === "ready" &&
        (asked.answer.messages.length === 0 ? (
          <p class="faint">{t.ladder.empty}</p>
        ) : (
          <LadderView ladder={asked.answer} />
        ))}
    </section>
  );
}

function CopyButton({ ladder }: { readonly ladder: Ladder }): JSX.Element {
  const { t } = useWords();
  const { announce } = useApp();
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(`${drawLadder(ladder, "")}\n${printMessages(ladder)}`);
      announce(t.ladder.copied);
    } catch {
      announce(t.ladder.copyFailed, "failed");
    }
  };
  return (
    <button type="button" onClick={() => void copy()}>
      {t.ladder.copy}
    </button>
  );
}
