// One test's bench: a folder for its logs and files, and the parts that end with it.
// A failure prints the end of every log; a success prints nothing.
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, beforeEach, expect, inject, onTestFailed, onTestFinished } from "vitest";
import { Log } from "./log.ts";
import { type ProcessOptions, type RunningProcess, startProcess } from "./process.ts";

const slug = (name: string): string => name.replace(/[^A-Za-z0-9]+/g, "-").slice(0, 80);

export class Rig {
  readonly folder: string;
  readonly #logs: Log[] = [];
  readonly #files: string[] = [];
  readonly #endings: { what: string; end: () => Promise<unknown> }[] = [];
  readonly #names = new Map<string, number>();

  constructor(...names: readonly string[]) {
    this.folder = join(inject("runFolder"), ...names.map(slug));
    rmSync(this.folder, { recursive: true, force: true });
    mkdirSync(this.folder, { recursive: true });
  }

  /** A path in the folder. */
  path(...names: string[]): string {
    return join(this.folder, ...names);
  }

  /** A log in the folder that a failure shows the end of. The second of one name gets a number. */
  log(name: string): Log {
    const count = (this.#names.get(name) ?? 0) + 1;
    this.#names.set(name, count);
    const unique = count === 1 ? name : `${name}-${count}`;
    const log = new Log(unique, this.path(`${unique}.log`));
    this.#logs.push(log);
    return log;
  }

  /** A file that a part writes by itself and that a failure shows the end of, if it is there. */
  attach(file: string): void {
    this.#files.push(file);
  }

  /** A process that ends with the rig. */
  async start(name: string, options: Omit<ProcessOptions, "log">): Promise<RunningProcess> {
    const started = await startProcess({ ...options, log: this.log(name) });
    this.defer(name, () => started.stop());
    return started;
  }

  /** Something to be ended with the rig: the last one first. */
  defer(what: string, end: () => Promise<unknown>): void {
    this.#endings.push({ what, end });
  }

  /** The end of every log. */
  evidence(): string {
    const files = this.#files.flatMap((file) => {
      try {
        return [`--- ${file}\n${readFileSync(file, "utf8").trimEnd().split("\n").slice(-60).join("\n")}`];
      } catch {
        return []; // it was never written: there was nothing to say
      }
    });
    return [...this.#logs.map((log) => log.tail()), ...files].join("\n");
  }

  /** Ends all parts, even where one of them fails to. */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (let ending = this.#endings.pop(); ending !== undefined; ending = this.#endings.pop()) {
      try {
        await ending.end();
      } catch (cause) {
        failures.push(new Error(`${ending.what} did not end`, { cause }));
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, "parts of the rig did not end");
  }
}

/** A rig for all tests of a `describe` or a file: call it there, start parts in `beforeAll`. */
export function suiteRig(name: string): Rig {
  const rig = new Rig(name);
  beforeEach(({ onTestFailed: whenFailed }) => whenFailed(() => void process.stderr.write(`${rig.evidence()}\n`)));
  afterAll(() => rig.close());
  return rig;
}

/** A rig for the test that is running. */
export function testRig(): Rig {
  const { currentTestName = "test", testPath = "" } = expect.getState();
  // Files run side by side, and two of them may have tests of one name.
  const rig = new Rig("tests", basename(testPath, ".test.ts"), currentTestName);
  onTestFinished(() => rig.close());
  onTestFailed(() => void process.stderr.write(`${rig.evidence()}\n`));
  return rig;
}
