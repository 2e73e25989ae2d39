// The limits that people who call meet at the homeserver. It does not tell them, so its configuration is read, where that can be.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { codeOf } from "../../../config/reading/secrets.ts";
import { readYaml } from "../../../config/reading/yaml-source.ts";
import type { Config } from "../../../config/schema/schema.ts";
import type { AskOutside } from "../../../matrix/http/outside.ts";
import { probeHomeserver } from "../../init/find-homeserver.ts";
import { finding, skipped, type Check, type Finding, type Problem } from "../check.ts";

export interface LimitsParts {
  readonly config: Config;
  readonly ask: AskOutside;
  /** The homeserver's configuration, where somebody has said. */
  readonly configured: string | undefined;
}

const flag = "--homeserver-config FILE names its configuration";

export function limitsCheck(parts: LimitsParts): Check {
  return { id: "homeserver-limits", needs: ["homeserver"], run: () => checkLimits(parts) };
}

async function checkLimits({ config, ask, configured }: LimitsParts): Promise<Finding> {
  const found = await probeHomeserver(config.homeserver.url.replace(/\/+$/, ""), ask);
  const { preset } = found ?? {};
  if (preset === undefined) return skipped("the homeserver does not say what it is");
  if (preset.limits === undefined || preset.handing.kind !== "file")
    return skipped(`${preset.title} has no such limits`);
  const path = configured ?? join(preset.handing.folder, preset.limits.configuration);
  if (!existsSync(path)) return skipped(`${preset.title} does not tell them; ${flag}`);
  try {
    const limits = preset.id === "synapse" ? synapseLimits(path) : dendriteLimits(path);
    return finding("warning", limits, `those of ${path} let people call`);
  } catch (error) {
    return skipped(`${path} cannot be read: ${codeOf(error)}; run the doctor as a user who can, or ${flag}`);
  }
}

/** Parts of a file that may say anything. */
const rate = z.object({ per_second: z.number().optional(), burst_count: z.number().optional() }).optional().catch({});
const synapseForm = z.object({
  rc_message: rate,
  rc_room_creation: rate,
  rc_invites: z.object({ per_user: rate, per_issuer: rate }).optional().catch(undefined),
  block_non_admin_invites: z.boolean().optional().catch(undefined),
});

/** What a call needs at least, and what Synapse has unless it is told otherwise. docs/homeservers/synapse.md says how we know. */
const synapseNeeds = [
  {
    setting: "rc_message",
    least: 30,
    usual: 10,
    what: "a client's hang-up can be refused, and the telephone stays up",
  },
  { setting: "rc_room_creation", least: 20, usual: 10, what: "whoever dials several new numbers has to wait a minute" },
  {
    setting: "rc_invites.per_user",
    least: 20,
    usual: 5,
    what: "only some people at a time can dial the same new number",
  },
  { setting: "rc_invites.per_issuer", least: 20, usual: 10, what: "whoever dials several new numbers has to wait" },
] as const;

function synapseLimits(path: string): readonly Problem[] {
  const said = synapseForm.parse(Object.assign({}, ...filesOf(path).map(sectionIn)));
  const bursts: Readonly<Record<(typeof synapseNeeds)[number]["setting"], number | undefined>> = {
    rc_message: said.rc_message?.burst_count,
    rc_room_creation: said.rc_room_creation?.burst_count,
    "rc_invites.per_user": said.rc_invites?.per_user?.burst_count,
    "rc_invites.per_issuer": said.rc_invites?.per_issuer?.burst_count,
  };
  const problems = synapseNeeds.flatMap(({ setting, least, usual, what }) => {
    const burst = bursts[setting] ?? usual;
    if (burst >= least) return [];
    return [
      {
        found: `${setting}.burst_count is ${burst}: ${what}`,
        mend: `raise it in ${path} (docs/homeservers/synapse.md)`,
      },
    ];
  });
  if (said.block_non_admin_invites !== true) return problems;
  const found = "block_non_admin_invites is on: nobody can dial, because dialling invites the number";
  return [{ found, mend: `turn it off in ${path}` }, ...problems];
}

const dendriteForm = z.object({
  client_api: z
    .object({
      rate_limiting: z
        .object({ enabled: z.boolean().optional(), threshold: z.number().optional() })
        .optional()
        .catch(undefined),
    })
    .optional()
    .catch(undefined),
});
/** One call stays below 20; Dendrite's own default is that. */
const dendriteLeast = 20;

function dendriteLimits(path: string): readonly Problem[] {
  const { enabled = true, threshold = dendriteLeast } =
    dendriteForm.parse(sectionIn(path)).client_api?.rate_limiting ?? {};
  if (!enabled || threshold >= dendriteLeast) return [];
  const found = `client_api.rate_limiting.threshold is ${threshold}: one call can exceed it`;
  return [{ found, mend: `raise it in ${path} (docs/homeservers/dendrite.md)` }];
}

/** Debian's Synapse reads the files of conf.d after the first one. */
function filesOf(path: string): readonly string[] {
  const more = path.replace(/[^/]*$/, "conf.d");
  const names = existsSync(more) ? readdirSync(more).filter((name) => name.endsWith(".yaml")) : [];
  return [path, ...names.toSorted().map((name) => join(more, name))];
}

function sectionIn(path: string): object {
  const { value } = readYaml(readFileSync(path, "utf8"));
  return typeof value === "object" && value !== null ? value : {};
}
