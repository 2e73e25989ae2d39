// Tells the bridge's watchers of calls: when one begins, rings, is connected and has ended.
import type { Call } from "../../core/call/model/call.ts";
import { isRunning } from "../../core/call/model/queries.ts";
import type { CallRecord } from "../../core/call/model/record.ts";
import type { MediaEnd } from "../../core/media-end.ts";
import type { BridgeEvent } from "../../ports/admin/bridge-event.ts";
import type { LiveCall, LivePhase } from "../../ports/admin/observed-call.ts";
import type { Clock } from "../../ports/clock.ts";
import type { LadderBook } from "../../ports/ladders/ladder.ts";
import { threadsOf, threadsOfRecord } from "../observation/call-threads.ts";
import { livePhaseOf, viewCall, viewRecord } from "../observation/live-call.ts";
import type { QualityWatch } from "../observation/quality-watch.ts";
import type { CallRunner } from "./call-runner.ts";

export interface CallEventsParts {
  readonly emit: (event: BridgeEvent) => void;
  /** As log lines show a telephone number. */
  readonly shownNumber: (number: string) => string;
  readonly ladders: Pick<LadderBook, "follow" | "ended">;
  readonly quality: Pick<QualityWatch, "changed">;
  readonly clock: Clock;
}

const eventOfPhase: Readonly<Partial<Record<LivePhase, "call.rang" | "call.connected">>> = {
  ringing: "call.rang",
  connected: "call.connected",
};

export class CallEvents {
  readonly #parts: CallEventsParts;

  constructor(parts: CallEventsParts) {
    this.#parts = parts;
  }

  view({ call, sinceMs }: CallRunner): LiveCall {
    const { shownNumber, clock } = this.#parts;
    return viewCall(call, sinceMs, { shownNumber, wallAheadMs: clock.wallMs() - clock.nowMs() });
  }

  /** `before` is undefined of a call that begins, or is taken up after a restart. */
  changed(runner: CallRunner, before: Call | undefined): void {
    const { emit, clock, ladders, quality } = this.#parts;
    const { call } = runner;
    ladders.follow(call.id, threadsOf(call));
    quality.changed(call);
    const atMs = clock.wallMs();
    if (before === undefined && isRunning(call)) emit({ kind: "call.began", atMs, call: this.view(runner) });
    const phase = livePhaseOf(call);
    const kind = eventOfPhase[phase];
    if (kind === undefined || (before !== undefined && livePhaseOf(before) === phase)) return;
    emit({ kind, atMs, call: this.view(runner) });
  }

  /** Nothing of that end has reached the other one since the answer. */
  unheard(runner: CallRunner, silent: MediaEnd): void {
    const { emit, clock } = this.#parts;
    emit({ kind: "call.one-way-audio", atMs: clock.wallMs(), call: this.view(runner), silent });
  }

  ended(record: CallRecord): void {
    const { emit, shownNumber, clock, ladders } = this.#parts;
    ladders.follow(record.id, threadsOfRecord(record));
    ladders.ended(record.id);
    const atMs = clock.wallMs();
    emit({ kind: "call.ended", atMs, record: viewRecord(record, shownNumber) });
  }
}
