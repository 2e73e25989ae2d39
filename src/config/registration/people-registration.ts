// The second registration, by which the bridge joins rooms in the name of people (inbound.join_for_people). The homeserver
// sends nothing to it (`url: null`), and it claims nobody's id for itself.
import { extname } from "node:path";
import { ConfigError, type ConfigProblem } from "../reading/problem.ts";
import {
  escapeRegex,
  newToken,
  readRegistration,
  writeRegistration,
  type Registration,
  type RegistrationFacts,
} from "./registration.ts";
import { environmentName } from "../reading/secrets.ts";

type Facts = Pick<RegistrationFacts, "id" | "domain">;

const tokenVariable = environmentName("PEOPLE", "AS", "TOKEN");

const head = `# Second registration of matrix-appservice-sip: the bridge joins people to the rooms of numbers that call them.
# Give this file to the homeserver too (Synapse: app_service_config_files). Whoever has its as_token can act as any user of
# the homeserver: guard it like the homeserver's own keys.
`;

/** `registration.yaml` has `registration-people.yaml` beside it. */
export function peopleRegistrationPath(registrationPath: string): string {
  const extension = extname(registrationPath);
  return `${registrationPath.slice(0, registrationPath.length - extension.length)}-people${extension}`;
}

/** The tokens of the former one are kept. */
export function makePeopleRegistration({ id, domain }: Facts, former?: Registration) {
  const own = `${id}-people`;
  return {
    id: former?.id ?? own,
    url: null,
    as_token: former?.as_token ?? newToken(),
    hs_token: former?.hs_token ?? newToken(),
    // The homeserver wants one; nobody ever acts as this user.
    sender_localpart: own.toLowerCase().replaceAll(/[^a-z0-9._-]/g, "-"),
    namespaces: { users: [{ exclusive: false, regex: peopleRegex(domain) }] },
    rate_limited: false,
  };
}

function peopleRegex(domain: string): string {
  return `^@.*:${escapeRegex(domain)}$`;
}

/** Throws ConfigError. True if there was one before. */
export function writePeopleRegistration(path: string, facts: Facts): boolean {
  const former = readRegistration(path);
  writeRegistration(path, makePeopleRegistration(facts, former), head);
  return former !== undefined;
}

/** The token to join people with: of the environment, else of the file. Throws ConfigError. */
export function loadPeopleToken(
  path: string,
  facts: Facts,
  main: Pick<Registration, "as_token">,
  env: Readonly<Record<string, string | undefined>>,
): string {
  const given = env[tokenVariable];
  if (given) return given;
  const fail = (at: readonly string[], message: string): never => {
    throw new ConfigError(path, [{ path: at, message, line: undefined } satisfies ConfigProblem]);
  };
  const registration = readRegistration(path);
  if (registration === undefined) {
    return fail(
      [],
      `does not exist, and inbound.join_for_people is on: write it with -r, give ${tokenVariable}, or switch that off`,
    );
  }
  const again = "write it again with -r, which keeps the tokens";
  if (registration.url !== null) fail(["url"], `should be null: the homeserver has nothing to send here; ${again}`);
  const wanted = peopleRegex(facts.domain);
  const namespace = registration.namespaces.users.find(({ regex }) => regex === wanted);
  if (namespace === undefined) fail(["namespaces", "users"], `lacks the people of the homeserver, ${wanted}; ${again}`);
  if (namespace?.exclusive === true)
    fail(["namespaces", "users"], `should not be exclusive: nobody could log in any more; ${again}`);
  if (registration.as_token === main.as_token)
    fail(["as_token"], "should differ from that of the first registration: delete the file and write it again with -r");
  return registration.as_token;
}
