// A real part as a child process: started, watched through its output, and ended by its id.
// It cannot outlive the tests: it leads a process group of its own, which is ended with it, and the
// kernel sends it SIGTERM should the test process die first.
import { type ChildProcess, spawn } from "node:child_process";
import { patienceMs } from "../../../../dev/loopback/patience.ts";
import type { Log } from "./log.ts";
import { pause } from "./until.ts";

export interface ProcessOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly log: Log;
  readonly cwd?: string;
  /** Added to the environment of the tests. */
  readonly env?: Readonly<Record<string, string>>;
  /** How long it may take to obey SIGTERM. */
  readonly stopWithinMs?: number;
}

/** How a process ended: one of the two is not null. */
interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface RunningProcess {
  readonly pid: number;
  readonly log: Log;
  /** Settles once, when the process is gone and all its output is read. */
  readonly exited: Promise<Exit>;
  readonly running: boolean;
  /** A match in the output; fails at once if the process ends without it. */
  saying(pattern: RegExp, options?: { timeoutMs?: number; from?: number }): Promise<RegExpExecArray>;
  /** `ready` becoming true; fails at once if the process ends before that. */
  until(what: string, ready: () => Promise<boolean>, timeoutMs?: number): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  /** SIGTERM, then SIGKILL to the whole group after a deadline. May be called twice. */
  stop(): Promise<Exit>;
}

const STOP_WITHIN_MS = 5000;
const ended = Symbol("ended");
const alive = new Set<ChildProcess>();

const killGroup = (child: ChildProcess, signal: NodeJS.Signals): void => {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // ESRCH: the group is gone already, which is what was wanted.
  }
};

process.once("exit", () => {
  for (const child of alive) killGroup(child, "SIGKILL");
});

/**
 * Starts a process. Its input is closed, its output goes to the log.
 * @throws where the command does not exist
 */
export async function startProcess(options: ProcessOptions): Promise<RunningProcess> {
  const { log } = options;
  const child = spawn("setpriv", ["--pdeathsig", "TERM", "--", options.command, ...options.args], {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  alive.add(child);
  child.stdout.setEncoding("utf8").on("data", (text: string) => log.append(text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => log.append(text));

  let exit: Exit | undefined;
  const exited = new Promise<Exit>((resolve) => {
    child.once("close", (code, signal) => {
      alive.delete(child);
      exit = { code, signal };
      log.append(`[ended: ${code === null ? `signal ${String(signal)}` : `exit code ${code}`}]\n`);
      resolve(exit);
    });
  });
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", (cause) => {
      alive.delete(child);
      reject(new Error(`cannot start ${options.command}`, { cause }));
    });
  });

  const tooSoon = async (): Promise<never> => {
    await exited;
    throw new Error(`${log.name} ended before it was ready\n${log.tail()}`);
  };

  return {
    pid: child.pid ?? 0,
    log,
    exited,
    get running() {
      return exit === undefined;
    },
    saying: (pattern, wait = {}) => log.waitFor(pattern, { ...wait, over: tooSoon() }),
    async until(what, ready, timeoutMs = patienceMs) {
      const deadline = performance.now() + timeoutMs;
      for (;;) {
        // Whoever ends while being asked is asked once more: to have ended may be what is waited for.
        const isOver = exit !== undefined;
        if (await ready()) return;
        if (isOver) await tooSoon();
        if (performance.now() > deadline) {
          throw new Error(`${log.name}: waited ${timeoutMs} ms for ${what}\n${log.tail()}`);
        }
        await pause(25);
      }
    },
    signal: (signal) => void (exit === undefined && child.kill(signal)),
    async stop() {
      if (exit !== undefined) return exit;
      child.kill("SIGTERM");
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<typeof ended>((resolve) => {
        timer = setTimeout(() => resolve(ended), options.stopWithinMs ?? STOP_WITHIN_MS);
      });
      const first = await Promise.race([exited, late]);
      clearTimeout(timer);
      if (first !== ended) return first;
      log.append("[SIGTERM was not obeyed: SIGKILL]\n");
      killGroup(child, "SIGKILL");
      return await exited;
    },
  };
}

/** Does an HTTP server answer there, whatever it says? */
export async function answersHttp(url: string): Promise<boolean> {
  try {
    await (await fetch(url, { signal: AbortSignal.timeout(2000) })).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}
