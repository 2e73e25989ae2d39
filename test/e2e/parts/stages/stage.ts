// Everything that a call needs, standing: Synapse, the bridge, Kamailio with digest before the far
// ends, and a table of numbers, each of which leads to a port of its own.
import { access, readFile, writeFile } from "node:fs/promises";
import { parse, stringify } from "yaml";
import { type RegisteredBridge, registerBridge } from "./bridge.ts";
import { type Kamailio, type KamailioTls, startKamailio } from "../proxies/kamailio.ts";
import { freePort, freePorts } from "../../../../dev/loopback/free-ports.ts";
import type { RunningProcess } from "../base/process.ts";
import type { Rig } from "../base/rig.ts";
import { type Conferences, startConferences } from "../rtc/conferences.ts";
import { startAuthenticationService } from "../homeservers/authentication-service.ts";
import { openStrictDoor } from "../homeservers/strict-door.ts";
import { startSynapse, type Synapse } from "../homeservers/synapse.ts";

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
  /** Undefined where the homeserver has no MatrixRTC. */
  readonly conferences: Conferences | undefined;
  /** The token service of another media server, where the bridge may use one. */
  readonly otherService: string | undefined;
  /** The SIP port that each number leads to. */
  readonly ports: Readonly<Record<Name, number>>;
  /** The bridge's own SIP port of a trunk that calls come in on. */
  readonly doorOf: (trunk: string) => number;
}

/** The user that stands for a dialled number, in the default encoding (MSC2845's example). */
export const ghostOf = (number: string): string => `@_sip_${number}%40${GATEWAY}:${DOMAIN}`;

/** A trunk besides the main one, for the numbers that begin so. */
interface SideTrunk {
  readonly prefix: string;
  /** Its section in the configuration, as far as it is not as the main one's. */
  readonly section: { readonly name: string; readonly server: string; readonly [key: string]: unknown };
}

/** Numbers of ours: calls and texts for them go from the proxy to the bridge. */
interface InboundNumbers {
  /** By the trunk that they come in on. */
  readonly trunks: Readonly<Record<string, string>>;
  /** The table of whom they ring (`inbound.numbers`), when people and rooms can be made. */
  readonly table: (synapse: Synapse) => readonly object[] | Promise<readonly object[]>;
}

