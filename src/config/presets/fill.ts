// Placeholders of presets, `%{server}`, and what stands in their place.
import type { Setting, Settings } from "../writing/commented.ts";

export type Answers = Readonly<Record<string, string>>;

const placeholder = /%\{(\w+)\}/g;

export function placeholdersIn(text: string): readonly string[] {
  return [...text.matchAll(placeholder)].map(([, key = ""]) => key);
}

export function fillText(text: string, answers: Answers): string {
  return text.replaceAll(placeholder, (_, key: string) => answers[key] ?? "");
}

/** A setting with an empty answer is left out, and so is a section or list of which nothing is left. */
export function fillSettings(settings: Settings, answers: Answers): Settings {
  const filled = Object.entries(settings).flatMap(([key, value]) => {
    const found = value === undefined ? undefined : fillSetting(value, answers);
    return found === undefined ? [] : [[key, found] as const];
  });
  return Object.fromEntries(filled);
}

function fillSetting(value: Setting, answers: Answers): Setting | undefined {
  if (typeof value === "string") return fillString(value, answers);
  if (typeof value !== "object") return value;
  if (isList(value)) {
    const items = value.flatMap((item) => fillSetting(item, answers) ?? []);
    return items.length === 0 && value.length > 0 ? undefined : items;
  }
  const section = fillSettings(value, answers);
  return Object.keys(section).length === 0 && Object.keys(value).length > 0 ? undefined : section;
}

function fillString(text: string, answers: Answers): Setting | undefined {
  if (placeholdersIn(text).some((key) => !answers[key])) return undefined;
  const filled = fillText(text, answers);
  // A port alone is a number; what looks like one elsewhere is an account or a telephone number.
  return /^%\{\w*port\}$/.test(text) ? Number(filled) : filled;
}

/** A line that names `called` is written for each of the numbers. */
export function fillLines(lines: readonly string[], answers: Answers, called: readonly string[]): string[] {
  return lines.flatMap((line) => {
    if (!placeholdersIn(line).includes("called")) return [fillText(line, answers)];
    return called.map((number) => fillText(line, { ...answers, called: number }));
  });
}

function isList(value: Setting): value is readonly Setting[] {
  return Array.isArray(value);
}
