// Audio: the engine, the ports and addresses that it is told to use, the relays and media servers that clients need.
import { checkTurn } from "../../../bridge/operation/turn-check.ts";
import { systemClock } from "../../../clock/system-clock.ts";
import { toIceServers, toMediaOptions, toRtc } from "../../../config/mapping/mapping.ts";
import type { Config } from "../../../config/schema/schema.ts";
import { isPrivate, isUnspecified } from "../../../core/address/ip.ts";
import { isLoopback } from "../../../core/address/host.ts";
import { callId } from "../../../core/ids.ts";
import { probeTurn } from "../../../media/embedded/client/turn-probe.ts";
import { bindAddress, iceAddresses, rtpAddress } from "../../../media/embedded/engine/addresses.ts";
import { createEmbeddedEngine } from "../../../media/embedded/engine/engine.ts";
import { createCallMedia } from "../../../media/negotiation/negotiation.ts";
import { MediaError, type CallMedia, type MediaSession } from "../../../ports/media.ts";
import { pause } from "../../../ports/pause.ts";
import type { Log } from "../../../ports/telemetry.ts";
import type { Beside } from "../beside.ts";
import { failed, finding, ok, skipped, warning, type Check, type Finding, type Problem } from "../check.ts";
import type { AskedMatrix } from "./homeserver.ts";
import { bindingFailure } from "./machine.ts";
import type { TrunkLink } from "./trunk.ts";

export interface AudioParts {
  readonly config: Config;
  readonly beside: Beside;
  readonly matrix: AskedMatrix | undefined;
  readonly telemetry: { readonly log: Log };
  readonly links: readonly TrunkLink[];
  /** Has the engine talk to itself. */
  readonly talk: Talk;
}

interface Heard {
  /** In each direction at least. */
  readonly packets: number;
  readonly lost: number;
  readonly codec: string | undefined;
}

/** Throws MediaError. */
export type Talk = (config: Config, beside: Beside, log: Log) => Promise<Heard>;

export function audioChecks(parts: AudioParts): readonly Check[] {
  const { config } = parts;
  const { rtp, ice } = config.media;
  return [
    { id: "engine", needs: ["rtp-ports"], limitMs: 8_000, run: () => checkEngine(parts) },
    {
      id: "rtp-ports",
      needs: ["rtp-address"],
      run: () => checkRange(parts, { ...rtp.ports, host: rtp.host, setting: "media.rtp" }),
    },
    { id: "rtp-address", needs: [], limitMs: 6_000, run: () => checkRtpAddress(parts) },
    {
      id: "ice-ports",
      needs: [],
      run: () =>
        ice.ports === undefined
          ? checkIceHosts(config)
          : checkRange(parts, { ...ice.ports, host: ice.host ?? "0.0.0.0", setting: "media.ice" }),
    },
    { id: "turn", needs: ["homeserver-identity"], limitMs: 10_000, run: () => checkTurnServers(parts) },
    { id: "matrix-rtc", needs: ["homeserver-identity", "ghost-ids"], limitMs: 12_000, run: () => checkRtc(parts) },
  ];
}

/** How long two ends of the engine talk to each other. */
const talkMs = 1_000;

async function checkEngine({ config, beside, telemetry: { log }, talk }: AudioParts): Promise<Finding> {
  const part = beside.kind === "bridge" ? beside.status.parts["media"] : undefined;
  if (part?.ready === false)
    return failed(`the running bridge says: ${part.detail}`, "media.workers and media.sessions_per_worker");
  try {
    const heard = await talk(config, beside, log);
    const more = part === undefined ? "" : `; the running bridge has ${part.detail}`;
    if (heard.packets === 0) return failed("it starts, and passes no audio", "docs/troubleshooting.md#engine");
    return ok(`audio went through it: ${heard.packets} packets, ${heard.lost} lost, ${heard.codec}${more}`);
  } catch (error) {
    if (!(error instanceof MediaError)) throw error;
    return failed(error.message, "docs/troubleshooting.md#engine");
  }
}

export const talkThroughEngine: Talk = async (config, beside, log) => {
  const own = toMediaOptions(config);
  // Apart from the ports that calls of a running bridge want next.
  const ports = beside.kind === "nothing" ? own.rtp : { ...own.rtp, portMin: 61_000, portMax: 65_534 };
  const loopback = (await bindAddress(own.rtp.host)).includes(":") ? "::1" : "127.0.0.1";
  const rtp = { ...ports, host: loopback, advertisedHost: loopback };
  const engine = createEmbeddedEngine({ ...own, workers: 1, rtp, log, clock: systemClock });
  const media = createCallMedia(engine, log, config.media);
  try {
    await media.start();
    return await talkToItself(media);
  } finally {
    await media.stop();
  }
};

/** Two calls, each between our tones and a trunk, where the trunk is the other call. */
async function talkToItself(media: CallMedia<string>): Promise<Heard> {
  const open = (name: string): Promise<MediaSession<string>> => {
    const call = callId(`doctor-${name}`);
    const trunkMedia = { srtp: "off", codecs: ["PCMA"], rtpNetworks: [] } as const;
    const b = { kind: "trunk", media: trunkMedia, leg: call } as const;
    return media.open({ call, a: { kind: "prompt" }, b }, () => {});
  };
  const [caller, called] = [await open("caller"), await open("called")];
  const offer = await caller.describe("b");
  const { description } = await called.offer("b", offer);
  const answer = await called.answer("a", description);
  await caller.answer("a", await caller.answer("b", answer));
  await Promise.all([caller.prompt("enter"), called.prompt("enter")]);
  await pause(talkMs, systemClock);
  const [there, back] = [await caller.close(), await called.close()];
  return { packets: Math.min(there.b.packets, back.b.packets), lost: there.b.lost + back.b.lost, codec: there.codec };
}

