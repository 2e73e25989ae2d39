// A bridge in a process of its own with all it talks to: the homeserver and its clients, the trunk's far end, a store.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import SqliteDatabase from "better-sqlite3";
import type { BridgeDialogue, Footprint } from "../bridge-program.ts";
import type { CalleeDialogue } from "../callee-program.ts";
import { Caller, type CallsResult } from "./caller.ts";
import { calledNumber, houseOf } from "./house.ts";
import { startProgram, type Program, type ProgramOptions } from "./program.ts";
import { childrenUsage, type ChildrenUsage } from "./usage.ts";

/** Which media engine the bridge has. */
export type Media = "none" | "embedded";

export interface Usage {
  readonly bridge: Footprint;
  /** undefined where it cannot be known. */
  readonly workers: ChildrenUsage | undefined;
}

export interface InstallationOptions {
  readonly media: Media;
  /** The bridge, or the program that does its input and output alone. */
  readonly program?: "bridge-program.ts" | "floor-program.ts";
  /** Whether each call leaves a line in its room. */
  readonly history?: boolean;
  readonly execArgv?: ProgramOptions["execArgv"];
}

export class Installation {
  readonly media: Media;
  readonly #folder: string;
  readonly #caller: Caller;
  readonly #bridge: Program<BridgeDialogue>;
  readonly #callee: Program<CalleeDialogue>;
  /** Calls of the people, and of the trunk. */
  #placed = 0;
  #rung = 0;

  private constructor(
    media: Media,
    folder: string,
    caller: Caller,
    bridge: Program<BridgeDialogue>,
    callee: Program<CalleeDialogue>,
  ) {
    this.media = media;
    this.#folder = folder;
    this.#caller = caller;
    this.#bridge = bridge;
    this.#callee = callee;
  }

  /** Takes calls when it resolves. */
  static async start({
    media,
    program = "bridge-program.ts",
    history = false,
    execArgv = [],
  }: InstallationOptions): Promise<Installation> {
    const folder = await mkdtemp(join(tmpdir(), `bench-calls-${media}-`));
    const caller = await Caller.start();
    const callee = startProgram<CalleeDialogue>("callee-program.ts");
    const bridge = startProgram<BridgeDialogue>(program, {
      execArgv: ["--expose-gc", ...execArgv],
      onLine: (line) => caller.readLog(line),
    });
    const installation = new Installation(media, folder, caller, bridge, callee);
    try {
      const trunkPort = await callee.ask("start");
      const homeserverUrl = caller.homeserver.url;
      const house = houseOf({ homeserverUrl, databasePath: installation.#databasePath, trunkPort, history });
      const port = await bridge.ask("start", { ...house, media });
      caller.homeserver.connect({ port, token: house.registration.hs_token });
      return installation;
    } catch (error) {
      await installation.stop();
      throw error;
    }
  }

  /** Warnings and errors in the bridge's log. */
  get complaints(): readonly string[] {
    return this.#caller.complaints;
  }

  run(calls: number, concurrency: number): Promise<CallsResult> {
    this.#placed += calls;
    return this.#caller.run(calls, concurrency);
  }

  /** The same from the trunk's side. */
  ring(calls: number, concurrency: number): Promise<CallsResult> {
    this.#rung += calls;
    return this.#caller.run(calls, concurrency, (from, to) => this.#callee.ask("call", { from, to }));
  }

  /** One after the other at a steady rate. */
  pace(calls: number, perSecond: number): Promise<CallsResult> {
    this.#placed += calls;
    return this.#caller.pace(calls, perSecond);
  }

  /** Brings calls up and leaves them so. */
  raise(calls: number, concurrency: number): Promise<readonly string[]> {
    this.#placed += calls;
    return this.#caller.raise(calls, concurrency);
  }

  /** Ends the calls that are up. */
  hangUp(concurrency: number): Promise<readonly string[]> {
    return this.#caller.hangUp(concurrency);
  }

  /** Requests to the homeserver so far. */
  get requests(): number {
    return this.#caller.homeserver.requests;
  }

  /** What the bridge itself took for each call placed so far: from the invite to the INVITE, from the 200 to the answer. */
  async delays(): Promise<{ readonly inviteMs: readonly number[]; readonly answerMs: readonly number[] }> {
    const arrived = await this.#callee.ask("invitedAtMs");
    const inviteMs: number[] = [];
    const answerMs: number[] = [];
    for (const [number, { invitedAtMs, answeredAtMs }] of this.#caller.times) {
      const arrivedAtMs = arrived[calledNumber(number)] ?? arrived[number];
      if (arrivedAtMs === undefined) continue;
      inviteMs.push(arrivedAtMs - invitedAtMs);
      answerMs.push(answeredAtMs - arrivedAtMs);
    }
    return { inviteMs, answerMs };
  }

  /** CPU of the bridge's own process since its start. */
  cpuMs(): Promise<number> {
    return this.#bridge.ask("cpuMs");
  }

  /** After a collection, so that it tells what is held and not what has not been looked at yet. */
  async usage(): Promise<Usage> {
    return { bridge: await this.#bridge.ask("footprint"), workers: this.workers() };
  }

  workers(): ChildrenUsage | undefined {
    return childrenUsage(this.#bridge.pid);
  }

  /** What does not fit: all have to agree on how many calls there were, and nobody may have been asked for what it does not know. */
  async audit(): Promise<readonly string[]> {
    const miscounts = Object.entries(await this.#callee.ask("counts"))
      .filter(([, count]) => count !== this.#placed)
      .map(([what, count]) => `${this.#placed} calls were placed and ${count} ${what}`);
    const records = this.#records();
    const all = this.#placed + this.#rung;
    if (records !== all) miscounts.push(`${all} calls were placed and ${records} recorded`);
    return [...miscounts, ...this.#caller.homeserver.problems];
  }

  async stop(): Promise<void> {
    await this.#bridge.stop();
    await this.#callee.stop();
    await this.#caller.homeserver.stop();
    await rm(this.#folder, { recursive: true });
  }

  get #databasePath(): string {
    return join(this.#folder, "bridge.db");
  }

  /** Calls that the store keeps a record of. */
  #records(): number {
    const database = new SqliteDatabase(this.#databasePath, { readonly: true });
    try {
      return Number(database.prepare("select count(*) from call where record is not null").pluck().get());
    } finally {
      database.close();
    }
  }
}
