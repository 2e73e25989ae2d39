// Asks the parts of the bridge whether they are ready, and waits for none of them for long.
import type { PartReadiness } from "../ports/admin/admin-door.ts";

/** What readiness is made of, by name: `store`, `homeserver`, `media`, `trunks`. A part that throws is not ready. */
export type Parts = Readonly<Record<string, () => PartReadiness | Promise<PartReadiness>>>;

export interface Readiness {
  readonly ready: boolean;
  readonly parts: Record<string, PartReadiness>;
}

/** A part that has not answered by then is not ready: an orchestrator's own patience is about as long. */
const partTimeoutMs = 1_000;

export async function askParts(parts: Parts): Promise<Readiness> {
  const states = await Promise.all(
    Object.entries(parts).map(async ([name, ask]) => [name, await partState(ask)] as const),
  );
  return { ready: states.every(([, { ready }]) => ready), parts: Object.fromEntries(states) };
}

function partState(ask: Parts[string]): Promise<PartReadiness> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve({ ready: false, detail: "does not answer" }), partTimeoutMs);
    const settle = (state: PartReadiness): void => {
      clearTimeout(timer);
      resolve(state);
    };
    Promise.resolve()
      .then(ask)
      .then(settle, (cause: unknown) =>
        settle({ ready: false, detail: cause instanceof Error ? cause.message : "failed" }),
      );
  });
}
