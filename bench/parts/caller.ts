// Places calls through a bridge, so many at once, from the ghost's invitation or the trunk's INVITE to the record of the
// call: the client's and the homeserver's side of them. Whoever starts it feeds it the bridge's log lines.
import { setTimeout as delay } from "node:timers/promises";
import { ElementCall } from "./element-call.ts";
import { startHomeserverDouble, type HomeserverDouble, type RoomEvent } from "./homeserver-double.ts";
import { callerAt, calledAt, calledPersonAt, domain, ghostOf, numberAt } from "./house.ts";
import { monotonicMs } from "./monotonic.ts";

export interface CallsResult {
  readonly calls: number;
  readonly elapsedMs: number;
  /** From the push of the call's invite to the answer, in ms. */
  readonly answeredAfterMs: readonly number[];
  /** One line for each call that did not end as a good call does. */
  readonly failures: readonly string[];
}

/** On the clock of all processes. */
export interface CallTimes {
  /** The invite left for the bridge. */
  readonly invitedAtMs: number;
  /** The bridge's answer came. */
  readonly answeredAtMs: number;
}

interface Underway {
  readonly call: ElementCall;
  invitedAtMs: number;
  answeredAfterMs: number | undefined;
  /** Told when the call is up, if it is to stay up; otherwise it is hung up at once. */
  readonly up?: () => void;
  readonly ended: (failure: string | undefined) => void;
}

/** Calls the bridge over the trunk; gives after how many ms it was answered. */
export type Dial = (from: string, to: string) => Promise<number>;

/** Somebody whom the trunk calls. */
interface Called {
  readonly name: string;
  readonly ended: Underway["ended"];
}

/** Nothing in such a call takes long; what has not ended by then never will. */
const stuckAfterMs = 30_000;

export class Caller {
  readonly homeserver: HomeserverDouble;
  /** Warnings and errors of the bridge. */
  readonly complaints: string[] = [];
  readonly #underway: Map<string, Underway>;
  /** By person, until their room is made. */
  readonly #called: Map<string, Called>;
  /** By number as dialled. */
  readonly #times: Map<string, CallTimes>;
  readonly #up: { readonly call: ElementCall; readonly over: Promise<string | undefined> }[] = [];
  #count = 0;

  private constructor(
    homeserver: HomeserverDouble,
    underway: Map<string, Underway>,
    called: Map<string, Called>,
    times: Map<string, CallTimes>,
  ) {
    this.homeserver = homeserver;
    this.#underway = underway;
    this.#called = called;
    this.#times = times;
  }

  /** Of all calls that the people placed, by the number as they dialled it. */
  get times(): ReadonlyMap<string, CallTimes> {
    return this.#times;
  }

  static async start(): Promise<Caller> {
    const underway = new Map<string, Underway>();
    const called = new Map<string, Called>();
    const times = new Map<string, CallTimes>();
    const homeserver: HomeserverDouble = await startHomeserverDouble({
      pushing(event) {
        if (event["type"] !== "m.call.invite") return;
        const one = underway.get(String(event["room_id"]));
        if (one !== undefined) one.invitedAtMs = monotonicMs();
      },
      joined(room) {
        const one = underway.get(room);
        if (one === undefined) return;
        homeserver.push(one.call.ghostJoined(), one.call.invite(), one.call.candidates());
      },
      sent(room, _ghost, type, content) {
        const one = underway.get(room);
        if (one === undefined) return;
        homeserver.push(one.call.echo(type, content));
        if (type === "m.call.invite") homeserver.push(one.call.personJoined(), one.call.answer(content["call_id"]));
        if (type !== "m.call.answer") return;
        const answeredAtMs = monotonicMs();
        const { invitedAtMs } = one;
        one.answeredAfterMs = answeredAtMs - invitedAtMs;
        if (one.call.number !== undefined) times.set(one.call.number, { invitedAtMs, answeredAtMs });
        homeserver.push(one.call.selectAnswer(String(content["party_id"])));
        if (one.up === undefined) homeserver.push(one.call.hangup());
        else one.up();
      },
      created(ghost, person) {
        const one = called.get(person);
        if (one === undefined) return "!nobody-is-called";
        const call = new ElementCall(one.name, ghost, person);
        underway.set(call.room, { call, invitedAtMs: 0, answeredAfterMs: undefined, ended: one.ended });
        homeserver.push(call.ghostJoined());
        return call.room;
      },
    });
    return new Caller(homeserver, underway, called, times);
  }

  /** One line of the bridge's log. */
  readLog(line: string): void {
    const isCall = line.includes('"call ended"');
    if (!isCall && !/"level":"(?:warn|error)"/.test(line)) return;
    const entry = JSON.parse(line) as RoomEvent;
    if (!isCall) {
      this.complaints.push(line);
      return;
    }
    const one = this.#underway.get(String(entry["room"]));
    const wasAnswered = entry["direction"] === "inbound" || one?.answeredAfterMs !== undefined;
    const isGood = entry["cause"] === "caller-hung-up" && wasAnswered;
    one?.ended(isGood ? undefined : line);
  }

