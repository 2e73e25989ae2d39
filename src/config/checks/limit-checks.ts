// Checks of limits across keys: an entry that can never count is worse than none where it was to save money.
import { countries, type Country } from "../../core/number/e164.ts";
import type { ConfigFinding, ConfigPath } from "../reading/problem.ts";
import type { Config } from "../schema/schema.ts";

const known: ReadonlySet<string> = new Set<Country>(countries);

export function* checkLimits(config: Config): Generator<ConfigFinding> {
  const { limits, permissions, trunks } = config;
  const names = trunks.map(({ name }) => name);
  for (const name of Object.keys(limits.trunks)) {
    if (!names.includes(name))
      yield {
        path: ["limits", "trunks", name],
        message: `should have the name of a trunk as its key: ${names.join(", ")}`,
      };
  }
  for (const name of Object.keys(limits.countries)) {
    if (name !== "*" && !known.has(name) && !/^\+[1-9]\d{0,2}$/.test(name)) {
      const message = "should have a country as its key, such as GB, a calling code such as +881, or * (in quotes)";
      yield { path: ["limits", "countries", name], message };
    }
  }
  if (limits.rates_file !== undefined || limits.default_rate !== undefined) return;
  if (limits.patterns.expensive_from !== undefined)
    yield {
      path: ["limits", "patterns", "expensive_from"],
      message: "needs limits.rates_file or limits.default_rate, or calls have no price",
    };
  const sections: readonly (readonly [ConfigPath, object])[] = [
    [["limits", "per_user"], limits.per_user],
    [["limits", "in_all"], limits.in_all],
    ...Object.entries(limits.trunks).map(([name, entry]) => [["limits", "trunks", name], entry] as const),
    ...Object.entries(limits.countries).map(([name, entry]) => [["limits", "countries", name], entry] as const),
    ...Object.entries(permissions).flatMap(([name, entry]) =>
      typeof entry === "string" ? [] : [[["permissions", name], entry] as const],
    ),
  ];
  for (const [path, entry] of sections) {
    for (const key of ["money_per_day", "money_per_month"]) {
      if (Object.entries(entry).some(([name, value]) => name === key && value !== undefined))
        yield {
          path: [...path, key],
          message: "needs limits.rates_file or limits.default_rate, or calls have no price",
        };
    }
  }
}
