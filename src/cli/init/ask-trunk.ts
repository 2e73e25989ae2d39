// Which trunk: a preset, and what that asks.
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fillText, type Answers } from "../../config/presets/fill.ts";
import { askKeys, type Ask, type AskKey, type TrunkPreset } from "../../config/presets/preset.ts";
import { trunkPresets } from "../../config/presets/presets.ts";
import type { ConfigPath } from "../../config/reading/problem.ts";
import { configJsonSchema, nodeAt } from "../../config/reading/reference.ts";
import { codeOf } from "../../config/reading/secrets.ts";
import { splitHostPort } from "../../config/schema/scalars.ts";
import { problemAt } from "../../config/setup/check-answer.ts";
import type { TrunkChoice } from "../../config/setup/draft.ts";
import type { Setting, Settings } from "../../config/writing/commented.ts";
import { trunkFlags, type InitFlags } from "./flags.ts";
import { UsageError, type Interview } from "./interview.ts";
import { localAddressTowards } from "./local-address.ts";

export interface AskedTrunk extends TrunkChoice {
  /** A password that no file holds yet. */
  readonly newSecret: { readonly path: string; readonly text: string } | undefined;
}

/** Where an answer goes in a trunk, and how: what the schema says of that is what is checked. */
const settings: Readonly<
  Record<AskKey, { readonly path: readonly string[]; readonly read?: (text: string) => Setting }>
> = {
  server: { path: ["server"] },
  username: { path: ["credentials", "username"] },
  password: { path: ["credentials", "password"] },
  number: { path: ["identity", "default_number"] },
  address: { path: ["listen", "host"] },
  port: { path: ["listen", "port"], read: Number },
  public_address: { path: ["advertised", "host"] },
};

export const presetWords = "Which telephone system or provider is at the other end?";

export async function choosePreset(flags: InitFlags, interview: Interview): Promise<TrunkPreset> {
  const question = { flag: "--trunk", given: flags.trunk, words: presetWords };
  const preset = await interview.choose(question, trunkPresets);
  for (const key of askKeys) {
    const { flag, given } = trunkFlags[key];
    if (given(flags) !== undefined && preset.asks[key] === undefined)
      throw new UsageError(`${flag}: a trunk of the preset ${preset.id} does not have it`);
  }
  return preset;
}

export function chooseName(flags: InitFlags, preset: TrunkPreset, taken: readonly string[]): string {
  const name = flags.name ?? firstFree(preset.id, taken);
  const trunks = [...taken, name].map((one) => ({ name: one, server: "localhost" }));
  const problem = problemAt(["trunks", taken.length], { trunks });
  if (problem !== undefined) throw new UsageError(`--name: ${problem}`);
  return name;
}

function firstFree(id: string, taken: readonly string[]): string {
  for (let count = 1; ; count += 1) {
    const name = count === 1 ? id : `${id}-${count}`;
    if (!taken.includes(name)) return name;
  }
}

/** `number`: the one that is offered as the trunk's own. */
export async function askTrunk(
  { preset, name, number }: { preset: TrunkPreset; name: string; number: string | undefined },
  flags: InitFlags,
  interview: Interview,
): Promise<AskedTrunk> {
  const answers: Record<string, string> = { name };
  let newSecret: AskedTrunk["newSecret"];
  for (const key of askKeys) {
    const ask = preset.asks[key];
    if (ask === undefined) continue;
    if (key === "password") {
      const found = await askPassword(name, ask, flags, interview);
      answers["password"] = found.path;
      answers["secret"] = found.text;
      if (found.isNew) newSecret = { path: join(dirname(flags.config), found.path), text: found.text };
      continue;
    }
    const fallback = await fallbackOf(key, ask, answers, number);
    answers[key] = await interview.ask({
      flag: trunkFlags[key].flag,
      given: trunkFlags[key].given(flags),
      words: ask.question ?? meaningOf(key),
      fallback,
      isOptional: ask.isOptional === true,
      check: (answer) => (answer === "" && ask.isOptional ? undefined : wrongAnswer(key, answer)),
    });
    if (key === "server") {
      const { host = "", port } = splitHostPort(answers["server"] ?? "") ?? {};
      Object.assign(answers, { host, server_port: String(port ?? 5060) });
    }
  }
  return { preset, name, answers, newSecret };
}

async function fallbackOf(
  key: AskKey,
  ask: Ask,
  answers: Answers,
  number: string | undefined,
): Promise<string | undefined> {
  if (key === "address") return localAddressTowards(answers["host"] ?? "");
  if (key === "number" && ask.isOptional !== true) return number;
  return ask.default === undefined ? undefined : fillText(ask.default, answers);
}

/** As the configuration explains it. */
function meaningOf(key: AskKey): string {
  return nodeAt(["trunks", 0, ...settings[key].path], configJsonSchema())?.description ?? key;
}

function wrongAnswer(key: AskKey, answer: string): string | undefined {
  const { path, read } = settings[key];
  const value = path.reduceRight<Setting>((inner, part) => ({ [part]: inner }), read?.(answer) ?? answer) as Settings;
  const at: ConfigPath = ["trunks", 0, ...path];
  return problemAt(at, { trunks: [{ name: "main", server: "localhost", ...value }] });
}

interface FoundPassword {
  /** As the configuration names it: relative to its own folder. */
  readonly path: string;
  readonly text: string;
  readonly isNew: boolean;
}

async function askPassword(name: string, ask: Ask, flags: InitFlags, interview: Interview): Promise<FoundPassword> {
  const folder = dirname(flags.config);
  if (flags.passwordFile !== undefined) {
    const file = resolve(flags.passwordFile);
    const near = relative(resolve(folder), file);
    return { path: near.startsWith("..") ? file : near, text: readPassword(file), isNew: false };
  }
  const path = `${name}-password`;
  if (existsSync(join(folder, path)))
    throw new UsageError(`${join(folder, path)} exists already: take it with --password-file, or remove it`);
  if (ask.isMadeUp) return { path, text: randomBytes(18).toString("base64url"), isNew: true };
  const text = await interview.askSecretly({
    flag: "--password-file",
    given: undefined,
    words: `${ask.question ?? "What is the password of the account?"} (it is not shown)`,
  });
  return { path, text, isNew: true };
}

function readPassword(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, "utf8").replace(/\r?\n$/, "");
  } catch (error) {
    throw new UsageError(`--password-file: ${file} cannot be read: ${codeOf(error)}`);
  }
  if (text === "") throw new UsageError(`--password-file: ${file} is empty`);
  return text;
}
