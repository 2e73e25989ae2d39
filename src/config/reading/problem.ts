// What can be wrong with a configuration, gathered, so that one start shows all of it.

export type ConfigPath = readonly (string | number)[];

export interface ConfigProblem {
  readonly path: ConfigPath;
  /** Without the value itself, which may be a secret. */
  readonly message: string;
  /** 1-based; undefined where there is no place in the file. */
  readonly line: number | undefined;
}

/** A problem whose place in the file is still to be looked up. */
export type ConfigFinding = Pick<ConfigProblem, "path" | "message"> & {
  /** What the message speaks of besides: its line is said too. */
  readonly other?: ConfigPath;
};

/** `trunks[0].server`, `permissions["@alice:example.org"]`. */
export function formatPath(path: ConfigPath): string {
  let out = "";
  for (const part of path) {
    if (typeof part === "number") out += `[${part}]`;
    else if (/^[A-Za-z_][\w-]*$/.test(part)) out += out === "" ? part : `.${part}`;
    else out += `[${JSON.stringify(part)}]`;
  }
  return out;
}

/** `message` has one line for each problem: file, line, path, words. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly code = "config";
  readonly problems: readonly ConfigProblem[];
  constructor(file: string, problems: readonly ConfigProblem[], options?: { cause?: unknown }) {
    super(problems.map((problem) => formatProblem(file, problem)).join("\n"), options);
    this.problems = problems;
  }
}

function formatProblem(file: string, { path, message, line }: ConfigProblem): string {
  const place = line === undefined ? file : `${file}:${line}`;
  return path.length === 0 ? `${place}: ${message}` : `${place}: ${formatPath(path)} ${message}`;
}
