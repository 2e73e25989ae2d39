// Everything that a call needs, standing: Synapse, the bridge, Kamailio with digest before the far
// ends, and a table of numbers, each of which leads to a port of its own.
import { type RegisteredBridge, registerBridge } from "./bridge.ts";
import { type Kamailio, type KamailioTls, startKamailio } from "./kamailio.ts";
import { freePort, freePorts } from "./port.ts";
import type { RunningProcess } from "./process.ts";
import type { Rig } from "./rig.ts";
import { openStrictDoor } from "./strict-door.ts";
import { startSynapse, type Synapse } from "./synapse.ts";

const ACCOUNT = { user: "bridge", password: "correct horse" };
const GATEWAY = "sip.example.org";
const DOMAIN = "example.org";
const RTP_PORTS = 64;

/** Who may not call, though everyone else of the homeserver may. */
export const BARRED = "mallory";

export interface Stage<Name extends string> {
  readonly synapse: Synapse;
  readonly bridge: RegisteredBridge;
  /** The bridge that runs now, as far as the stage started it. */
  readonly running: RunningProcess;
  readonly proxy: Kamailio;
  /** The SIP port that each number leads to. */
  readonly ports: Readonly<Record<Name, number>>;
}

/** The user that stands for a dialled number, in the default encoding (MSC2845's example). */
export const ghostOf = (number: string): string => `@_sip_${number}%40${GATEWAY}:${DOMAIN}`;

/** A trunk besides the main one, for the numbers that begin so. */
interface SideTrunk {
  readonly prefix: string;
  /** Its section in the configuration, as far as it is not as the main one's. */
  readonly section: { readonly name: string; readonly server: string; readonly [key: string]: unknown };
}

export interface StageOptions {
  readonly transport?: "udp" | "tcp";
  /** What the proxy's digest asks for. */
  readonly algorithm?: "MD5" | "SHA-256";
  readonly encoding?: "percent" | "grammar" | "e164";
  /** The bridge meets a homeserver that takes today's user ids only. */
  readonly strict?: boolean;
  readonly tls?: KamailioTls;
  readonly trunks?: (proxy: Kamailio, ports: Readonly<Record<string, number>>) => readonly SideTrunk[];
}

/**
 * Starts the stage; all of it ends with the rig. No client has logged in yet.
 * @param numbers the numbers that exist, under names; all others are unknown to the proxy
 */
export async function startStage<Name extends string>(
  rig: Rig,
  numbers: Readonly<Record<Name, string>>,
  {
    transport = "udp",
    algorithm = "MD5",
    encoding = "percent",
    strict = false,
    tls,
    trunks = () => [],
  }: StageOptions = {},
): Promise<Stage<Name>> {
  const names = Object.keys(numbers) as Name[];
  const entries = await Promise.all(names.map(async (name) => [name, await freePort()] as const));
  const ports = Object.fromEntries(entries) as Record<Name, number>;
  const table = Object.fromEntries(names.map((name) => [numbers[name], ports[name]]));
  const proxy = await startKamailio(rig, {
    numbers: table,
    account: ACCOUNT,
    algorithm,
    ...(tls === undefined ? {} : { tls }),
  });
  const side = trunks(proxy, ports);
  const common = {
    listen: { host: "127.0.0.1" },
    credentials: { username: ACCOUNT.user, password: ACCOUNT.password },
    number_format: "as-dialled",
  };

  const synapsePort = await freePort();
  const rtpPort = await freePorts(RTP_PORTS);
  const synapseUrl = `http://127.0.0.1:${synapsePort}`;
  const { url } = strict ? await openStrictDoor(rig, synapseUrl) : { url: synapseUrl };
  const bridge = await registerBridge(rig, {
    homeserver: { url, domain: DOMAIN },
    ghosts: { gateway: GATEWAY, encoding },
    database: { path: rig.path("bridge.db") },
    dial_plan: {
      country: "GB",
      routes: [...side.map(({ prefix, section }) => ({ prefix, trunk: section.name })), { prefix: "", trunk: "main" }],
    },
    trunks: [
      { ...common, name: "main", server: `${proxy.host}:${proxy.port}`, transport },
      ...side.map(({ section }) => Object.assign({}, common, section)),
    ],
    permissions: { [DOMAIN]: "call", [`@${BARRED}:${DOMAIN}`]: "none" },
    media: {
      workers: 1,
      rtp: { host: "127.0.0.1", ports: { min: rtpPort, max: rtpPort + RTP_PORTS - 1 } },
      ice: { host: "127.0.0.1" },
    },
    logging: { level: "debug" },
    http: { listen: { port: await freePort() } },
  });
  const synapse = await startSynapse(rig, {
    port: synapsePort,
    serverName: DOMAIN,
    registrations: [bridge.registrationFile],
  });
  return { synapse, bridge, running: await bridge.start(), proxy, ports };
}
