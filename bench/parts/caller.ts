// Places calls through a bridge, so many at once, from the ghost's invitation to the record of the call: the client's and
// the homeserver's side of them. Whoever starts it feeds it the bridge's log lines.
import { ElementCall } from "./element-call.ts";
import { startHomeserverDouble, type HomeserverDouble, type RoomEvent } from "./homeserver-double.ts";
import { ghostOf, numberAt } from "./house.ts";

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

/** Nothing in such a call takes long; what has not ended by then never will. */
const stuckAfterMs = 30_000;

export class Caller {
  readonly homeserver: HomeserverDouble;
  /** Warnings and errors of the bridge. */
  readonly complaints: string[] = [];
  readonly #underway: Map<string, Underway>;
  #count = 0;

  private constructor(homeserver: HomeserverDouble, underway: Map<string, Underway>) {
    this.homeserver = homeserver;
    this.#underway = underway;
  }

  static async start(): Promise<Caller> {
    const underway = new Map<string, Underway>();
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
        if (type !== "m.call.answer") return;
        one.answeredAfterMs = performance.now() - one.invitedAtMs;
        homeserver.push(one.call.selectAnswer(String(content["party_id"])), one.call.hangup());
      },
    });
    return new Caller(homeserver, underway);
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
    const isGood = entry["cause"] === "caller-hung-up" && one?.answeredAfterMs !== undefined;
    one?.ended(isGood ? undefined : line);
  }

  async run(calls: number, concurrency: number): Promise<CallsResult> {
    const answeredAfterMs: number[] = [];
    const failures: string[] = [];
    const startMs = performance.now();
    let begun = 0;
    const line = async (): Promise<void> => {
      while (begun < calls) {
        begun += 1;
        const outcome = await this.#place();
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
}