  /** Places a call every so often, whatever becomes of those before. */
  async pace(calls: number, perSecond: number): Promise<CallsResult> {
    const answeredAfterMs: number[] = [];
    const failures: string[] = [];
    const startMs = performance.now();
    const placed: Promise<void>[] = [];
    for (let index = 0; index < calls; index += 1) {
      await delay(Math.max(0, startMs + (index * 1000) / perSecond - performance.now()));
      placed.push(
        this.#place().then((outcome) => {
          if (outcome.failure !== undefined) failures.push(outcome.failure);
          if (outcome.answeredAfterMs !== undefined) answeredAfterMs.push(outcome.answeredAfterMs);
        }),
      );
    }
    await Promise.all(placed);
    return { calls, elapsedMs: performance.now() - startMs, answeredAfterMs, failures };
  }

  /** Places calls that stay up until `hangUp`; gives one line for each that never came up. */
  async raise(calls: number, concurrency: number): Promise<readonly string[]> {
    const failures: string[] = [];
    let begun = 0;
    const line = async (): Promise<void> => {
      while (begun < calls) {
        begun += 1;
        const failure = await this.#raise();
        if (failure !== undefined) failures.push(failure);
      }
    };
    await Promise.all(Array.from({ length: concurrency }, line));
    return failures;
  }

  /** Hangs up all calls that are up; gives one line for each that did not end well. */
  async hangUp(concurrency: number): Promise<readonly string[]> {
    const failures: string[] = [];
    const line = async (): Promise<void> => {
      for (let one = this.#up.pop(); one !== undefined; one = this.#up.pop()) {
        this.homeserver.push(one.call.hangup());
        const failure = await one.over;
        if (failure !== undefined) failures.push(failure);
      }
    };
    await Promise.all(Array.from({ length: concurrency }, line));
    return failures;
  }

  async #raise(): Promise<string | undefined> {
    const call = this.#newCall();
    let timer: NodeJS.Timeout | undefined;
    const failure = await new Promise<string | undefined>((resolve) => {
      timer = setTimeout(() => resolve(`${call.matrixCallId} is not up after ${stuckAfterMs} ms`), stuckAfterMs);
      const over = new Promise<string | undefined>((ended) => {
        const up = (): void => {
          this.#up.push({ call, over });
          resolve(undefined);
        };
        // A call that ends before it is up has failed, and whoever waits for it hears why.
        const endedEarly = (why: string | undefined): void => {
          this.#underway.delete(call.room);
          resolve(why ?? `${call.matrixCallId} ended by itself`);
          ended(why);
        };
        this.#underway.set(call.room, { call, invitedAtMs: 0, answeredAfterMs: undefined, up, ended: endedEarly });
      });
      this.homeserver.push(call.memberInvite());
    });
    clearTimeout(timer);
    return failure;
  }

  #newCall(): ElementCall {
    const index = (this.#count += 1);
    const number = numberAt(index);
    return new ElementCall(String(index), ghostOf(number), undefined, number);
  }

  /** @param dial with it the trunk calls, without it the people do */
  async run(calls: number, concurrency: number, dial?: Dial): Promise<CallsResult> {
    const answeredAfterMs: number[] = [];
    const failures: string[] = [];
    const startMs = performance.now();
    let begun = 0;
    const line = async (): Promise<void> => {
      while (begun < calls) {
        begun += 1;
        const outcome = await (dial === undefined ? this.#place() : this.#ring(dial));
        if (outcome.failure !== undefined) failures.push(outcome.failure);
        if (outcome.answeredAfterMs !== undefined) answeredAfterMs.push(outcome.answeredAfterMs);
      }
    };
    await Promise.all(Array.from({ length: concurrency }, line));
    return { calls, elapsedMs: performance.now() - startMs, answeredAfterMs, failures };
  }

  async #place(): Promise<{ failure: string | undefined; answeredAfterMs: number | undefined }> {
    const call = this.#newCall();
    let timer: NodeJS.Timeout | undefined;
    const failure = await new Promise<string | undefined>((resolve) => {
      timer = setTimeout(() => resolve(`${call.matrixCallId} has no record after ${stuckAfterMs} ms`), stuckAfterMs);
      this.#underway.set(call.room, { call, invitedAtMs: 0, answeredAfterMs: undefined, ended: resolve });
      this.homeserver.push(call.memberInvite());
    });
    clearTimeout(timer);
    const answeredAfterMs = this.#underway.get(call.room)?.answeredAfterMs;
    this.#underway.delete(call.room);
    return { failure, answeredAfterMs };
  }

  /** Somebody who has never called before calls one of the people, who answers at once. */
  async #ring(dial: Dial): Promise<{ failure: string | undefined; answeredAfterMs: number | undefined }> {
    const index = (this.#count += 1);
    const name = String(index);
    const person = calledPersonAt(index);
    let timer: NodeJS.Timeout | undefined;
    let answeredAfterMs: number | undefined;
    const failure = await new Promise<string | undefined>((resolve) => {
      timer = setTimeout(
        () => resolve(`call ${name} of the trunk has no record after ${stuckAfterMs} ms`),
        stuckAfterMs,
      );
      this.#called.set(person, { name, ended: resolve });
      dial(callerAt(index), calledAt(index)).then(
        (afterMs) => {
          answeredAfterMs = afterMs;
        },
        (error: unknown) => resolve(`call ${name} of the trunk: ${String(error)}`),
      );
    });
    clearTimeout(timer);
    this.#called.delete(person);
    this.#underway.delete(`!room-${name}:${domain}`);
    return { failure, answeredAfterMs };
  }
}
