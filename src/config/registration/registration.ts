// The registration that homeserver and bridge share (Matrix application service API): written once, checked at each start.
// The tokens in it are the only proof either has of the other; no message here holds one.
import { randomBytes } from "node:crypto";
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { stringify } from "yaml";
import * as z from "zod";
import { pstnProtocolNames, virtualUserProtocolNames } from "../../core/number/ghost/protocols.ts";
import { ConfigError, type ConfigProblem } from "../reading/problem.ts";
import { codeOf } from "../reading/secrets.ts";
import { readYaml } from "../reading/yaml-source.ts";

const token = z
  .string({ error: "should be a token in quotes" })
  .min(16, { error: "should be a token of at least 16 characters" });

/** With which Synapse is asked for changed device lists and counts of one-time keys (MSC3202). */
const keyExtensions = "org.matrix.msc3202";

const registrationSchema = z.looseObject(
  {
    id: z.string({ error: "should be text" }).min(1, { error: "should be text" }),
    url: z.string({ error: "should be the URL by which the homeserver reaches the bridge" }).nullable().default(null),
    as_token: token,
    hs_token: token,
    sender_localpart: z
      .string({ error: "should be text" })
      // Synapse refuses a sender that URL quoting would change.
      .regex(/^[A-Za-z0-9._~-]+$/, { error: "should be a localpart of letters, digits, dot, hyphen and underscore" }),
    rate_limited: z.boolean({ error: "should be true or false" }).default(true),
    receive_ephemeral: z.boolean({ error: "should be true or false" }).default(false),
    [keyExtensions]: z.boolean({ error: "should be true or false" }).optional(),
    protocols: z.array(z.string(), { error: "should be a list of protocols" }).default([]),
    namespaces: z.looseObject(
      {
        users: z.array(
          z.looseObject(
            {
              regex: z.string({ error: "should be a regular expression in quotes" }),
              exclusive: z.boolean({ error: "should be true or false" }),
            },
            { error: "should have the keys regex and exclusive" },
          ),
          { error: "should be a list of namespaces" },
        ),
      },
      { error: "should be a section with the key users" },
    ),
  },
  { error: "should be a registration: id, url, as_token, hs_token, sender_localpart, namespaces" },
);

export type Registration = z.infer<typeof registrationSchema>;

/** What the configuration says of the registration. */
export interface RegistrationFacts {
  readonly id: string;
  /** Localpart of the user as whom the bridge speaks with people. */
  readonly bot: string;
  readonly prefix: string;
  readonly domain: string;
  /** Whether the protocols that connect people with their numbers are offered. */
  readonly virtualUsers?: boolean;
  /** Whether the homeserver is asked to push to-device messages and what devices have to know of keys. */
  readonly pushedKeys?: boolean;
}

function protocolsOf({ virtualUsers }: RegistrationFacts): readonly string[] {
  return virtualUsers === true ? [...pstnProtocolNames, ...virtualUserProtocolNames] : pstnProtocolNames;
}

/** Anchored at both ends: Synapse anchors the start alone, JavaScript neither. */
export function namespaceRegex({ prefix, domain }: Pick<RegistrationFacts, "prefix" | "domain">): string {
  return `^@${escapeRegex(prefix)}.*:${escapeRegex(domain)}$`;
}

/** The bot may have a name of another kind than the numbers have. */
function botRegex({ bot, prefix, domain }: RegistrationFacts): string | undefined {
  return bot.startsWith(prefix) ? undefined : `^@${escapeRegex(bot)}:${escapeRegex(domain)}$`;
}

