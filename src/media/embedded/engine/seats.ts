// The seats in conferences that a session's ends have: what the Matrix edge tells of them goes to the worker in orders, and
// what lets us in is asked for when the worker wants it.
import { mediaEnds, type MediaEnd } from "../../../core/media-end.ts";
import type { FocusId, Seat } from "../../../ports/conference.ts";
import type { Log } from "../../../ports/telemetry.ts";
import type { OrderOf, SessionOrders } from "../session/protocol.ts";

interface Taken {
  readonly seat: Seat;
  readonly stop: () => void;
}

export class Seats {
  readonly #orders: SessionOrders;
  readonly #log: Log;
  readonly #taken: Partial<Record<MediaEnd, Taken>> = {};

  constructor(orders: SessionOrders, log: Log) {
    this.#orders = orders;
    this.#log = log;
  }

  get isAny(): boolean {
    return mediaEnds.some((end) => this.#taken[end] !== undefined);
  }

  /** The worker has that end in a conference. */
  take(end: MediaEnd, seat: Seat): void {
    if (this.#taken[end]?.seat === seat) return;
    this.#taken[end]?.stop();
    const stop = seat.attend((attendance) => this.#send({ kind: "attend", end, attendance }));
    this.#taken[end] = { seat, stop };
  }

  async admit(end: MediaEnd, focus: FocusId | undefined): Promise<void> {
    const taken = this.#taken[end];
    // The worker asks again if it gets none.
    const admission = await taken?.seat.admit(focus).catch((error: unknown) => {
      this.#log.warn("no admission to the conference", { focus, error });
      return undefined;
    });
    if (taken !== undefined && this.#taken[end] === taken) this.#send({ kind: "enter", end, focus, admission });
  }

  met(end: MediaEnd, isAnybody: boolean): void {
    this.#taken[end]?.seat.met(isAnybody);
  }

  leave(): void {
    for (const end of mediaEnds) {
      this.#taken[end]?.stop();
      delete this.#taken[end];
    }
  }

  #send(order: OrderOf<"attend"> | OrderOf<"enter">): void {
    // A worker that is gone has already been reported as `media.lost`.
    const sent = order.kind === "attend" ? this.#orders(order) : this.#orders(order);
    sent.catch(() => undefined);
  }
}
