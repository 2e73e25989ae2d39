// Places calls through a bridge, so many at once, from the ghost's invitation or the trunk's INVITE to the record of the
// call: the client's and the homeserver's side of them. Whoever starts it feeds it the bridge's log lines.
import { ElementCall } from "./element-call.ts";
import { startHomeserverDouble, type HomeserverDouble, type RoomEvent } from "./homeserver-double.ts";
import { callerAt, calledAt, calledPersonAt, domain, ghostOf, numberAt } from "./house.ts";

export interface CallsResult {
  readonly calls: number;
  readonly elapsedMs: number;
  /** From the push of the call's invite to the answer, in ms. */
  readonly answeredAfterMs: readonly number[];
  /** One line for each call that did not end as a good call does. */
  readonly failures: readonly string[];
}

interface Underway {
  readonly call: ElementCall;
  invitedAtMs: number;
  answeredAfterMs: number | undefined;
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
  #count = 0;

  private constructor(homeserver: HomeserverDouble, underway: Map<string, Underway>, called: Map<string, Called>) {
    this.homeserver = homeserver;
    this.#underway = underway;
    this.#called = called;
  }

  static async start(): Promise<Caller> {
    const underway = new Map<string, Underway>();
    const called = new Map<string, Called>();
    const homeserver: HomeserverDouble = await startHomeserverDouble({
      joined(room) {
        const one = underway.get(room);
        if (one === undefined) return;
        one.invitedAtMs = performance.now();
        homeserver.push(one.call.ghostJoined(), one.call.invite(), one.call.candidates());
      },
      sent(room, _ghost, type, content) {
        const one = underway.get(room);
        if (one === undefined) return;
        homeserver.push(one.call.echo(type, content));
        if (type === "m.call.invite") homeserver.push(one.call.personJoined(), one.call.answer(content["call_id"]));
        if (type !== "m.call.answer") return;
        one.answeredAfterMs = performance.now() - one.invitedAtMs;
        homeserver.push(one.call.selectAnswer(String(content["party_id"])), one.call.hangup());
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
    return new Caller(homeserver, underway, called);
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
    const index = (this.#count += 1);
    const call = new ElementCall(String(index), ghostOf(numberAt(index)));
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
