import type { JSX } from "preact";
import { Dialog } from "../parts/confirm.tsx";
import { choose, settings, themes } from "../state/settings.ts";
import { useStore } from "../state/use-store.ts";
import { strings } from "../strings/all.ts";
import { isLanguage, languageOf, languages } from "../text/language.ts";
import { useWords } from "../text/use-words.ts";
import { useLive } from "./use-app.ts";

export function SettingsDialog({ onClose }: { readonly onClose: () => void }): JSX.Element {
  const { t } = useWords();
  const { language, theme, shortcuts } = useStore(settings);
  const { status } = useLive();
  return (
    <Dialog title={t.settings.title} onClose={onClose}>
      <label class="field">
        <span>{t.settings.language}</span>
        <select
          value={language ?? languageOf(navigator.languages)}
          onChange={({ currentTarget: { value } }) => {
            if (isLanguage(value)) choose({ language: value });
          }}
        >
          {languages.map((one) => (
            <option key={one} value={one} lang={one}>
              {strings[one].language}
            </option>
          ))}
        </select>
      </label>
      <fieldset class="choices">
        <legend>{t.settings.theme}</legend>
        {themes.map((one) => (
          <label key={one}>
            <input type="radio" name="theme" checked={one === theme} onChange={() => choose({ theme: one })} />
            {t.settings.themes[one]}
          </label>
        ))}
      </fieldset>
      <label class="choice">
        <input
          type="checkbox"
          checked={shortcuts}
          onChange={({ currentTarget: { checked } }) => choose({ shortcuts: checked })}
        />
        {t.settings.shortcuts}
      </label>
      <div class="buttons">
        {status !== undefined && <span class="faint">{t.state.version(status.version)}</span>}
        <button type="button" class="primary" onClick={onClose}>
          {t.close}
        </button>
      </div>
    </Dialog>
  );
}
