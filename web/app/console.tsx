// The frame of all: the language, who is signed in, and the page that is shown.
import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { createClient, Problem } from "../api/client.ts";
import { Loading, ProblemBox } from "../parts/problem.tsx";
import { settings } from "../state/settings.ts";
import { useStore } from "../state/use-store.ts";
import { strings } from "../strings/all.ts";
import { formatsOf } from "../text/formats.ts";
import { languageOf, localeOf } from "../text/language.ts";
import { WordsContext } from "../text/use-words.ts";
import { Desk } from "./desk.tsx";
import { SignIn } from "./sign-in.tsx";

type Standing =
  | { readonly state: "asking" }
  | { readonly state: "failed"; readonly error: unknown }
  | { readonly state: "out"; readonly was: "new" | "ended" | "used-link" }
  | { readonly state: "in" };

const loginLink = /^#login=([0-9A-Za-z]+)$/;

/** Of the link by which somebody came, which is good for once: it does not stay in the browser's history. */
function takeLoginCode(): string | undefined {
  const [, code] = loginLink.exec(location.hash) ?? [];
  if (code !== undefined) history.replaceState(undefined, "", location.pathname);
  return code;
}

export function Console(): JSX.Element {
  const { language, theme } = useStore(settings);
  const spoken = language ?? languageOf(navigator.languages);
  const words = useMemo(() => {
    const locale = localeOf(spoken, navigator.languages);
    return { t: strings[spoken], f: formatsOf(locale) };
  }, [spoken]);
  const [standing, setStanding] = useState<Standing>({ state: "asking" });
  const client = useMemo(
    () =>
      createClient(() =>
        setStanding((now) => ({
          state: "out",
          was: now.state === "in" ? "ended" : now.state === "out" ? now.was : "new",
        })),
      ),
    [],
  );
  const ask = async (): Promise<void> => {
    setStanding({ state: "asking" });
    const code = takeLoginCode();
    try {
      if (code === undefined) await client.ask("/session");
      else await client.ask("/session", { method: "POST", body: { code } });
      setStanding({ state: "in" });
    } catch (error) {
      const isOut = error instanceof Problem && error.code === "unauthorized";
      if (isOut && code !== undefined) setStanding({ state: "out", was: "used-link" });
      else if (!isOut) setStanding({ state: "failed", error });
    }
  };
  useEffect(() => void ask(), []);
  useEffect(() => {
    document.documentElement.lang = spoken;
    document.documentElement.dataset["theme"] = theme;
  }, [spoken, theme]);
  return (
    <WordsContext.Provider value={words}>
      {standing.state === "in" && (
        <Desk client={client} onSignedOut={() => setStanding({ state: "out", was: "new" })} />
      )}
      {standing.state === "out" && (
        <SignIn client={client} was={standing.was} onSignedIn={() => setStanding({ state: "in" })} />
      )}
      {standing.state === "asking" && <Loading />}
      {standing.state === "failed" && (
        <main class="sign-in">
          <ProblemBox error={standing.error} onRetry={() => void ask()} />
        </main>
      )}
    </WordsContext.Provider>
  );
}
