// `init` as an admin runs it, in a folder of its own.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { runCommand } from "../../../src/cli/command.ts";
import type { Dialogue } from "../../../src/cli/terminal.ts";

/** Nothing listens there. */
export const nowhere = "http://127.0.0.1:9";

export interface Folder {
  readonly path: string;
  readonly files: () => string[];
  readonly read: (name: string) => string;
  /** With both files, unless `argv` names others. */
  readonly init: (argv: readonly string[], dialogue?: Dialogue) => Promise<Outcome>;
  /** Another command, with both files. */
  readonly run: (...argv: readonly string[]) => Promise<Outcome>;
}

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export function newFolder(env: Readonly<Record<string, string>> = {}): Folder {
  const path = mkdtempSync(join(tmpdir(), "init-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  const files = ["-c", join(path, "config.yaml"), "-f", join(path, "registration.yaml")];
  const run = async (argv: readonly string[], dialogue?: Dialogue): Promise<Outcome> => {
    let [out, err] = ["", ""];
    const code = await runCommand(argv, {
      env,
      out: (text) => void (out += text),
      err: (text) => void (err += text),
      onSignal: () => {},
      exit: () => {},
      ...(dialogue && { dialogue }),
    });
    return { code, out, err };
  };
  return {
    path,
    files: () => readdirSync(path).toSorted(),
    read: (name) => readFileSync(join(path, name), "utf8"),
    init: (argv, dialogue) => run([...files, "init", ...argv], dialogue),
    run: (...argv) => run([...argv, ...files]),
  };
}

/** Everything that has no default, for a telephone system on this machine. */
export const everything =
  `--yes --homeserver synapse --homeserver-url ${nowhere} --domain example.org --country GB --trunk asterisk --server 127.0.0.1 --allow @alice:example.org`.split(
    " ",
  );
