// `init` where there is a configuration: adds a trunk or numbers, and leaves the rest of the file as it is.
import { readFileSync } from "node:fs";
import { loadConfig, parseConfig } from "../../config/load.ts";
import { ConfigError } from "../../config/reading/problem.ts";
import { environmentName } from "../../config/reading/secrets.ts";
import type { Config } from "../../config/schema/schema.ts";
import { problemAt } from "../../config/setup/check-answer.ts";
import { toNumberEntry, type Ring } from "../../config/setup/choices.ts";
import { draftTrunk } from "../../config/setup/draft.ts";
import { AdditionError, appendToList } from "../../config/writing/additions.ts";
import type { Setting } from "../../config/writing/commented.ts";
import type { Terminal } from "../terminal.ts";
import type { Accounts } from "./accounts.ts";
import { askRings } from "./ask-numbers.ts";
import { askTrunk, chooseName, choosePreset, type AskedTrunk } from "./ask-trunk.ts";
import { refuseFlagsOfNew, type InitFlags } from "./flags.ts";
import { checkStep, formatSteps, trunkSteps } from "./instructions.ts";
import { UsageError, type Interview } from "./interview.ts";
import { calledNumbers } from "./new-config.ts";
import { openWriter, replaceFile } from "./write-files.ts";

interface Addition {
  readonly trunk: AskedTrunk | undefined;
  /** First characters of numbers that go out over the trunk. */
  readonly prefixes: readonly string[];
  readonly rings: readonly Ring[];
  readonly config: Config;
}

const what = [
  { id: "trunk", title: "a trunk" },
  { id: "number", title: "numbers that ring somebody" },
] as const;

/** Throws ConfigError if the configuration has to be mended first. */
export async function askAddition(flags: InitFlags, interview: Interview, env: Terminal["env"]): Promise<Addition> {
  refuseFlagsOfNew(flags);
  const config = loadConfig(flags.config, env);
  if (!interview.isDialogue && flags.trunk === undefined && flags.ring === undefined)
    throw new UsageError(
      `${flags.config} exists already, and is not overwritten: say what to add to it, with --trunk or --ring`,
    );
  interview.say(`${flags.config} is there already. Something can be added to it.\n`);
  const given = flags.trunk !== undefined ? "trunk" : flags.ring !== undefined ? "number" : undefined;
  const { id } = await interview.choose({ flag: "--trunk", given, words: "What is added?" }, what);
  const names = config.trunks.map(({ name }) => name);
  const [first = ""] = names;
  const context = {
    domain: config.homeserver.domain,
    country: config.dial_plan.country,
    numbers: config.inbound.numbers as readonly Setting[],
  };
  if (id === "number") {
    const rings = await askRings(flags, interview, { ...context, trunk: first });
    return { trunk: undefined, prefixes: [], rings, config };
  }
  const preset = await choosePreset(flags, interview);
  const name = chooseName(flags, preset, names);
  const rings = await askRings(flags, interview, { ...context, trunk: name });
  const number = rings.find(({ called }) => /^\+\d+$/.test(called))?.called;
  const trunk = await askTrunk({ preset, name, number }, flags, interview);
  const prefixes = await askPrefixes(flags, interview, config);
  return { trunk, prefixes, rings, config };
}

async function askPrefixes(flags: InitFlags, interview: Interview, config: Config): Promise<readonly string[]> {
  const { routes } = config.dial_plan;
  const check = (prefix: string): string | undefined =>
    routes.some((route) => route.prefix === prefix)
      ? `dial_plan.routes has the prefix ${prefix} already; edit it there`
      : problemAt(["dial_plan", "routes", 0, "prefix"], {
          dial_plan: { country: "GB", routes: [{ prefix, trunk: "main" }] },
        });
  for (const prefix of flags.route ?? []) {
    const problem = check(prefix);
    if (problem !== undefined) throw new UsageError(`--route ${prefix}: ${problem}`);
  }
  if (flags.route !== undefined || !interview.isDialogue) return flags.route ?? [];
  const prefix = await interview.ask({
    flag: "--route",
    given: undefined,
    words: "Which numbers go out over it? (how they begin, such as +49; empty: none, it only brings calls)",
    isOptional: true,
    check,
  });
  return prefix === "" ? [] : [prefix];
}

