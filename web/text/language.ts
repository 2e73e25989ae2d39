// Which language the console speaks. Pure.
export const languages = ["en", "de", "fr", "es"] as const;
export type Language = (typeof languages)[number];

export function isLanguage(text: unknown): text is Language {
  return languages.some((language) => language === text);
}

/** The first of the browser's languages that there is. */
export function languageOf(wanted: readonly string[]): Language {
  return wanted.map((tag) => tag.toLowerCase().split("-")[0]).find(isLanguage) ?? "en";
}

/** How numbers and times are written: as in the browser's region where it speaks that language. */
export function localeOf(language: Language, wanted: readonly string[]): string {
  return wanted.find((tag) => tag.toLowerCase().split("-")[0] === language) ?? (language === "en" ? "en-GB" : language);
}
