// What a homeserver says of itself, so that nobody has to. Whatever it answers is hostile until it is read.
import { homeserverPresets, type HomeserverPreset } from "../../config/presets/homeservers.ts";
import { splitHostPort } from "../../config/schema/scalars.ts";
import type { AskOutside } from "../../matrix/http/outside.ts";

export interface FoundHomeserver {
  readonly url: string;
  /** What it says its server name is. */
  readonly domain: string | undefined;
  readonly preset: HomeserverPreset | undefined;
  /** "Synapse 1.160.0", for people. */
  readonly software: string | undefined;
}

/** Where homeservers listen on their own machine: most of them, and Conduit. */
const usualUrls = ["http://localhost:8008", "http://localhost:6167"];
const timeoutMs = 3_000;

/** The homeserver at that address; undefined if there is none. Never rejects. */
export async function probeHomeserver(url: string, ask: AskOutside): Promise<FoundHomeserver | undefined> {
  const [versions, federation, keys] = await Promise.all(
    ["client/versions", "federation/v1/version", "key/v2/server"].map((path) =>
      fetchJson(`${url}/_matrix/${path}`, ask),
    ),
  );
  if (!Array.isArray(versions?.["versions"])) return undefined;
  const domain = keys?.["server_name"];
  const { name, version } = sectionIn(federation?.["server"]);
  return {
    url,
    domain: typeof domain === "string" && splitHostPort(domain) !== undefined ? domain : undefined,
    ...softwareOf(name, version),
  };
}

/** The first that listens on this machine. */
export async function findHomeserver(ask: AskOutside): Promise<FoundHomeserver | undefined> {
  const found = await Promise.all(usualUrls.map((url) => probeHomeserver(url, ask)));
  return found.find((one) => one !== undefined);
}

/** As clients find it (`.well-known/matrix/client`). */
export async function findByDomain(domain: string, ask: AskOutside): Promise<FoundHomeserver | undefined> {
  const known = await fetchJson(`https://${domain}/.well-known/matrix/client`, ask);
  const url = sectionIn(known?.["m.homeserver"])["base_url"];
  if (typeof url !== "string" || !/^https?:\/\//.test(url)) return undefined;
  return probeHomeserver(url.replace(/\/+$/, ""), ask);
}

/** Where other homeservers find it (`.well-known/matrix/server`): the program behind a proxy that hides it from clients. */
export async function findSoftware(
  domain: string,
  ask: AskOutside,
): Promise<Pick<FoundHomeserver, "preset" | "software">> {
  const known = await fetchJson(`https://${domain}/.well-known/matrix/server`, ask);
  const server = known?.["m.server"];
  if (typeof server !== "string" || splitHostPort(server) === undefined)
    return { preset: undefined, software: undefined };
  const federation = await fetchJson(`https://${server}/_matrix/federation/v1/version`, ask);
  const { name, version } = sectionIn(federation?.["server"]);
  return softwareOf(name, version);
}

function softwareOf(name: unknown, version: unknown): Pick<FoundHomeserver, "preset" | "software"> {
  if (typeof name !== "string" || !/^[\w .-]{1,40}$/.test(name)) return { preset: undefined, software: undefined };
  const isVersion = typeof version === "string" && /^[\w .+()-]{1,40}$/.test(version);
  return {
    preset: homeserverPresets.find(({ names }) => names.includes(name.toLowerCase())),
    software: isVersion ? `${name} ${version}` : name,
  };
}

type Json = Readonly<Record<string, unknown>>;

async function fetchJson(url: string, ask: AskOutside): Promise<Json | undefined> {
  try {
    const { status, body } = await ask({ method: "GET", url, timeoutMs });
    return status === 200 ? sectionIn(body) : undefined;
  } catch {
    return undefined;
  }
}

function sectionIn(value: unknown): Json {
  return typeof value === "object" && value !== null ? (value as Json) : {};
}
