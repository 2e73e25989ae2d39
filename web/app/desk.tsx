// What whoever is signed in has before them: the menu, the state of the bridge, the page, and what speaks up for a moment.
import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Client } from "../api/client.ts";
import { Confirm, type Confirming } from "../parts/confirm.tsx";
import { BridgePage } from "../pages/bridge.tsx";
import { CallPage } from "../pages/call.tsx";
import { CallsPage } from "../pages/calls.tsx";
import { HistoryPage } from "../pages/history.tsx";
import { LimitsPage } from "../pages/limits.tsx";
import { NumbersPage } from "../pages/numbers.tsx";
import { TrunksPage } from "../pages/trunks.tsx";
import { createLiveFeed } from "../state/live.ts";
import { useWords } from "../text/use-words.ts";
import { placeOf, type Place } from "./router.ts";
import { Header, Menu, Notes } from "./frame.tsx";
import { SettingsDialog } from "./settings-dialog.tsx";
import { ShortcutsDialog, useShortcuts } from "./shortcuts.tsx";
import { AppContext, type App } from "./use-app.ts";
import { useHappenings } from "./happenings.ts";

interface DeskProps {
  readonly client: Client;
  readonly onSignedOut: () => void;
}

interface Asking {
  readonly question: Confirming;
  readonly answer: (given: Readonly<Record<string, string>> | undefined) => void;
}

interface Said {
  readonly words: string;
  readonly kind: "done" | "failed";
}

const sayMs = 6_000;

export function Desk({ client, onSignedOut }: DeskProps): JSX.Element {
  const { t } = useWords();
  const place = usePlace();
  const [asking, setAsking] = useState<Asking | undefined>();
  const [dialog, setDialog] = useState<"settings" | "shortcuts" | undefined>();
  const [said, setSaid] = useState<Said | undefined>();
  const feed = useMemo(() => createLiveFeed(client), [client]);
  useEffect(() => {
    feed.start();
    return () => feed.stop();
  }, [feed]);
  useEffect(() => {
    if (said === undefined) return;
    const timer = setTimeout(() => setSaid(undefined), sayMs);
    return () => clearTimeout(timer);
  }, [said]);
  const app = useMemo<App>(
    () => ({
      client,
      feed,
      confirm: (question) =>
        new Promise((resolve) =>
          setAsking({
            question,
            answer(given) {
              setAsking(undefined);
              resolve(given);
            },
          }),
        ),
      announce: (words, kind = "done") => setSaid({ words, kind }),
      signOut: () => void client.ask("/session", { method: "DELETE" }).finally(onSignedOut),
    }),
    [client, feed, onSignedOut],
  );
  useHappenings(feed, app.announce);
  useShortcuts(setDialog);
  const main = useTitleAndFocus(place);
  return (
    <AppContext.Provider value={app}>
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          main.current?.focus();
        }}
      >
        {t.skip}
      </a>
      <Header onOpen={setDialog} />
      <Menu page={place.page} />
      <main id="main" ref={main} tabIndex={-1}>
        <Notes />
        <Page place={place} />
      </main>
      <div class={`said ${said?.kind ?? ""}`} role="status">
        {said?.words}
      </div>
      {asking !== undefined && <Confirm question={asking.question} onAnswer={asking.answer} />}
      {dialog === "settings" && <SettingsDialog onClose={() => setDialog(undefined)} />}
      {dialog === "shortcuts" && <ShortcutsDialog onClose={() => setDialog(undefined)} />}
    </AppContext.Provider>
  );
}

function Page({ place }: { readonly place: Place }): JSX.Element {
  switch (place.page) {
    case "calls":
      return place.id === undefined ? <CallsPage /> : <CallPage key={place.id} id={place.id} />;
    case "trunks":
      return <TrunksPage />;
    case "history":
      return <HistoryPage query={place.query} />;
    case "numbers":
      return <NumbersPage query={place.query} />;
    case "limits":
      return <LimitsPage />;
    case "bridge":
      return <BridgePage />;
  }
}

function usePlace(): Place {
  const [place, setPlace] = useState(() => placeOf(location.hash));
  useEffect(() => {
    const follow = (): void => setPlace(placeOf(location.hash));
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return place;
}

/** A new page is named in the window's title, and keys go on in it. */
function useTitleAndFocus({ page, id }: Place) {
  const { t } = useWords();
  const main = useRef<HTMLElement>(null);
  const shown = useRef<string | undefined>(undefined);
  useEffect(() => {
    document.title = `${t.pages[page]} · ${t.title}`;
    const at = `${page}/${id ?? ""}`;
    if (shown.current !== undefined && shown.current !== at) {
      main.current?.focus();
      scrollTo(0, 0);
    }
    shown.current = at;
  }, [t, page, id]);
  return main;
}
