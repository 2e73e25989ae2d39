// The main thread's end of one crypto worker: asks, and notices when it is gone or stuck.
import { Worker } from "node:worker_threads";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/telemetry.ts";
import type { AnswerTo, FromWorker, QuestionKind, QuestionOf } from "./protocol.ts";

/** The worker could not answer. `lost`: it is gone with all that it knew, and another one may be asked. */
export class CryptoError extends Error {
  override readonly name = "CryptoError";
  readonly lost: boolean;
  constructor(message: string, lost: boolean) {
    super(message);
    this.lost = lost;
  }
}

interface Waiting {
  readonly done: (answer: unknown) => void;
  readonly failed: (error: CryptoError) => void;
  readonly askedAtMs: number;
}

/** `.ts` when run from the sources, `.js` from the build: as this file itself. */
const ownEntry = new URL(`worker${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url);
/** A question takes milliseconds; a worker that says nothing for so long while it is asked hangs. */
const silenceMs = 5_000;
/** A busy worker answers others first, but not for ever: a panic may leave a question without any answer. */
const patienceMs = 15_000;
const checkIntervalMs = 1_000;
/** Many times what 10,000 users of ours take. */
const resourceLimits = { maxOldGenerationSizeMb: 512 };

export class WorkerLink {
  readonly #worker: Worker;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #waiting = new Map<number, Waiting>();
  #count = 0;
  #heardAtMs: number;
  #isRunning = true;
  #cancelCheck: (() => void) | undefined;

  /** @param ended it has ended without being asked to; all questions have been refused */
  constructor(clock: Clock, log: Log, ended: () => void, entry = ownEntry) {
    this.#clock = clock;
    this.#log = log;
    this.#heardAtMs = clock.nowMs();
    this.#worker = new Worker(entry, { resourceLimits, stdout: true, stderr: true });
    // What is under way in the main thread keeps the process alive, not this.
    this.#worker.unref();
    this.#worker.on("message", (message: FromWorker) => this.#receive(message));
    let why = "it ended";
    this.#worker.on("error", (error) => {
      why = error instanceof Error ? error.message : String(error);
    });
    for (const stream of [this.#worker.stdout, this.#worker.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        log.debug("crypto worker wrote a line", { text: text.slice(0, 1000) });
      });
    }
    this.#worker.once("exit", () => {
      const wanted = !this.#isRunning;
      this.#end(why);
      if (!wanted) log.error("the crypto worker ended: numbers get new keys", { why });
      if (!wanted) ended();
    });
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Throws CryptoError. */
  ask<Kind extends QuestionKind>(question: QuestionOf<Kind>): Promise<AnswerTo<Kind>> {
    if (!this.#isRunning) return Promise.reject(new CryptoError("the crypto worker is gone", true));
    this.#count += 1;
    const number = this.#count;
    return new Promise((resolve, reject) => {
      const askedAtMs = this.#clock.nowMs();
      // The worker answers each kind of question with its own kind of answer (protocol.ts).
      this.#waiting.set(number, { done: (answer) => resolve(answer as AnswerTo<Kind>), failed: reject, askedAtMs });
      this.#worker.postMessage({ number, question }, []);
      this.#cancelCheck ??= this.#check();
    });
  }

  /** Ends it, whatever it is doing. */
  async stop(): Promise<void> {
    this.#end("it was stopped");
    await this.#worker.terminate();
  }

  /** As a panic does, for tests. */
  kill(): void {
    void this.#worker.terminate();
  }

  #check(): () => void {
    return this.#clock.at(this.#clock.nowMs() + checkIntervalMs, () => {
      this.#cancelCheck = undefined;
      const [oldest] = this.#waiting.values();
      if (oldest === undefined) return;
      const nowMs = this.#clock.nowMs();
      const ageMs = nowMs - oldest.askedAtMs;
      if (ageMs > patienceMs || Math.min(ageMs, nowMs - this.#heardAtMs) > silenceMs) {
        this.#log.error("the crypto worker does not answer: ending it", { ageMs });
        void this.#worker.terminate();
      }
      this.#cancelCheck = this.#check();
    });
  }

  #receive(message: FromWorker): void {
    this.#heardAtMs = this.#clock.nowMs();
    const waiting = this.#waiting.get(message.number);
    this.#waiting.delete(message.number);
    if (message.kind === "answer") waiting?.done(message.answer);
    else waiting?.failed(new CryptoError(message.message, false));
  }

  #end(why: string): void {
    this.#isRunning = false;
    this.#cancelCheck?.();
    this.#cancelCheck = undefined;
    for (const { failed } of this.#waiting.values()) failed(new CryptoError(`the crypto worker ended: ${why}`, true));
    this.#waiting.clear();
  }
}
