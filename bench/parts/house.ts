// The configuration that the whole bridge is measured with: the defaults, on loopback, with one trunk over UDP.
import { makeRegistration, type Registration } from "../../src/config/registration/registration.ts";
import { toRegistrationFacts } from "../../src/config/mapping/mapping.ts";
import { configSchema, type Config } from "../../src/config/schema/schema.ts";

export const domain = "example.org";
const gateway = "sip.example.org";

export interface House {
  readonly config: Config;
  readonly registration: Registration;
}

export interface HouseFacts {
  readonly homeserverUrl: string;
  readonly databasePath: string;
  /** The SIP port of the trunk's far end, on loopback. */
  readonly trunkPort: number;
  /** Whether each call leaves a line in its room, as it does unless that is switched off. */
  readonly history: boolean;
}

/** People who are rung by the trunk's calls, each by a number of theirs. */
const people = 100;

export function houseOf({ homeserverUrl, databasePath, trunkPort, history }: HouseFacts): House {
  const config = configSchema.parse({
    homeserver: { url: homeserverUrl, domain },
    appservice: { listen: { port: 0 } },
    ghosts: { gateway },
    database: { path: databasePath },
    dial_plan: { country: "GB" },
    trunks: [{ name: "main", server: `127.0.0.1:${trunkPort}`, listen: { host: "127.0.0.1" } }],
    inbound: {
      numbers: Array.from({ length: people }, (_, index) => ({ number: calledAt(index), user: calledPersonAt(index) })),
    },
    permissions: { [domain]: "call" },
    // So many callers whom nobody knows are let in at once, and so many calls are up.
    limits: { calls_per_minute: 10_000, calls_in_all: 100_000 },
    notices: { history },
    media: { rtp: { host: "127.0.0.1" }, ice: { host: "127.0.0.1" } },
    http: { listen: { port: 0 } },
  });
  // Where the bridge listens is not known yet, and its doubles need not read it here.
  return { config, registration: makeRegistration(toRegistrationFacts(config), "http://127.0.0.1") };
}

/** Ten million numbers of one area; none is ever dialled outside of this machine. */
export function numberAt(index: number): string {
  return `0203${String(index % 10_000_000).padStart(7, "0")}`;
}

/** The same numbers as the trunk writes them. */
export function callerAt(index: number): string {
  return calledNumber(numberAt(index));
}

/** Such a number, as it was dialled, as the trunk is asked for it. */
export function calledNumber(dialled: string): string {
  return `+44${dialled.slice(1)}`;
}

/** Whom the trunk calls, in turn. */
export function calledAt(index: number): string {
  return `+44207900${String(index % people).padStart(4, "0")}`;
}

export function calledPersonAt(index: number): string {
  return `@called-${index % people}:${domain}`;
}

export function ghostOf(number: string): string {
  return `@_sip_${number}%40${gateway}:${domain}`;
}
