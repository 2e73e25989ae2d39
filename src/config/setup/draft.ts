// From what an admin has chosen to the settings of a configuration.
import { splitHostPort } from "../schema/scalars.ts";
import type { Setting, Settings } from "../writing/commented.ts";
import { fillSettings, type Answers } from "../presets/fill.ts";
import type { HomeserverPreset } from "../presets/homeservers.ts";
import type { TrunkPreset } from "../presets/preset.ts";
import { toNumberEntry, toPermissions, type Ring } from "./choices.ts";

export interface TrunkChoice {
  readonly preset: TrunkPreset;
  readonly name: string;
  readonly answers: Answers;
}

export interface HomeserverChoice {
  readonly preset: HomeserverPreset;
  readonly url: string;
  readonly domain: string;
  /** Where the homeserver reaches the bridge. */
  readonly appserviceUrl: string;
}

export interface SetupChoices {
  readonly homeserver: HomeserverChoice;
  readonly country: string;
  readonly trunk: TrunkChoice;
  readonly rings: readonly Ring[];
  readonly allow: string;
  readonly joinForPeople: boolean;
}

const defaultPort = 9993;

export function draftConfig(choices: SetupChoices): Settings {
  const { homeserver, country, trunk, rings } = choices;
  const { address, public_address: publicAddress } = trunk.answers;
  const rtp = withoutEmpty({ host: address, advertised_host: publicAddress });
  return {
    homeserver: { url: homeserver.url, domain: homeserver.domain },
    appservice: draftAppservice(homeserver.appserviceUrl),
    ghosts: {
      gateway: `sip.${splitHostPort(homeserver.domain)?.host.replaceAll(/[[\]:]/g, "") ?? homeserver.domain}`,
      encoding: homeserver.preset.encoding,
      one_per_number: true,
    },
    dial_plan: { country },
    trunks: [draftTrunk(trunk, rings)],
    inbound:
      rings.length === 0 && !choices.joinForPeople
        ? undefined
        : {
            join_for_people: choices.joinForPeople ? true : undefined,
            numbers: rings.length === 0 ? undefined : rings.map((ring) => toNumberEntry(ring, trunk.name)),
          },
    permissions: toPermissions(choices.allow),
    media: rtp === undefined ? undefined : { rtp },
  };
}

/** What differs from the defaults, so that the bridge listens where the homeserver looks for it. */
function draftAppservice(appserviceUrl: string): Settings | undefined {
  const url = URL.parse(appserviceUrl);
  if (url === null) return undefined;
  const listen = withoutEmpty({
    host: isLoopback(url.hostname) ? undefined : "0.0.0.0",
    port: url.port === "" || Number(url.port) === defaultPort ? undefined : Number(url.port),
  });
  return listen === undefined ? undefined : { listen };
}

export function isLoopback(hostname: string): boolean {
  return /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}

export function draftTrunk({ preset, name, answers }: TrunkChoice, rings: readonly Ring[]): Settings {
  const filled = fillSettings(preset.trunk, { ...answers, number: written(answers["number"] ?? "", preset) });
  const numbers = preset.callerNumbers === undefined ? {} : callerNumbers(rings, preset);
  const own = typeof filled["identity"] === "object" ? (filled["identity"] as Settings) : {};
  const identity: Settings = Object.keys(numbers).length === 0 ? own : { ...own, numbers };
  const trunk: Settings = { name, ...filled };
  return Object.keys(identity).length === 0 ? trunk : { ...trunk, identity };
}

/** The first number that rings somebody is the one that they call with. */
function callerNumbers(rings: readonly Ring[], preset: TrunkPreset): Settings {
  const numbers: Record<string, Setting> = {};
  for (const { called, who } of rings) {
    if (!/^\+?\d+$/.test(called)) continue;
    for (const user of who.filter((one) => one.startsWith("@"))) numbers[user] ??= written(called, preset);
  }
  return numbers;
}

function written(number: string, { callerNumbers: form }: TrunkPreset): string {
  return form === "e164-without-plus" ? number.replace(/^\+/, "") : number;
}

function withoutEmpty(settings: Settings): Settings | undefined {
  const entries = Object.entries(settings).filter(([, value]) => value !== undefined && value !== "");
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
