// What tests of trunks need standing: the dev homeserver with its people, and one bridge as a process of its own with as
// many trunks as the test likes. No browser; the far ends of the trunks are the test's.
import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import { type Homeserver, startHomeserver } from "../../../../dev/homeserver/homeserver.ts";
import type { Registration } from "../../../../dev/homeserver/appservice/registration.ts";
import { createHeadlessCaller, type HeadlessCaller } from "../../../../dev/headless/caller.ts";
import { registerBridge } from "./bridge.ts";
import { type Callee, logInCallee } from "../clients/callee.ts";
import { freePort, freePorts } from "../../../../dev/loopback/free-ports.ts";
import type { RunningProcess } from "../base/process.ts";
import type { Rig } from "../base/rig.ts";

const DOMAIN = "example.org";
const GATEWAY = "sip.example.org";
const PASSWORD = "wonderland";
const RTP_PORTS = 128;

/** A trunk's section of the configuration, without what is the same for all. */
interface TrunkSection {
  readonly name: string;
  /** `host:port` */
  readonly server: string;
  /** Numbers that begin so go there. */
  readonly prefix?: string;
  readonly [key: string]: unknown;
}

export interface TrunkStage {
  readonly homeserver: Homeserver;
  readonly running: RunningProcess;
  /** `host:port` at which the bridge listens for a trunk. */
  readonly door: (trunk: string) => string;
  readonly callee: (name: string) => Promise<Callee>;
  readonly caller: (name: string, toneHz?: number) => Promise<HeadlessCaller>;
}

export interface TrunkStageOptions {
  readonly trunks: readonly TrunkSection[];
  readonly routes?: readonly object[];
  /** Which number rings whom, by local part. */
  readonly numbers: Readonly<Record<string, string>>;
  /** Further chapters of the configuration. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/** Starts homeserver and bridge; all of it ends with the rig. */
export async function startTrunkStage(rig: Rig, options: TrunkStageOptions): Promise<TrunkStage> {
  const { trunks, routes = [], numbers, config = {} } = options;
  const people = [...new Set(["alice", ...Object.values(numbers)])];
  const doors = new Map<string, number>();
  for (const { name } of trunks) doors.set(name, await freePort());
  const homeserverPort = await freePort();
  const rtpPort = await freePorts(RTP_PORTS);
  const sections = trunks.map(({ prefix: _prefix, ...section }) => ({
    number_format: "as-dialled",
    // The far ends count what comes to them.
    options_interval_seconds: 0,
    listen: { host: "127.0.0.1", port: doors.get(section.name) },
    ...section,
  }));
  const bridge = await registerBridge(rig, {
    homeserver: { url: `http://127.0.0.1:${homeserverPort}`, domain: DOMAIN },
    ghosts: { gateway: GATEWAY },
    database: { path: rig.path("bridge.db") },
    dial_plan: {
      country: "GB",
      routes: [
        ...routes,
        ...trunks.flatMap(({ name, prefix }) => (prefix === undefined ? [] : [{ prefix, trunk: name }])),
      ],
    },
    trunks: sections,
    inbound: {
      numbers: Object.entries(numbers).map(([number, name]) => ({ number, user: `@${name}:${DOMAIN}` })),
    },
    permissions: { [DOMAIN]: "call" },
    limits: { calls_per_user: 50, calls_per_minute: 200 },
    media: {
      workers: 1,
      rtp: { host: "127.0.0.1", ports: { min: rtpPort, max: rtpPort + RTP_PORTS - 1 } },
      ice: { host: "127.0.0.1", homeserver_turn: false },
      // Most callees of these tests are silent.
      silence_timeout_seconds: 120,
      reconnect_timeout_seconds: 120,
    },
    logging: { level: "debug" },
    http: { listen: { port: await freePort() } },
    ...config,
  });
  const registration = parse(await readFile(bridge.registrationFile, "utf8")) as Registration;
  const homeserver = await startHomeserver({
    port: homeserverPort,
    domain: DOMAIN,
    registrations: [registration],
    users: people.map((localpart) => ({ localpart, password: PASSWORD })),
  });
  rig.defer("homeserver", () => homeserver.stop());
  const running = await bridge.start();
  await running.saying(/"bridge is up"/);
  return {
    homeserver,
    running,
    door: (trunk) => `127.0.0.1:${doors.get(trunk)}`,
    callee: (name) => logInCallee(homeserver, name, PASSWORD),
    async caller(name, toneHz) {
      const caller = await createHeadlessCaller({
        homeserverUrl: homeserver.url,
        user: name,
        password: PASSWORD,
        bindHost: "127.0.0.1",
        ...(toneHz === undefined ? {} : { toneHz }),
      });
      rig.defer(`caller ${name}`, () => caller.stop());
      return caller;
    },
  };
}
