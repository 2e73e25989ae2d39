// What went wrong, and what mends it.
import type { JSX } from "preact";
import { Problem } from "../api/client.ts";
import type { Strings } from "../strings/en.ts";
import { useWords } from "../text/use-words.ts";

export function problemWords(error: unknown, t: Strings): string {
  if (!(error instanceof Problem)) return t.problems.other;
  const { code } = error;
  return code in t.problems ? t.problems[code as keyof Strings["problems"]] : t.problems.other;
}

interface ProblemProps {
  readonly error: unknown;
  readonly onRetry?: () => void;
}

export function ProblemBox({ error, onRetry }: ProblemProps): JSX.Element {
  const { t } = useWords();
  const said = error instanceof Problem && error.code !== "unreachable" ? error.message : "";
  return (
    <div class="note bad" role="alert">
      <p>
        <strong>{problemWords(error, t)}</strong>
      </p>
      {said !== "" && (
        <p>
          {t.problems.detail} <q lang="en">{said}</q>
        </p>
      )}
      {onRetry !== undefined && (
        <button type="button" onClick={onRetry}>
          {t.retry}
        </button>
      )}
    </div>
  );
}

export function Loading(): JSX.Element {
  const { t } = useWords();
  return (
    <p class="waiting" role="status">
      {t.loading}
    </p>
  );
}

export function Empty({ title, hint }: { readonly title: string; readonly hint?: string }): JSX.Element {
  return (
    <div class="empty-box">
      <p>{title}</p>
      {hint !== undefined && <p class="faint">{hint}</p>}
    </div>
  );
}