/** Throws ConfigError, with nothing changed. */
export function writeAddition(
  { trunk, prefixes, rings, config }: Addition,
  flags: InitFlags,
  terminal: Terminal,
  accounts: Accounts,
  showsSecret: boolean,
): void {
  const [first] = config.trunks;
  const name = trunk?.name ?? first?.name ?? "";
  const routes = prefixes.map((prefix): Setting => ({ prefix, trunk: name }));
  // With routes, a number that matches none is refused: what went to the first trunk goes on going there.
  const others: readonly Setting[] =
    routes.length > 0 && config.dial_plan.routes.length === 0 && !prefixes.includes("")
      ? [{ prefix: "", trunk: first?.name ?? "" }]
      : [];
  const numbers = rings.map((ring) => toNumberEntry(ring, name));
  let text = readFileSync(flags.config, "utf8");
  try {
    text = appendToList(text, ["trunks"], trunk === undefined ? [] : [draftTrunk(trunk, rings)]);
    text = appendToList(text, ["dial_plan", "routes"], [...routes, ...others]);
    text = appendToList(text, ["inbound", "numbers"], numbers);
  } catch (error) {
    if (!(error instanceof AdditionError)) throw error;
    throw new ConfigError(flags.config, [{ path: [], message: `is not changed: ${error.message}`, line: undefined }], {
      cause: error,
    });
  }
  const secret = trunk === undefined ? {} : { [environmentName("TRUNK", name, "PASSWORD")]: trunk.answers["secret"] };
  parseConfig(text, { configPath: flags.config, env: { ...terminal.env, ...secret } });
  const writer = openWriter(accounts);
  try {
    if (trunk?.newSecret) writer.create(trunk.newSecret.path, `${trunk.newSecret.text}\n`);
    replaceFile(flags.config, text);
  } catch (error) {
    writer.undo();
    throw error;
  }
  const added = [
    ...(trunk === undefined ? [] : [`the trunk ${name}`]),
    ...prefixes.map((prefix) => routeWords(prefix, name)),
    ...(others.length === 0 ? [] : [routeWords("", first?.name ?? "")]),
    ...rings.map(
      ({ called, who }) => `${called === "*" ? "every other number" : called}, which rings ${who.join(", ")}`,
    ),
  ];
  terminal.out(`Added to ${flags.config}:\n${added.map((line) => `  ${line}\n`).join("")}`);
  for (const { path, access } of writer.made()) terminal.out(`Written: ${path} (${access})\n`);
  for (const line of trunk === undefined ? [] : adviseOnMedia(config, trunk)) terminal.out(`note: ${line}\n`);
  const steps = [
    ...(trunk === undefined ? [] : trunkSteps(trunk, calledNumbers({ rings }), showsSecret)),
    checkStep(flags),
    { title: "Restart the bridge.", lines: [] },
  ];
  terminal.out(`\n${formatSteps(steps)}`);
}

function routeWords(prefix: string, trunk: string): string {
  return `the route of ${prefix === "" ? "every other number" : `numbers that begin with ${prefix}`}, to ${trunk}`;
}

/** What a second trunk would need of settings that all trunks share, and that are not changed here. */
function* adviseOnMedia({ media }: Config, { answers }: AskedTrunk): Generator<string> {
  const { host, advertised_host: advertised } = media.rtp;
  const { address, public_address: publicAddress } = answers;
  if (host !== "0.0.0.0" && host !== "::" && address !== host)
    yield `media.rtp.host is ${host}, for all trunks: audio of this one has to reach that address too`;
  if (publicAddress && advertised !== publicAddress)
    yield `audio of this trunk needs media.rtp.advertised_host: ${publicAddress}, which holds for all trunks`;
}
