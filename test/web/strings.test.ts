// Every language of the console says everything, in its own words and with what it is given.
import { describe, expect, test } from "vitest";
import { allCauses } from "../../src/core/call/model/cause.ts";
import { strings } from "../../web/strings/all.ts";
import { languageOf, languages, localeOf } from "../../web/text/language.ts";

type Said = string | ((...given: readonly unknown[]) => string);

function leavesOf(value: unknown, path = ""): readonly (readonly [string, Said])[] {
  if (typeof value === "string" || typeof value === "function") return [[path, value as Said]];
  return Object.entries(value as object).flatMap(([key, inner]) =>
    leavesOf(inner, path === "" ? key : `${path}.${key}`),
  );
}

const leaves = Object.fromEntries(languages.map((language) => [language, new Map(leavesOf(strings[language]))]));
const english = leaves["en"] ?? new Map<string, Said>();

/** Of what is counted, and of what is named. */
function saidOf(said: Said, count: number): string {
  return typeof said === "string"
    ? said
    : said(...[1, 2, 3].slice(0, said.length).map((at) => (at === 1 ? count : `<${at}>`)));
}

/** The same word in both languages, or one that engineers do not translate. */
const shared =
  /^(calls\.ready|pages\.(bridge|limits|trunks)|limits\.(title|scopes\.\w+)|trunks\.title|bridge\.(title|version|status)|call\.(trunk|codec|converted|person|results\.bridge|sipStatus|direction\.\w+)|numbers\.(barred\.satellite|route|over|matches\.\w+|asCaller)|quality\.(jitter|mos)|history\.person|ladder\.(lanes\.\w+|message)|link\.live|state\.version|no|then|shortcuts\.\w+|quality\.words\.\w+)$/;

describe.each(languages.filter((language) => language !== "en"))("%s", (language) => {
  const own = leaves[language] ?? new Map<string, Said>();

  test("has exactly the strings of English", () => {
    expect([...own.keys()].toSorted()).toEqual([...english.keys()].toSorted());
  });

  test("leaves nothing empty and nothing in English", () => {
    const same = [...own].filter(
      ([path, said]) => saidOf(said, 2) === saidOf(english.get(path) ?? "", 2) && !shared.test(path),
    );
    expect(same.map(([path, said]) => `${path}: ${saidOf(said, 2)}`)).toEqual([]);
    expect([...own].filter(([, said]) => saidOf(said, 2).trim() === "").map(([path]) => path)).toEqual([]);
  });

  test("says whatever English says of what it is given", () => {
    const silent = [...own].filter(([path, said]) =>
      ["7", "<2>", "<3>"].some(
        (given) => saidOf(english.get(path) ?? "", 7).includes(given) && !saidOf(said, 7).includes(given),
      ),
    );
    expect(silent.map(([path]) => path)).toEqual([]);
  });
});

test("every cause has its words in every language", () => {
  for (const language of languages)
    expect(Object.keys(strings[language].call.causes).toSorted()).toEqual(allCauses.toSorted());
});

test("counts in the plural of the language", () => {
  expect([0, 1, 2].map(strings.en.calls.count)).toEqual(["0 calls", "1 call", "2 calls"]);
  expect([0, 1, 2].map(strings.fr.calls.count)).toEqual(["0 appel", "1 appel", "2 appels"]);
  expect([0, 1, 2].map(strings.de.calls.count)).toEqual(["0 Anrufe", "1 Anruf", "2 Anrufe"]);
  expect(strings.en.trunks.pauseBody(0)).not.toMatch(/\d|undefined/);
});

test("speaks the first of the browser's languages that it knows, as its region writes numbers", () => {
  expect(languageOf(["pt-BR", "fr-CA", "en"])).toBe("fr");
  expect(languageOf(["ja"])).toBe("en");
  expect(localeOf("de", ["en-US", "de-AT"])).toBe("de-AT");
  expect(localeOf("en", ["de"])).toBe("en-GB");
});
