// What somebody has chosen for this browser. It is kept there, and is no secret.
import { createStore } from "./store.ts";
import { isLanguage, type Language } from "../text/language.ts";

export const themes = ["auto", "light", "dark"] as const;

export interface Settings {
  /** Undefined: the browser's. */
  readonly language: Language | undefined;
  readonly theme: (typeof themes)[number];
  /** Whether keys without Ctrl or Alt do something (WCAG 2.1.4). */
  readonly shortcuts: boolean;
}

const key = "telephone-bridge";

export const settings = createStore<Settings>(stored());

export function choose(change: Partial<Settings>): void {
  settings.set((now) => ({ ...now, ...change }));
  try {
    localStorage.setItem(key, JSON.stringify(settings.get()));
  } catch {
    // A browser that keeps nothing asks again next time.
  }
}

function stored(): Settings {
  const found = read();
  return {
    language: isLanguage(found["language"]) ? found["language"] : undefined,
    theme: themes.find((theme) => theme === found["theme"]) ?? "auto",
    shortcuts: found["shortcuts"] !== false,
  };
}

function read(): Readonly<Record<string, unknown>> {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(key) ?? "{}");
    return typeof found === "object" && found !== null ? (found as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
