// A session as the bridge holds it: orders for the worker that has it.
import type { MediaEnd } from "../../../core/call/model/media-end.ts";
import { noMediaStats, type MediaStats } from "../../../core/call/model/media-stats.ts";
import type { MediaSession } from "../../../ports/media.ts";
import type { Direction } from "../../../core/sdp/direction.ts";
import type { OrderKind, OrderOf, OrderResults, Written } from "../protocol.ts";

export type SessionOrders = <Kind extends OrderKind>(order: OrderOf<Kind>) => Promise<OrderResults[Kind]>;

export class EmbeddedSession implements MediaSession {
  untold: Direction | undefined;
  readonly #orders: SessionOrders;
  readonly #handOver: (end: MediaEnd) => Promise<void>;
  readonly #closed: () => void;

  constructor(orders: SessionOrders, handOver: (end: MediaEnd) => Promise<void>, closed: () => void) {
    this.#orders = orders;
    this.#handOver = handOver;
    this.#closed = closed;
  }

  offer: MediaSession["offer"] = async (from, sdp) => this.#written(this.#orders({ kind: "offer", from, sdp }));
  answer: MediaSession["answer"] = async (from, sdp) => this.#written(this.#orders({ kind: "answer", from, sdp }));
  settle: MediaSession["settle"] = async (from) => this.#written(this.#orders({ kind: "settle", from }));
  describe: MediaSession["describe"] = async (end) => this.#written(this.#orders({ kind: "describe", end }));
  cross: MediaSession["cross"] = async (from, sdp) => this.#written(this.#orders({ kind: "cross", from, sdp }));
  unheard: MediaSession["unheard"] = async () => this.#orders({ kind: "unheard" });
  stats: MediaSession["stats"] = async () => this.#orders({ kind: "stats" });

  handOver: MediaSession["handOver"] = async (end) => this.#handOver(end);

  sendDtmf: MediaSession["sendDtmf"] = (to, digit, durationMs) => {
    // As with candidates.
    this.#orders({ kind: "press", to, digit, durationMs }).catch(() => undefined);
  };

  addCandidates: MediaSession["addCandidates"] = (candidates) => {
    // A worker that is gone has already been reported as `media.lost`.
    this.#orders({ kind: "candidates", candidates }).catch(() => undefined);
  };

  close = async (): Promise<MediaStats> => {
    try {
      return await this.#orders({ kind: "close" });
    } catch {
      return noMediaStats;
    } finally {
      this.#closed();
    }
  };

  /** Together with the outcome, so that neither can overtake the other. */
  async #written<Outcome>(order: Promise<Written<Outcome>>): Promise<Outcome> {
    const { outcome, untold } = await order;
    this.untold = untold;
    return outcome;
  }
}
