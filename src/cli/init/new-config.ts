// `init` where there is no configuration: asks, writes everything, says what is left to do.
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { adviseOn } from "../../config/checks/advice.ts";
import { parseConfig } from "../../config/load.ts";
import { toRegistrationFacts } from "../../config/mapping/mapping.ts";
import { countries } from "../../core/number/e164.ts";
import { formatPath } from "../../config/reading/problem.ts";
import { environmentName } from "../../config/reading/secrets.ts";
import { encryptionSecretPath, writeEncryptionSecret } from "../../config/registration/encryption-secret.ts";
import { peopleRegistrationPath, writePeopleRegistration } from "../../config/registration/people-registration.ts";
import { loadRegistration, makeRegistration, writeRegistration } from "../../config/registration/registration.ts";
import { problemAt } from "../../config/setup/check-answer.ts";
import { draftConfig, type SetupChoices } from "../../config/setup/draft.ts";
import { commentedFile } from "../../config/writing/commented.ts";
import type { AskOutside } from "../../matrix/http/outside.ts";
import type { Terminal } from "../terminal.ts";
import type { Accounts } from "./accounts.ts";
import { askHomeserver } from "./ask-homeserver.ts";
import { askAllowed, askRings } from "./ask-numbers.ts";
import { askTrunk, chooseName, choosePreset, presetWords, type AskedTrunk } from "./ask-trunk.ts";
import type { InitFlags } from "./flags.ts";
import { callStep, formatSteps, homeserverSteps, startSteps, trunkSteps, type Registrations } from "./instructions.ts";
import type { Interview } from "./interview.ts";
import { copyForUser, openWriter } from "./write-files.ts";

const head = `# Configuration of matrix-appservice-sip, written by its command init: what was chosen, and what it means. Everything else has its
# default; config.sample.yaml explains all settings. Check this file after a change: matrix-appservice-sip --check
`;

interface Plan extends SetupChoices {
  readonly trunk: AskedTrunk;
}

export async function askEverything(
  flags: InitFlags,
  interview: Interview,
  outside: AskOutside,
  env: Terminal["env"],
): Promise<Plan> {
  const countryQuestion = {
    flag: "--country",
    given: flags.country,
    words: "In which country are numbers that are dialled without a country code? (two letters, such as GB)",
  };
  interview.expect([
    countryQuestion,
    { flag: "--trunk", given: flags.trunk, words: presetWords },
    { flag: "--allow", given: flags.allow, words: "Who may call telephones, at your expense?" },
  ]);
  const homeserver = await askHomeserver(flags, interview, outside);
  const country = await interview.ask({
    ...countryQuestion,
    fallback: interview.isDialogue ? countryOf(env) : undefined,
    check: (answer) => problemAt(["dial_plan", "country"], { dial_plan: { country: answer } }),
  });
  const preset = await choosePreset(flags, interview);
  const name = chooseName(flags, preset, []);
  const { domain } = homeserver;
  const rings = await askRings(flags, interview, { domain, country, trunk: name, numbers: [] });
  const number = rings.find(({ called }) => /^\+\d+$/.test(called))?.called;
  const trunk = await askTrunk({ preset, name, number }, flags, interview);
  const allow = await askAllowed(flags, interview, homeserver, rings);
  return { homeserver, country, trunk, rings, allow, joinForPeople: flags.joinForPeople === true };
}

/** `en_GB.UTF-8` is a person in Britain. */
function countryOf(env: Terminal["env"]): string | undefined {
  const found = /^[a-z]{2,3}_([A-Z]{2})/.exec(env["LC_ALL"] ?? env["LC_TELEPHONE"] ?? env["LANG"] ?? "")?.[1];
  return countries.find((country) => country === found);
}

/** Throws ConfigError, with nothing left behind. */
export function writeEverything(
  plan: Plan,
  flags: InitFlags,
  terminal: Terminal,
  accounts: Accounts,
  showsSecret: boolean,
): void {
  const { trunk } = plan;
  const text = commentedFile(head, draftConfig(plan));
  const config = parseConfig(text, {
    configPath: flags.config,
    env: { ...terminal.env, [environmentName("TRUNK", trunk.name, "PASSWORD")]: trunk.answers["secret"] },
  });
  const facts = toRegistrationFacts(config);
  const secretPath = encryptionSecretPath({ configPath: flags.config, registrationPath: flags.file, config });
  const peoplePath = config.inbound.join_for_people ? peopleRegistrationPath(flags.file) : undefined;
  const writer = openWriter(accounts);
  try {
    if (existsSync(flags.file)) loadRegistration(flags.file, facts);
    else {
      const registration = makeRegistration(facts, plan.homeserver.appserviceUrl);
      writer.createBy(flags.file, () => writeRegistration(flags.file, registration));
    }
    if (peoplePath !== undefined && !existsSync(peoplePath))
      writer.createBy(peoplePath, () => writePeopleRegistration(peoplePath, facts));
    if (!existsSync(secretPath)) writer.createBy(secretPath, () => writeEncryptionSecret(secretPath));
    if (trunk.newSecret) writer.create(trunk.newSecret.path, `${trunk.newSecret.text}\n`);
    writer.create(flags.config, text);
  } catch (error) {
    writer.undo();
    throw error;
  }
  const registrations = handOver(plan, flags, peoplePath, accounts);
  const { preset, domain } = plan.homeserver;
  const steps = [
    ...homeserverSteps(preset, registrations),
    ...trunkSteps(trunk, calledNumbers(plan), showsSecret),
    ...startSteps(flags, preset),
    callStep(preset, domain),
  ];
  terminal.out(
    `Written:\n${writer
      .made()
      .map(({ path, access }) => `  ${path} (${access})\n`)
      .join("")}`,
  );
  for (const { path, message } of adviseOn(config))
    terminal.out(`warning: ${flags.config}: ${formatPath(path)} ${message}\n`);
  if (trunk.preset.runWith === undefined)
    terminal.out(`The preset ${trunk.preset.id} follows ${trunk.preset.sources[0].url}; nobody has run it yet.\n`);
  terminal.out(`\n${formatSteps(steps)}`);
}

/** Those that a dial plan can have; blocks and names are for the admin to write. */
export function calledNumbers({ rings }: Pick<SetupChoices, "rings">): readonly string[] {
  return rings.flatMap(({ called }) => (/^\+?\d+$/.test(called) ? [called] : []));
}

/** Gives the homeserver its own copies, as far as this process may; else says how. */
function handOver(plan: Plan, flags: InitFlags, peoplePath: string | undefined, accounts: Accounts): Registrations {
  const { handing } = plan.homeserver.preset;
  const own = [flags.file, ...(peoplePath === undefined ? [] : [peoplePath])];
  if (handing.kind === "command") return { paths: own, commands: [] };
  const user = flags.homeserverUser ?? handing.user;
  const main = resolve(flags.registrationCopy ?? join(handing.folder, "matrix-appservice-sip.yaml"));
  const copies = own.map((from, index) => ({
    from,
    to: index === 0 ? main : join(dirname(main), "matrix-appservice-sip-people.yaml"),
  }));
  const left = copies.filter(({ from, to }) => !copyForUser(from, to, user, accounts));
  return {
    paths: copies.map(({ to }) => to),
    commands: left.map(({ from, to }) => `sudo install -o ${user} -m 400 ${resolve(from)} ${to}`),
  };
}
