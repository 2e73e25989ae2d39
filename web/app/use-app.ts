// What every page works with.
import { createContext } from "preact";
import { useContext, useEffect, useRef, useState } from "preact/hooks";
import type { Client } from "../api/client.ts";
import type { Live, LiveFeed } from "../state/live.ts";
import { useStore } from "../state/use-store.ts";
import type { Confirming } from "../parts/confirm.tsx";

export interface App {
  readonly client: Client;
  readonly feed: LiveFeed;
  /** Asks whoever sits there; undefined: they do not want it. */
  readonly confirm: (question: Confirming) => Promise<Readonly<Record<string, string>> | undefined>;
  /** Says for a moment what has happened, and to screen readers. */
  readonly announce: (words: string, kind?: "done" | "failed") => void;
  readonly signOut: () => void;
}

export const AppContext = createContext<App | undefined>(undefined);

export function useApp(): App {
  const app = useContext(AppContext);
  if (app === undefined) throw new Error("a page stands outside the console");
  return app;
}

export function useLive(): Live {
  return useStore(useApp().feed.state);
}

/** ms since the epoch; drawn again each second. */
export function useNow(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

export type Asked<Answer> =
  | { readonly state: "loading" }
  | { readonly state: "failed"; readonly error: unknown }
  | { readonly state: "ready"; readonly answer: Answer };

/** Asks when the page opens and when `path` changes; `again` asks anew and shows what there was meanwhile. */
export function useAsked<Answer>(path: string | undefined): readonly [Asked<Answer>, () => void] {
  const { client } = useApp();
  const [asked, setAsked] = useState<Asked<Answer>>({ state: "loading" });
  const [turn, setTurn] = useState(0);
  const shown = useRef(path);
  useEffect(() => {
    if (path === undefined) return;
    const gone = new AbortController();
    if (shown.current !== path) setAsked({ state: "loading" });
    shown.current = path;
    client.ask<Answer>(path, { signal: gone.signal }).then(
      (answer) => setAsked({ state: "ready", answer }),
      (error: unknown) => {
        if (!gone.signal.aborted) setAsked({ state: "failed", error });
      },
    );
    return () => gone.abort();
  }, [path, turn]);
  return [asked, () => setTurn((now) => now + 1)];
}