export function escapeRegex(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** A registration for this configuration; the tokens of the former one are kept, so that a homeserver that has it goes on working. */
export function makeRegistration(facts: RegistrationFacts, url: string, former?: Registration): Registration {
  const { [keyExtensions]: _, ...kept } = former ?? {};
  const users = [namespaceRegex(facts), botRegex(facts)].flatMap((regex) => regex ?? []);
  return {
    // What an admin or a homeserver's experiments put in besides stays.
    ...kept,
    id: former?.id ?? facts.id,
    url,
    as_token: former?.as_token ?? newToken(),
    hs_token: former?.hs_token ?? newToken(),
    // Nobody speaks as this user: Synapse does not give an application service's own user the keys that people send it.
    sender_localpart: `${facts.prefix}sender`,
    namespaces: { users: users.map((regex) => ({ exclusive: true, regex })) },
    protocols: [...protocolsOf(facts)],
    rate_limited: false,
    // To-device messages come with what people type and read (MSC4203), which nobody here needs otherwise.
    receive_ephemeral: facts.pushedKeys === true,
    ...(facts.pushedKeys === true && { [keyExtensions]: true }),
  };
}

export function newToken(): string {
  return randomBytes(32).toString("hex");
}

const head = `# Registration of matrix-appservice-sip with the homeserver.
# Give this file to the homeserver too (Synapse: app_service_config_files) and keep it secret: it holds both tokens.
`;

export function formatRegistration(registration: object, comment = head): string {
  return comment + stringify(registration, { lineWidth: 0 });
}

/** Replaces the file in one step, readable by its owner only. Throws ConfigError. */
export function writeRegistration(path: string, registration: object, comment = head): void {
  const temporary = `${path}.new`;
  try {
    // What lies there already would keep its own mode, or be a link to somewhere else.
    rmSync(temporary, { force: true });
    writeFileSync(temporary, formatRegistration(registration, comment), { mode: 0o600, flag: "wx" });
    renameSync(temporary, path);
  } catch (error) {
    const message = `cannot be written: ${codeOf(error)}`;
    throw new ConfigError(path, [{ path: [], message, line: undefined }], { cause: error });
  }
}

/** undefined where there is no such file. Throws ConfigError if there is one that is not a registration. */
export function readRegistration(path: string): Registration | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    const message = `cannot be read: ${codeOf(error)}`;
    throw new ConfigError(path, [{ path: [], message, line: undefined }], { cause: error });
  }
  return parseRegistration(text, path);
}

function parseRegistration(text: string, file: string): Registration {
  const source = readYaml(text);
  if (source.problems.length > 0) throw new ConfigError(file, source.problems);
  const parsed = registrationSchema.safeParse(source.value);
  if (parsed.success) return parsed.data;
  throw new ConfigError(
    file,
    parsed.error.issues.map(({ path, message }): ConfigProblem => {
      const plain = path.filter((part) => typeof part !== "symbol");
      return { path: plain, message, line: source.lineOf(plain) };
    }),
  );
}

/** Reads the registration to run with, and holds it against the configuration. Throws ConfigError. */
export function loadRegistration(path: string, facts: RegistrationFacts): Registration {
  const registration = readRegistration(path);
  if (!registration) {
    throw new ConfigError(path, [
      {
        path: [],
        message: "does not exist; write it with: matrix-appservice-sip -r -u URL -c CONFIG -f FILE",
        line: undefined,
      },
    ]);
  }
  const problems = checkRegistration(registration, facts);
  if (problems.length > 0) throw new ConfigError(path, problems);
  return registration;
}

function checkRegistration(registration: Registration, facts: RegistrationFacts): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const add = (path: readonly string[], message: string): void => {
    problems.push({ path, message: `${message}; write it again with -r, which keeps the tokens`, line: undefined });
  };
  const wanted = namespaceRegex(facts);
  const namespace = registration.namespaces.users.find(({ regex }) => regex === wanted);
  if (!namespace) add(["namespaces", "users"], `lacks the namespace of telephone numbers, ${wanted}`);
  else if (!namespace.exclusive)
    add(["namespaces", "users"], "should claim the namespace of telephone numbers exclusively");
  const ofBot = botRegex(facts);
  const isSender = registration.sender_localpart === facts.bot;
  if (!isSender && ofBot !== undefined && !registration.namespaces.users.some(({ regex }) => regex === ofBot))
    add(["namespaces", "users"], `lacks the bot, ${ofBot}`);
  const lacking = (names: readonly string[]) => names.filter((name) => !registration.protocols.includes(name));
  const missing = lacking(pstnProtocolNames);
  if (missing.length > 0) add(["protocols"], `lacks ${missing.join(" and ")}, so clients get no dial pad`);
  const further = lacking(protocolsOf(facts).slice(pstnProtocolNames.length));
  if (further.length > 0) add(["protocols"], `lacks ${further.join(" and ")}, which lookups.virtual_users offers`);
  if (registration.rate_limited) add(["rate_limited"], "should be false: calls send events in bursts");
  if (facts.pushedKeys === true && !(registration.receive_ephemeral && registration[keyExtensions] === true))
    add(["receive_ephemeral"], `and ${keyExtensions} should be true, as encryption.pushed_keys wants`);
  if (registration.as_token === registration.hs_token) add(["hs_token"], "should differ from as_token");
  return problems;
}
