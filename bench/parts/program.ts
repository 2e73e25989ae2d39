// A part of a benchmark that runs as a process of its own, so that what is measured shares no event loop with what measures.
// The parent's end is `startProgram`, the child's `serve`: each question of the parent gets one answer.
import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Questions that a program answers, and with what. */
export type Dialogue = Readonly<Record<string, { readonly question: unknown; readonly answer: unknown }>>;

type Asked = { readonly number: number; readonly kind: string; readonly question: unknown };
type Answered = { readonly number: number; readonly answer?: unknown; readonly failure?: string };

export interface Program<Spoken extends Dialogue> {
  readonly pid: number;
  /** Throws what the program threw, as text; or what it died of. */
  ask<Kind extends string & keyof Spoken>(
    kind: Kind,
    ...question: Spoken[Kind]["question"] extends undefined ? [] : [Spoken[Kind]["question"]]
  ): Promise<Spoken[Kind]["answer"]>;
  /** Resolves when the process is gone. */
  stop(): Promise<void>;
}

export interface ProgramOptions {
  readonly execArgv?: readonly string[];
  /** Takes each line of standard output; without it the output goes nowhere. */
  readonly onLine?: (line: string) => void;
}

/** @param file name of a program in bench/ */
export function startProgram<Spoken extends Dialogue>(file: string, options: ProgramOptions = {}): Program<Spoken> {
  const { execArgv = [], onLine } = options;
  const child = fork(fileURLToPath(new URL(`../${file}`, import.meta.url)), [], {
    execArgv: [...execArgv],
    env: { ...process.env, NODE_ENV: "production" },
    stdio: ["ignore", onLine === undefined ? "ignore" : "pipe", "inherit", "ipc"],
  });
  if (child.pid === undefined) throw new Error(`${file} could not be started`);
  const waiting = new Map<number, { done: (answer: unknown) => void; failed: (error: Error) => void }>();
  let count = 0;
  const ended = new Promise<void>((resolve) => {
    child.once("exit", (code, signal) => {
      for (const { failed } of waiting.values()) failed(new Error(`${file} ended: ${signal ?? `exit code ${code}`}`));
      resolve();
    });
  });
  child.on("message", ({ number, answer, failure }: Answered) => {
    const asked = waiting.get(number);
    waiting.delete(number);
    if (failure === undefined) asked?.done(answer);
    else asked?.failed(new Error(`${file}: ${failure}`));
  });
  if (onLine !== undefined) readLines(child, onLine);

  return {
    pid: child.pid,
    ask: (kind, ...[question]) =>
      new Promise((resolve, reject) => {
        count += 1;
        waiting.set(count, { done: resolve, failed: reject });
        child.send({ number: count, kind, question } satisfies Asked);
      }),
    async stop() {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}

function readLines(child: ChildProcess, onLine: (line: string) => void): void {
  let rest = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  });
}

type Answers<Spoken extends Dialogue> = {
  readonly [Kind in keyof Spoken]: (
    question: Spoken[Kind]["question"],
  ) => Spoken[Kind]["answer"] | Promise<Spoken[Kind]["answer"]>;
};

/** The child's end. `stop` is called when the parent wants the process to end, or is gone itself. */
export function serve<Spoken extends Dialogue>(
  answers: Answers<Spoken>,
  stop: () => Promise<void> = async () => {},
): void {
  const answer = async ({ number, kind, question }: Asked): Promise<Answered> => {
    try {
      const given = answers[kind];
      if (given === undefined) throw new Error(`no answer to ${kind}`);
      return { number, answer: await given(question) };
    } catch (error) {
      return { number, failure: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
  };
  process.on("message", (asked: Asked) => {
    void answer(asked).then((answered) => process.connected && process.send?.(answered));
  });
  process.once("disconnect", () => {
    void stop().finally(() => process.exit());
  });
}
