// All that calls of MatrixRTC need: the bridge in a process of its own with its media workers, a livekit-server, a token service, a
// small homeserver, a gateway that answers at once, and two people, each with one kind of client.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startGateway, type Gateway, type GatewayCall } from "../../dev/gateway/gateway.ts";
import { createHeadlessCaller, type HeadlessCaller } from "../../dev/headless/caller.ts";
import { startHomeserver, type ClientEvent, type Homeserver } from "../../dev/homeserver/homeserver.ts";
import { findLivekit, runLivekit } from "../../dev/livekit/run-livekit.ts";
import { freePort } from "../../dev/loopback/free-ports.ts";
import { startTokenService } from "../../dev/token-service/token-service.ts";
import { toRegistrationFacts } from "../../src/config/mapping/mapping.ts";
import { makeRegistration } from "../../src/config/registration/registration.ts";
import { configSchema, type Config } from "../../src/config/schema/schema.ts";
import type { BridgeDialogue } from "../bridge-program.ts";
import { domain, ghostOf } from "../parts/house.ts";
import { startProgram, type Program } from "../parts/program.ts";
import { childrenUsage } from "../parts/usage.ts";
import { RtcPerson } from "./rtc-person.ts";

/** Whom both people call, and who calls them. */
export const telephone = "02035550100";
const telephoneE164 = "+442035550100";
const people = {
  legacy: { localpart: "ann", number: "+442035550201" },
  rtc: { localpart: "bea", number: "+442035550202" },
};
const password = "bench";

/** An event, and when the homeserver took it. */
interface Taken {
  readonly event: ClientEvent;
  readonly atMs: number;
}

export interface CpuSpent {
  readonly bridgeMs: number;
  readonly workersMs: number;
}

export class World {
  readonly gateway: Gateway;
  readonly legacy: HeadlessCaller;
  readonly rtc: RtcPerson;
  readonly livekitServiceUrl: string;
  readonly complaints: string[];
  readonly #bridge: Program<BridgeDialogue>;
  readonly #trunkPort: number;
  readonly #taken: Taken[] = [];
  readonly #stops: (() => Promise<unknown>)[];