export interface StageOptions {
  /** With it the proxy knows everybody by the address, so that telephones may call each other. */
  readonly inbound?: InboundNumbers;
  /** More of the main trunk's section. */
  readonly main?: Readonly<Record<string, unknown>>;
  /** More of the configuration. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** The homeserver joins people to whatever they are invited to. */
  readonly acceptInvites?: boolean;
  /** The homeserver encrypts every new room. */
  readonly encryptByDefault?: boolean;
  /** The homeserver pushes keys, in transactions that go through an address which this makes for the bridge's. */
  readonly pushesKeys?: (bridge: string) => Promise<string>;
  /** People log in at a service of its own, not at the homeserver. */
  readonly delegatedLogin?: boolean;
  /** The homeserver has a media server for MatrixRTC. */
  readonly matrixRtc?: boolean;
  /** There is another one, which the homeserver does not name and the bridge may use. */
  readonly otherMediaServer?: boolean;
  /** A module that the bridge loads before its own. */
  readonly preload?: string;
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
    inbound,
    main = {},
    config = {},
    acceptInvites = false,
    encryptByDefault = false,
    pushesKeys,
    delegatedLogin = false,
    matrixRtc = false,
    otherMediaServer = false,
    preload,
  }: StageOptions = {},
): Promise<Stage<Name>> {
  const names = Object.keys(numbers) as Name[];
  const entries = await Promise.all(names.map(async (name) => [name, await freePort()] as const));
  const ports = Object.fromEntries(entries) as Record<Name, number>;
  const table = Object.fromEntries(names.map((name) => [numbers[name], ports[name]]));
  const doors = await openDoors(inbound);
  const proxy = await startKamailio(rig, {
    numbers: { ...table, ...doors.table },
    ...(inbound === undefined ? { account: ACCOUNT } : {}),
    algorithm,
    ...(tls === undefined ? {} : { tls }),
  });
  const side = trunks(proxy, ports);
  const common = (trunk: string) => ({
    listen: { host: "127.0.0.1", port: doors.portOf(trunk) },
    credentials: { username: ACCOUNT.user, password: ACCOUNT.password },
    number_format: "as-dialled",
  });

  const synapsePort = await freePort();
  const rtpPort = await freePorts(RTP_PORTS);
  const synapseUrl = `http://127.0.0.1:${synapsePort}`;
  const { url } = strict ? await openStrictDoor(rig, synapseUrl) : { url: synapseUrl };
  const atHome = { url: synapseUrl, serverName: DOMAIN };
  const conferences = matrixRtc ? await startConferences(rig, atHome) : undefined;
  const otherService = otherMediaServer ? (await startConferences(rig, atHome)).serviceUrl : undefined;
  const settings = {
    homeserver: { url, domain: DOMAIN },
    ghosts: { gateway: GATEWAY, encoding },
    database: { path: rig.path("bridge.db") },
    dial_plan: {
      country: "GB",
      routes: [...side.map(({ prefix, section }) => ({ prefix, trunk: section.name })), { prefix: "", trunk: "main" }],
    },
    trunks: [
      { ...common("main"), name: "main", server: `${proxy.host}:${proxy.port}`, transport, ...main },
      ...side.map(({ section }) => Object.assign({}, common(section.name), section)),
    ],
    permissions: { [DOMAIN]: "call", [`@${BARRED}:${DOMAIN}`]: "none" },
    media: {
      workers: 1,
      rtp: { host: "127.0.0.1", ports: { min: rtpPort, max: rtpPort + RTP_PORTS - 1 } },
      ice: { host: "127.0.0.1" },
    },
    logging: { level: "debug" },
    http: { listen: { port: await freePort() } },
    ...(otherService !== undefined && { rtc: { allowed_services: [otherService] } }),
    ...config,
  };
  const bridge = await registerBridge(rig, settings, preload);
  const registrationFile =
    pushesKeys === undefined ? bridge.registrationFile : await readdress(bridge, await pushesKeys(bridge.url));
  const synapse = await startSynapse(rig, {
    port: synapsePort,
    serverName: DOMAIN,
    registrations: [registrationFile, ...(await peopleRegistrationOf(bridge))],
    pushesKeys: pushesKeys !== undefined,
    ...(delegatedLogin && { authentication: await startAuthenticationService(rig) }),
    acceptInvites,
    encryptByDefault,
    ...(conferences !== undefined && { livekitServiceUrl: conferences.serviceUrl }),
  });
  if (inbound !== undefined) await addNumbers(bridge, await inbound.table(synapse));
  return {
    synapse,
    bridge,
    running: await bridge.start(),
    proxy,
    conferences,
    otherService,
    ports,
    doorOf: doors.portOf,
  };
}

/** A port of the bridge's for each trunk that calls come in on, and which number leads to which. */
async function openDoors(inbound: InboundNumbers | undefined) {
  const trunks = Object.entries(inbound?.trunks ?? {});
  const ports = new Map<string, number>();
  for (const trunk of new Set(trunks.map(([, name]) => name))) ports.set(trunk, await freePort());
  const portOf = (trunk: string): number => ports.get(trunk) ?? 0;
  return { portOf, table: Object.fromEntries(trunks.map(([number, trunk]) => [number, portOf(trunk)])) };
}

async function addNumbers({ configFile }: RegisteredBridge, numbers: readonly object[]): Promise<void> {
  const config = parse(await readFile(configFile, "utf8")) as Record<string, unknown>;
  const inbound = config["inbound"] as Record<string, unknown> | undefined;
  await writeFile(configFile, stringify({ ...config, inbound: { ...inbound, numbers } }));
}

/** The registration with another address, for the homeserver. */
async function readdress({ registrationFile }: RegisteredBridge, url: string): Promise<string> {
  const file = registrationFile.replace(/\.yaml$/, "-elsewhere.yaml");
  const registration = parse(await readFile(registrationFile, "utf8")) as object;
  await writeFile(file, stringify({ ...registration, url }));
  return file;
}

/** The second registration, where the configuration has one written (`inbound.join_for_people`). */
async function peopleRegistrationOf({ registrationFile }: RegisteredBridge): Promise<readonly string[]> {
  const file = registrationFile.replace(/\.yaml$/, "-people.yaml");
  return access(file).then(
    () => [file],
    () => [],
  );
}
