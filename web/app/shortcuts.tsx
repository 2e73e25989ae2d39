// Keys that do something anywhere in the console, and the list of them.
import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { Dialog } from "../parts/confirm.tsx";
import { settings } from "../state/settings.ts";
import { useStore } from "../state/use-store.ts";
import { useWords } from "../text/use-words.ts";
import { hrefOf, type PageName } from "./router.ts";

/** Behind g. */
const places: Readonly<Record<string, PageName>> = {
  c: "calls",
  t: "trunks",
  h: "history",
  n: "numbers",
  l: "limits",
  b: "bridge",
};
const pairMs = 1_500;

export function useShortcuts(open: (dialog: "settings" | "shortcuts") => void): void {
  const firstAtMs = useRef(-pairMs);
  useLayoutEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.altKey || event.metaKey || isTyping(event.target)) return;
      if (!settings.get().shortcuts || document.querySelector("dialog[open]") !== null) return;
      const isSecond = event.timeStamp - firstAtMs.current < pairMs;
      firstAtMs.current = !isSecond && event.key === "g" ? event.timeStamp : -pairMs;
      const page = isSecond ? places[event.key] : undefined;
      if (page !== undefined) location.hash = hrefOf(page);
      else if (event.key === "?") open("shortcuts");
      else if (event.key === ",") open("settings");
      else if (event.key === "/") search();
      else if (event.key === "x") press("[data-hang-up]");
      else if (event.key === "j" && isNowhere()) focusFirstRow();
      else return;
      event.preventDefault();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [open]);
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches("input:not([type=checkbox], [type=radio]), select, textarea");
}

function isNowhere(): boolean {
  const { activeElement } = document;
  return activeElement?.closest("tbody, [data-ladder]") === null;
}

function focusFirstRow(): void {
  document.querySelector<HTMLElement>("tbody a, tbody button")?.focus();
}

/** In the row that has the focus, or the only one on the page. */
function press(selector: string): void {
  const row = document.activeElement?.closest("tr");
  const found = row?.querySelector<HTMLElement>(selector);
  const all = document.querySelectorAll<HTMLElement>(selector);
  (found ?? (all.length === 1 ? all[0] : undefined))?.click();
}

function search(): void {
  const field = document.querySelector<HTMLElement>("[data-search]");
  if (field !== null) field.focus();
  else location.hash = hrefOf("history");
}

export function ShortcutsDialog({ onClose }: { readonly onClose: () => void }): JSX.Element {
  const { t } = useWords();
  const { shortcuts } = useStore(settings);
  const rows: readonly (readonly [readonly string[], string])[] = [
    [["?"], t.shortcuts.help],
    [[","], t.shortcuts.settings],
    ...Object.entries(places).map(([key, page]) => [["g", key], t.shortcuts.go(t.pages[page])] as const),
    [["/"], t.shortcuts.search],
    [["j"], t.shortcuts.next],
    [["k"], t.shortcuts.previous],
    [["Enter"], t.shortcuts.open],
    [["x"], t.shortcuts.hangUp],
    [["Esc"], t.shortcuts.close],
  ];
  return (
    <Dialog title={t.shortcuts.title} onClose={onClose}>
      {!shortcuts && <p class="note">{t.shortcuts.off}</p>}
      <table class="keys">
        <thead class="unseen">
          <tr>
            <th scope="col">{t.shortcuts.keys}</th>
            <th scope="col">{t.shortcuts.does}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([keys, does]) => (
            <tr key={does}>
              <td>
                {keys.map((key, index) => (
                  <>
                    {index > 0 && <span class="faint"> {t.shortcuts.andThen} </span>}
                    <kbd>{key}</kbd>
                  </>
                ))}
              </td>
              <td>{does}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <div class="buttons">
        <button type="button" class="primary" onClick={onClose}>
          {t.close}
        </button>
      </div>
    </Dialog>
  );
}