  private constructor(parts: {
    readonly gateway: Gateway;
    readonly legacy: HeadlessCaller;
    readonly rtc: RtcPerson;
    readonly homeserver: Homeserver;
    readonly livekitServiceUrl: string;
    readonly complaints: string[];
    readonly bridge: Program<BridgeDialogue>;
    readonly trunkPort: number;
    readonly stops: (() => Promise<unknown>)[];
  }) {
    this.gateway = parts.gateway;
    this.legacy = parts.legacy;
    this.rtc = parts.rtc;
    this.livekitServiceUrl = parts.livekitServiceUrl;
    this.complaints = parts.complaints;
    this.#bridge = parts.bridge;
    this.#trunkPort = parts.trunkPort;
    this.#stops = parts.stops;
    parts.homeserver.onEvent((event) => this.#taken.push({ event, atMs: performance.now() }));
  }

  /** undefined: the machine has no livekit-server. */
  static async start(): Promise<World | undefined> {
    const program = findLivekit();
    if (program === undefined) return undefined;
    const folder = await mkdtemp(join(tmpdir(), "bench-rtc-"));
    const stops: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
    try {
      const [homeserverPort, bridgePort, trunkPort, tokenPort] = await freePorts();
      const livekit = await runLivekit(program, { webhookUrl: `http://127.0.0.1:${tokenPort}/sfu_webhook` });
      stops.push(() => livekit.stop());
      const homeserverUrl = `http://127.0.0.1:${homeserverPort}`;
      const homeservers = { [domain]: homeserverUrl };
      const tokens = await startTokenService({ port: tokenPort, sfu: livekit, homeservers, fullAccess: [domain] });
      stops.push(() => tokens.stop());
      const gateway = await startGateway({
        numbers: [{ ending: "", what: "answers at once", script: [{ do: "answer", sound: { hz: 440 } }] }],
      });
      stops.push(() => gateway.stop());
      const config = configOf({ homeserverUrl, bridgePort, trunkPort, gatewayPort: gateway.port, folder });
      const registration = makeRegistration(toRegistrationFacts(config), `http://127.0.0.1:${bridgePort}`);
      const homeserver = await startHomeserver({
        port: homeserverPort,
        domain,
        registrations: [registration],
        users: Object.values(people).map(({ localpart }) => ({ localpart, password })),
        mediaServices: [tokens.url],
      });
      stops.push(() => homeserver.stop());
      const complaints: string[] = [];
      const bridge = startProgram<BridgeDialogue>("bridge-program.ts", {
        execArgv: ["--expose-gc"],
        onLine: (line) => {
          if (/"level":"(?:warn|error)"/.test(line)) complaints.push(line);
        },
      });
      stops.push(() => bridge.stop());
      await bridge.ask("start", { config, registration, media: "embedded" });
      const client = { homeserverUrl, password, bindHost: "127.0.0.1" };
      const legacy = await createHeadlessCaller({ ...client, user: people.legacy.localpart });
      stops.push(() => legacy.stop());
      const rtc = await RtcPerson.logIn({ ...client, user: people.rtc.localpart, livekitServiceUrl: tokens.url });
      stops.push(() => rtc.stop());
      const places = { livekitServiceUrl: tokens.url, complaints, bridge, trunkPort };
      return new World({ gateway, legacy, rtc, homeserver, ...places, stops });
    } catch (error) {
      for (const end of stops.toReversed()) await end();
      throw error;
    }
  }

  async stop(): Promise<void> {
    for (const end of this.#stops.splice(0).toReversed()) await end();
  }

  /** The telephone calls one of the people. */
  ring(kind: keyof typeof people): Promise<GatewayCall> {
    const at = { host: "127.0.0.1", port: this.#trunkPort, transport: "UDP" } as const;
    return this.gateway.call({ to: people[kind].number, from: telephoneE164, at, sound: { hz: 440 } });
  }

  /** What is taken from now on is what `taken` looks at. */
  forget(): void {
    this.#taken.length = 0;
  }

  /** When the homeserver took the first such event; waits for it. */
  async taken(what: string, fits: (event: ClientEvent) => boolean): Promise<Taken> {
    const endsMs = performance.now() + 20_000;
    for (;;) {
      const found = this.#taken.find(({ event }) => fits(event));
      if (found !== undefined) return found;
      if (performance.now() > endsMs) throw new Error(`${what} did not come`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Of the bridge, since its start. */
  async cpu(): Promise<CpuSpent> {
    const workersMs = childrenUsage(this.#bridge.pid)?.cpuMs ?? 0;
    return { bridgeMs: await this.#bridge.ask("cpuMs"), workersMs };
  }
}

/** As whom the number is in a room. */
export const ghost = ghostOf(telephone);
export const bot = `@_sip_bot:${domain}`;

async function freePorts(): Promise<[number, number, number, number]> {
  return [await freePort(), await freePort(), await freePort(), await freePort()];
}

interface Places {
  readonly homeserverUrl: string;
  readonly bridgePort: number;
  readonly trunkPort: number;
  readonly gatewayPort: number;
  readonly folder: string;
}

function configOf({ homeserverUrl, bridgePort, trunkPort, gatewayPort, folder }: Places): Config {
  return configSchema.parse({
    homeserver: { url: homeserverUrl, domain },
    appservice: { listen: { port: bridgePort } },
    ghosts: { gateway: "sip.example.org" },
    database: { path: join(folder, "bridge.db") },
    dial_plan: { country: "GB" },
    trunks: [{ name: "main", server: `127.0.0.1:${gatewayPort}`, listen: { host: "127.0.0.1", port: trunkPort } }],
    inbound: {
      numbers: Object.values(people).map(({ localpart, number }) => ({ number, user: `@${localpart}:${domain}` })),
    },
    permissions: { [domain]: "call" },
    limits: { calls_per_minute: 10_000 },
    encryption: { mode: "off" },
    media: { workers: 1, rtp: { host: "127.0.0.1" }, ice: { host: "127.0.0.1" } },
    http: { listen: { port: 0 } },
  });
}
