// From a YAML file to a checked configuration, or to all that is wrong with it at once.
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { checkAdmin, checkWebhook } from "./checks/admin-checks.ts";
import { checkConfig, checkTls } from "./checks/checks.ts";
import { checkPins } from "./checks/pin-checks.ts";
import { explainIssues } from "./reading/explain.ts";
import { ConfigError, type ConfigFinding, type ConfigProblem } from "./reading/problem.ts";
import { configSchema, type Config } from "./schema/schema.ts";
import { codeOf, resolveSecrets, type SecretSources } from "./reading/secrets.ts";
import { readYaml } from "./reading/yaml-source.ts";

/** Reads and checks a configuration file. Throws ConfigError. */
export function loadConfig(path: string, env: SecretSources["env"]): Config {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const message = `cannot be read: ${codeOf(error)}`;
    throw new ConfigError(path, [{ path: [], message, line: undefined }], { cause: error });
  }
  return parseConfig(text, { configPath: path, env });
}

/** As `loadConfig`, of a text; files that it names are still read. Throws ConfigError. */
export function parseConfig(text: string, sources: SecretSources): Config {
  const source = readYaml(text);
  const fail = (problems: readonly ConfigProblem[]): never => {
    throw new ConfigError(sources.configPath, problems);
  };
  if (source.problems.length > 0) return fail(source.problems);
  if (source.value === undefined || source.value === null) {
    return fail([{ path: [], message: "is empty", line: undefined }]);
  }
  const parsed = configSchema.safeParse(source.value);
  if (!parsed.success) return fail(explainIssues(parsed.error.issues, source));
  const { config, findings } = resolveSecrets(parsed.data, sources);
  const all: readonly ConfigFinding[] = [
    ...checkConfig(parsed.data),
    ...findings,
    ...(findings.length === 0
      ? [...checkTls(config), ...checkAdmin(config), ...checkWebhook(config), ...checkPins(config)]
      : []),
  ];
  if (all.length > 0) {
    return fail(
      all.map(({ path, message, other }) => {
        const line = other === undefined ? undefined : source.lineOf(other);
        return { path, message: line === undefined ? message : `${message} (line ${line})`, line: source.lineOf(path) };
      }),
    );
  }
  return withPaths(config, sources.configPath);
}

/** Whether that file is good is found out where it is read: commands have to work beside a bad one. */
function withPaths(config: Config, configPath: string): Config {
  const { rates_file: rates } = config.limits;
  if (rates === undefined) return config;
  return { ...config, limits: { ...config.limits, rates_file: resolve(dirname(configPath), rates) } };
}
