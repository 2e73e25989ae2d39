// Which homeserver: asked only as far as it does not say so itself.
import { homeserverPresets, type HomeserverPreset } from "../../config/presets/homeservers.ts";
import { problemAt } from "../../config/setup/check-answer.ts";
import { isLoopback, type HomeserverChoice } from "../../config/setup/draft.ts";
import type { AskOutside } from "../../matrix/http/outside.ts";
import {
  findByDomain,
  findHomeserver,
  findSoftware,
  probeHomeserver,
  type FoundHomeserver,
} from "./find-homeserver.ts";
import type { InitFlags } from "./flags.ts";
import type { Interview } from "./interview.ts";
import { localAddressTowards } from "./local-address.ts";

const usualPort = 9993;

export async function askHomeserver(
  flags: InitFlags,
  interview: Interview,
  outside: AskOutside,
): Promise<HomeserverChoice> {
  const near = flags.homeserverUrl === undefined ? await findFirst(flags, outside) : undefined;
  const url = trimmed(
    await interview.ask({
      flag: "--homeserver-url",
      given: flags.homeserverUrl,
      words: "At which URL does the bridge reach the homeserver?",
      fallback: near?.url ?? (interview.isDialogue ? "http://localhost:8008" : undefined),
      check: (answer) => problemAt(["homeserver", "url"], { homeserver: { url: answer, domain: "example.org" } }),
    }),
  );
  const found = near?.url === url ? near : url === "" ? undefined : await probeHomeserver(url, outside);
  tell(found, url, interview);
  // What the homeserver says of itself is not asked.
  const domain = await interview.ask({
    flag: "--domain",
    given: flags.domain ?? found?.domain,
    words: "What is its server name, the part after the colon in user ids?",
    check: (answer) => wrongDomain(answer, found),
  });
  const software = found?.preset ?? (domain === "" ? undefined : (await findSoftware(domain, outside)).preset);
  const preset = await interview.choose(
    {
      flag: "--homeserver",
      given: flags.homeserver ?? software?.id,
      words: "Which homeserver is it?",
    },
    homeserverPresets,
  );
  return { preset, url, domain, appserviceUrl: await askAppserviceUrl(flags, url, preset, interview) };
}

async function findFirst({ domain }: InitFlags, outside: AskOutside): Promise<FoundHomeserver | undefined> {
  const [here, known] = await Promise.all([
    findHomeserver(outside),
    domain === undefined ? undefined : findByDomain(domain, outside),
  ]);
  // One on this machine for another domain is not the one that is meant.
  return domain !== undefined && here?.domain !== undefined && here.domain !== domain ? known : (here ?? known);
}

function tell(found: FoundHomeserver | undefined, url: string, { say }: Interview): void {
  if (found === undefined) say(`  No homeserver answers at ${url} now. That does not matter yet.\n`);
  else
    say(`  There is ${found.software ?? "a homeserver"}${found.domain === undefined ? "" : ` of ${found.domain}`}.\n`);
}

function wrongDomain(domain: string, found: FoundHomeserver | undefined): string | undefined {
  if (found?.domain !== undefined && found.domain !== domain)
    return `homeserver.domain should be ${found.domain}: so says the homeserver at ${found.url}`;
  return problemAt(["homeserver", "domain"], { homeserver: { url: "http://localhost", domain } });
}

/** On one machine it is clear. */
async function askAppserviceUrl(
  flags: InitFlags,
  url: string,
  { title }: HomeserverPreset,
  interview: Interview,
): Promise<string> {
  const host = URL.parse(url)?.hostname ?? "localhost";
  const isHere = isLoopback(host);
  const own = isHere ? "localhost" : await localAddressTowards(host);
  const fallback = own === undefined ? undefined : `http://${own.includes(":") ? `[${own}]` : own}:${usualPort}`;
  const check = (answer: string): string | undefined =>
    // Read as any URL of the configuration is.
    problemAt(["homeserver", "url"], { homeserver: { url: answer, domain: "example.org" } })?.replace(
      "homeserver.url ",
      "",
    );
  if (isHere && flags.appserviceUrl === undefined) return fallback ?? "";
  const words = `At which URL does ${title} reach the bridge?`;
  return trimmed(await interview.ask({ flag: "--appservice-url", given: flags.appserviceUrl, words, fallback, check }));
}

function trimmed(url: string): string {
  return url.replace(/\/+$/, "");
}
