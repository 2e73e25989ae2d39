// The flags of `init`: one for each question, so that everything can be said without a terminal.
import type { AskKey } from "../../config/presets/preset.ts";
import { UsageError } from "./interview.ts";

/** As commander reads them. */
export interface InitFlags {
  readonly config: string;
  readonly file: string;
  readonly yes?: true;
  readonly homeserver?: string;
  readonly homeserverUrl?: string;
  readonly domain?: string;
  readonly appserviceUrl?: string;
  readonly country?: string;
  readonly trunk?: string;
  readonly name?: string;
  readonly server?: string;
  readonly username?: string;
  readonly passwordFile?: string;
  readonly number?: string;
  readonly address?: string;
  readonly port?: string;
  readonly publicAddress?: string;
  readonly route?: readonly string[];
  readonly ring?: readonly string[];
  readonly allow?: string;
  readonly joinForPeople?: true;
  readonly registrationCopy?: string;
  readonly homeserverUser?: string;
}

interface FlagOf {
  readonly flag: string;
  readonly given: (flags: InitFlags) => string | undefined;
}

/** By what a preset asks. */
export const trunkFlags: Readonly<Record<AskKey, FlagOf>> = {
  server: { flag: "--server", given: ({ server }) => server },
  username: { flag: "--username", given: ({ username }) => username },
  password: { flag: "--password-file", given: ({ passwordFile }) => passwordFile },
  number: { flag: "--number", given: ({ number }) => number },
  address: { flag: "--address", given: ({ address }) => address },
  port: { flag: "--port", given: ({ port }) => port },
  public_address: { flag: "--public-address", given: ({ publicAddress }) => publicAddress },
};

/** Flags of what a configuration has already, and the setting to change instead. */
export function refuseFlagsOfNew(flags: InitFlags): void {
  const settings: readonly (readonly [unknown, string, string])[] = [
    [flags.homeserver, "--homeserver", "ghosts.encoding"],
    [flags.homeserverUrl, "--homeserver-url", "homeserver.url"],
    [flags.domain, "--domain", "homeserver.domain"],
    [flags.appserviceUrl, "--appservice-url", "appservice.listen"],
    [flags.country, "--country", "dial_plan.country"],
    [flags.allow, "--allow", "permissions"],
    [flags.joinForPeople, "--join-for-people", "inbound.join_for_people"],
    [flags.registrationCopy, "--registration-copy", "the registration"],
  ];
  const found = settings.find(([given]) => given !== undefined);
  if (found === undefined) return;
  throw new UsageError(
    `${found[1]}: ${flags.config} exists already, and nothing in it is changed; edit ${found[2]} there`,
  );
}
