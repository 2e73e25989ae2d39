// Is an answer good? What the configuration itself would say of it, before there is one.
import { checkConfig } from "../checks/checks.ts";
import { explainIssues } from "../reading/explain.ts";
import { formatPath, type ConfigFinding, type ConfigPath } from "../reading/problem.ts";
import { configSchema } from "../schema/schema.ts";
import type { Settings } from "../writing/commented.ts";

/** Good in itself, so that what is wrong is the answer's. */
const rest: Settings = {
  homeserver: { url: "http://localhost:8008", domain: "example.org" },
  ghosts: { gateway: "sip.example.org" },
  dial_plan: { country: "GB" },
  trunks: [{ name: "main", server: "localhost" }],
};

/** The words of the configuration for what is wrong at `path`, with the setting's name; undefined if nothing is. */
export function problemAt(path: ConfigPath, settings: Settings): string | undefined {
  const value = JSON.parse(JSON.stringify({ ...rest, ...settings })) as unknown;
  const parsed = configSchema.safeParse(value);
  const problems: readonly ConfigFinding[] = parsed.success
    ? [...checkConfig(parsed.data)]
    : explainIssues(parsed.error.issues, { value, problems: [], lineOf: () => undefined });
  const found = problems.find((problem) => path.every((part, index) => problem.path[index] === part));
  return found && `${formatPath(found.path)} ${found.message}`;
}
