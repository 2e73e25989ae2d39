// The engine's end of one worker process: starts it, sends it orders, notices when it is gone.
import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { FocusId } from "../../../ports/conference.ts";
import type { MediaEnd } from "../../../core/media-end.ts";
import { MediaError, type MediaReport } from "../../../ports/media.ts";
import type { Log } from "../../../ports/telemetry.ts";
import type { FromWorker, Order, OrderKind, OrderOf, OrderResults, EndDialogs, ToWorker } from "../session/protocol.ts";
import type { WorkerSettings } from "../base/settings.ts";
import type { EndMarks } from "../trunk/dialog-media.ts";

export interface WorkerWatch {
  report(session: number, fact: MediaReport): void;
  price(session: number, price: number): void;
  admissionWanted(session: number, end: MediaEnd, focus: FocusId | undefined): void;
  met(session: number, end: MediaEnd, isAnybody: boolean): void;
  dialogs(session: number, dialogs: EndDialogs): void;
  marks(marks: readonly (readonly [session: number, marks: EndMarks])[]): void;
  /** The process has ended, whoever wanted it. All orders under way have been refused. */
  ended(detail: string): void;
}

interface Waiting {
  readonly done: (result: unknown) => void;
  readonly refused: (error: MediaError) => void;
}

/** `.ts` when run from the sources, `.js` from the build: as this file itself. */
const entry = fileURLToPath(new URL(`worker${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url));
const startTimeoutMs = 20_000;
const stopTimeoutMs = 3000;
const pingIntervalMs = 2000;
/** So many without an answer mean that it hangs, in its native part most likely: it is killed, and so replaced. */
const pingsUnanswered = 5;

export class WorkerLink {
  readonly #child: ChildProcess;
  readonly #log: Log;
  readonly #watch: WorkerWatch;
  readonly #waiting = new Map<number, Waiting>();
  readonly #ended: Promise<void>;
  #started: ((error?: MediaError) => void) | undefined;
  #count = 0;
  #isRunning = true;
  /** Once it has started, which has a deadline of its own. */
  #pinging: NodeJS.Timeout | undefined;
  #unanswered = 0;

  private constructor(log: Log, watch: WorkerWatch) {
    this.#watch = watch;
    this.#child = fork(entry, [], {
      execArgv: [],
      serialization: "advanced",
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    this.#log = log.child({ worker: this.#child.pid });
    this.#child.on("message", (message: FromWorker) => this.#receive(message));
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#log.warn("media worker wrote to stderr", { text: text.slice(0, 1000) });
    });
    // A failed spawn gives `error` without `exit`.
    this.#ended = new Promise((resolve) => {
      const end = (detail: string): void => {
        if (!this.#isRunning) return;
        this.#isRunning = false;
        clearInterval(this.#pinging);
        this.#refuseAll(detail);
        watch.ended(detail);
        resolve();
      };
      this.#child.once("exit", (code, signal) => end(signal ?? `exit code ${code}`));
      this.#child.once("error", (error) => {
        if (this.#child.pid === undefined) end(error.message);
      });
    });
  }

  /** Ready to take orders when it resolves. Throws MediaError. */
  static async start(settings: WorkerSettings, log: Log, watch: WorkerWatch): Promise<WorkerLink> {
    const worker = new WorkerLink(log, watch);
    await worker.#start(settings);
    if (worker.#isRunning) worker.#pinging = setInterval(() => worker.#ping(), pingIntervalMs);
    return worker;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Throws MediaError, `engine` if the worker dies over it. */
  async order<Kind extends OrderKind>(session: number, order: OrderOf<Kind>): Promise<OrderResults[Kind]> {
    if (!this.#isRunning) throw new MediaError("engine", "the media worker is gone");
    this.#count += 1;
    const number = this.#count;
    return new Promise((resolve, reject) => {
      // The worker answers each kind of order with its own kind of result (protocol.ts).
      this.#waiting.set(number, { done: (result) => resolve(result as OrderResults[Kind]), refused: reject });
      this.#send({ kind: "order", number, session, order: order as Order });
    });
  }

  /** Ends the process, by force if it does not want to. */
  async stop(): Promise<void> {
    if (!this.#isRunning) return;
    if (this.#child.connected) this.#child.disconnect();
    const force = setTimeout(() => this.#child.kill("SIGKILL"), stopTimeoutMs);
    await this.#ended;
    clearTimeout(force);
  }

  async #start(settings: WorkerSettings): Promise<void> {
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), startTimeoutMs);
    try {
      await new Promise<void>((resolve, reject) => {
        this.#started = (error) => (error === undefined ? resolve() : reject(error));
        this.#send({ kind: "start", settings });
      });
    } finally {
      clearTimeout(timer);
      this.#started = undefined;
    }
  }

  /** Counted and not timed, so that a pause of our own process is not taken for one of the worker's. */
  #ping(): void {
    this.#unanswered += 1;
    if (this.#unanswered > pingsUnanswered) {
      this.#log.error("media worker does not respond: killing it");
      this.#child.kill("SIGKILL");
    } else this.#send({ kind: "ping" });
  }

  #send(message: ToWorker): void {
    // A worker that dies meanwhile is noticed by its end.
    this.#child.send(message, () => undefined);
  }

  #receive(message: FromWorker): void {
    switch (message.kind) {
      case "ready":
        this.#started?.();
        return;
      case "pong":
        this.#unanswered = 0;
        return;
      case "done":
        this.#take(message.number)?.done(message.result);
        return;
      case "refused":
        this.#take(message.number)?.refused(new MediaError(message.fault, message.message));
        return;
      case "dialogs":
        this.#watch.dialogs(message.session, message.dialogs);
        return;
      case "marks":
        this.#watch.marks(message.marks);
        return;
      case "report":
        this.#watch.report(message.session, message.fact);
        return;
      case "price":
        this.#watch.price(message.session, message.price);
        return;
      case "admissionWanted":
        this.#watch.admissionWanted(message.session, message.end, message.focus);
        return;
      case "met":
        this.#watch.met(message.session, message.end, message.isAnybody);
        return;
      case "log":
        this.#log[message.level](message.message, message.fields);
    }
  }

  #take(number: number): Waiting | undefined {
    const waiting = this.#waiting.get(number);
    this.#waiting.delete(number);
    return waiting;
  }

  #refuseAll(detail: string): void {
    const error = new MediaError("engine", `the media worker ended: ${detail}`);
    this.#started?.(error);
    for (const waiting of this.#waiting.values()) waiting.refused(error);
    this.#waiting.clear();
  }
}
