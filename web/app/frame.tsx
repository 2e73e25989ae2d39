// What stands around every page: the name, the menu, whether the page is up to date, what is wrong with the bridge.
import type { JSX } from "preact";
import { Icon } from "../parts/icons.tsx";
import { Mark } from "../parts/small.tsx";
import { useWords } from "../text/use-words.ts";
import { hrefOf, pages, type PageName } from "./router.ts";
import { useApp, useLive } from "./use-app.ts";

export function Header({ onOpen }: { readonly onOpen: (dialog: "settings" | "shortcuts") => void }): JSX.Element {
  const { t } = useWords();
  const { signOut } = useApp();
  return (
    <header class="head">
      <p class="brand">
        <Icon name="bridge" />
        <span>{t.title}</span>
      </p>
      <LinkState />
      <div class="head-buttons">
        <button type="button" class="plain wide-only" title={t.shortcuts.title} onClick={() => onOpen("shortcuts")}>
          <Icon name="help" />
          <span class="unseen">{t.shortcuts.title}</span>
        </button>
        <button type="button" class="plain" title={t.settings.title} onClick={() => onOpen("settings")}>
          <Icon name="settings" />
          <span class="unseen">{t.settings.title}</span>
        </button>
        <button type="button" class="plain" onClick={signOut}>
          {t.signIn.out}
        </button>
      </div>
    </header>
  );
}

/** Said when it changes, and not each time that something comes. */
function LinkState(): JSX.Element {
  const { t } = useWords();
  const { link } = useLive();
  const tone = link === "live" ? "good" : link === "lost" ? "warn" : "calm";
  return (
    <div class="link-state" role="status">
      <Mark tone={tone}>{t.link[link]}</Mark>
    </div>
  );
}

export function Menu({ page }: { readonly page: PageName }): JSX.Element {
  const { t } = useWords();
  const { calls } = useLive();
  return (
    <nav class="menu" aria-label={t.main}>
      <ul>
        {pages.map((name) => (
          <li key={name}>
            <a href={hrefOf(name)} aria-current={name === page ? "page" : undefined}>
              <Icon name={name} />
              <span>{t.pages[name]}</span>
              {name === "calls" && calls !== undefined && calls.length > 0 && (
                <span class="count" aria-label={t.calls.count(calls.length)}>
                  {calls.length}
                </span>
              )}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** What whoever reads the page has to know before all else. */
export function Notes(): JSX.Element {
  const { t, f } = useWords();
  const { link, atMs, status } = useLive();
  const missing = Object.entries(status?.parts ?? {}).filter(([, { ready }]) => !ready);
  return (
    <>
      {link === "lost" && <p class="note warn">{t.link.old(f.clock(atMs))}</p>}
      {status?.closed !== undefined && <p class="note warn">{t.state[status.closed]}</p>}
      {missing.length > 0 && (
        <div class="note bad">
          <p>{t.state.notReady}</p>
          <ul lang="en">
            {missing.map(([name, { detail }]) => (
              <li key={name}>
                <strong>{name}</strong>: {detail}
              </li>
            ))}
          </ul>
        </div>
      )}
    </>
  );
}
