// The configuration that the whole bridge is measured with: the defaults, on loopback, with one trunk over UDP.
import { makeRegistration, type Registration } from "../../src/config/registration.ts";
import { toRegistrationFacts } from "../../src/config/mapping.ts";
import { configSchema, type Config } from "../../src/config/schema.ts";

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
}

export function houseOf({ homeserverUrl, databasePath, trunkPort }: HouseFacts): House {
  const config = configSchema.parse({
    homeserver: { url: homeserverUrl, domain },
    appservice: { listen: { port: 0 } },
    ghosts: { gateway },
    database: { path: databasePath },
    dial_plan: { country: "GB" },
    trunks: [{ name: "main", server: `127.0.0.1:${trunkPort}`, listen: { host: "127.0.0.1" } }],
    permissions: { [domain]: "call" },
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

export function ghostOf(number: string): string {
  return `@_sip_${number}%40${gateway}:${domain}`;
}