interface Range {
  readonly host: string;
  readonly min: number;
  readonly max: number;
  readonly setting: string;
}

/** So many of a range are tried: all of some thousand would take too long. */
const tried = 12;

async function checkRange({ beside }: AudioParts, { host, min, max, setting }: Range): Promise<Finding> {
  const step = Math.max(1, Math.floor((max - min) / (tried - 1)));
  const ports = [...new Set([min, ...Array.from({ length: tried - 2 }, (_, at) => min + step * (at + 1)), max])];
  const inRange = ports.filter((port) => port <= max);
  const failures = await Promise.all(inRange.map(async (port) => bindingFailure({ kind: "udp", host, port })));
  const codes = new Set(failures.filter((code) => code !== undefined));
  const taken = failures.filter((code) => code === "EADDRINUSE").length;
  const range = `${min} to ${max}`;
  if (codes.has("EADDRNOTAVAIL") || codes.has("ENOTFOUND"))
    return failed(`${host} does not belong to this machine`, `set ${setting}.host to an address of this machine`);
  const few = max - min + 1 < 2 * 10 ? `; they are for ${Math.floor((max - min + 1) / 2)} calls at once` : "";
  if (taken === 0) return ok(`${range} on ${host} can be bound${few}`);
  if (beside.kind === "bridge" && taken < inRange.length) return ok(`${range} on ${host}, some in use by calls${few}`);
  if (taken === inRange.length)
    return failed(`other programs have the ports ${range}`, `choose others in ${setting}.ports`);
  return warning(
    `other programs have some of the ports ${range} (${taken} of ${inRange.length} tried)`,
    `choose others in ${setting}.ports`,
  );
}

async function checkRtpAddress({ config, links }: AudioParts): Promise<Finding> {
  const { rtp } = config.media;
  let address: string;
  try {
    address = await rtpAddress(await bindAddress(rtp.host), rtp.advertised_host);
  } catch (error) {
    if (!(error instanceof MediaError)) throw error;
    return failed(error.message, `check media.rtp.${rtp.advertised_host === undefined ? "host" : "advertised_host"}`);
  }
  if (isUnspecified(address))
    return warning(
      "no address for SDP is known: this machine has no default route",
      "set media.rtp.host or media.rtp.advertised_host",
    );
  const trunks = await Promise.all(
    links.map(async ({ name, servers }) => {
      const addresses = (await servers()).flatMap(({ targets }) => targets.map((target) => target.address));
      return { name, isFar: addresses.some((one) => !isLoopback(one)), isPublic: addresses.some(isPublic) };
    }),
  );
  const far = trunks.find(({ isFar }) => isFar);
  if (isLoopback(address) && far !== undefined)
    return failed(
      `SDP names ${address}, which trunk ${far.name} cannot reach: calls are silent`,
      "set media.rtp.host or media.rtp.advertised_host to an address that it reaches",
    );
  const publicTrunk = trunks.find((trunk) => trunk.isPublic);
  if (isPrivate(address) && publicTrunk !== undefined)
    return warning(
      `SDP names ${address}, a private address, to trunk ${publicTrunk.name}, which is on the internet`,
      "if callers hear nothing, set media.rtp.advertised_host to your public address (docs/deploy/firewall.md#no-audio)",
    );
  return ok(rtp.advertised_host === undefined ? address : `${address}, as media.rtp.advertised_host says`);
}

function isPublic(address: string): boolean {
  return !isPrivate(address) && !isLoopback(address) && !isUnspecified(address);
}

async function checkIceHosts({ media: { ice } }: Config): Promise<Finding> {
  try {
    if (ice.host !== undefined) await bindAddress(ice.host);
    await iceAddresses(ice.advertised_hosts);
  } catch (error) {
    if (!(error instanceof MediaError)) throw error;
    return failed(error.message, "check media.ice.host and media.ice.advertised_hosts");
  }
  return ok("any free ports");
}

async function checkTurnServers({ config, matrix, telemetry: { log } }: AudioParts): Promise<Finding> {
  if (matrix === undefined) return skipped("there is no registration");
  const configured = toIceServers(config);
  const { homeserver } = matrix;
  let used = configured.length;
  const counting = {
    bot: homeserver.bot,
    iceServers: async (as: Parameters<typeof homeserver.iceServers>[0]) => {
      // The sender is there before the bridge has made its bot.
      const lent = await homeserver.iceServers(homeserver.sender).catch(() => homeserver.iceServers(as));
      used += lent.length;
      return lent;
    },
  };
  const note = await checkTurn({
    homeserver: counting,
    configured: () => configured,
    askHomeserver: () => config.media.ice.homeserver_turn,
    probe: probeTurn,
    log,
  });
  if (note !== undefined) {
    const problems: readonly Problem[] = note.split("; ").map((line) => {
      const [found = line, mend = "docs/operation.md"] = line.split(": ");
      return { found, mend };
    });
    return finding("failed", problems, "");
  }
  if (used > 0) return ok(`${used} ${used === 1 ? "server works" : "servers work"}`);
  return skipped(
    "neither the homeserver nor media.ice.servers names any: clients behind strict firewalls have no audio",
  );
}

async function checkRtc({ config, matrix }: AudioParts): Promise<Finding> {
  if (toRtc(config) === undefined) return skipped("rtc.mode is off");
  if (matrix === undefined) return skipped("there is no registration");
  const problems = await matrix.homeserver.conferenceProblems();
  const told = problems.map(({ line, reason }) => {
    const [found = line, ...mend] = line.split(": ");
    return { found: `${found} (${reason})`, mend: mend.join(": ") || "docs/matrix-rtc.md" };
  });
  return finding("failed", told, "nothing is missing, where the homeserver has a media server at all");
}
