// A session as the negotiation holds it: orders for the worker that has it.
import { mediaEnds, type MediaEnd } from "../../../core/media-end.ts";
import { noMediaStats, type MediaStats } from "../../../core/call/model/media-stats.ts";
import type { EngineSession, Following } from "../../../ports/media-engine.ts";
import type { FollowingOrder, LocalTrunks, OrderOf, SessionOrders } from "../session/protocol.ts";
import type { Seats } from "./seats.ts";

export class EmbeddedSession implements EngineSession {
  readonly local: LocalTrunks;
  readonly #orders: SessionOrders;
  readonly #seats: Seats;
  readonly #handOver: (end: MediaEnd) => Promise<void>;
  readonly #charge: (price?: number) => void;
  readonly #closed: () => void;

  constructor(
    local: LocalTrunks,
    orders: SessionOrders,
    seats: Seats,
    handOver: (end: MediaEnd) => Promise<void>,
    charge: (price?: number) => void,
    closed: () => void,
  ) {
    this.local = local;
    this.#orders = orders;
    this.#seats = seats;
    this.#handOver = handOver;
    this.#charge = charge;
    this.#closed = closed;
  }

  readonly offered: EngineSession["offered"] = async (end) => this.#orders({ kind: "offered", end });
  readonly accept: EngineSession["accept"] = async (end, remote) => this.#orders({ kind: "accept", end, remote });
  readonly unheard: EngineSession["unheard"] = async () => this.#orders({ kind: "unheard" });
  readonly stats: EngineSession["stats"] = async () => this.#orders({ kind: "stats" });
  readonly handOver: EngineSession["handOver"] = async (end) => this.#handOver(end);

  readonly follow: EngineSession["follow"] = async (following) => {
    const { remotes } = following;
    await this.#orders({ kind: "follow", following: orderOf(following) });
    for (const end of mediaEnds) {
      const remote = remotes[end];
      if (remote?.kind === "conference") this.#seats.take(end, remote.seat);
    }
    this.#charge();
  };

  readonly expect: EngineSession["expect"] = (price) => this.#charge(price);

  readonly ring: EngineSession["ring"] = async (end) => {
    await this.#orders({ kind: "ring", end });
  };

  readonly prompt: EngineSession["prompt"] = async (prompt) => {
    await this.#orders({ kind: "prompt", prompt });
  };

  readonly prepare: EngineSession["prepare"] = (end, remote) => this.#send({ kind: "prepare", end, remote });

  readonly sendDtmf: EngineSession["sendDtmf"] = (to, digit, durationMs) =>
    this.#send({ kind: "press", to, digit, durationMs });

  readonly addCandidates: EngineSession["addCandidates"] = (candidates) =>
    this.#send({ kind: "candidates", candidates });

  readonly close = async (): Promise<MediaStats> => {
    try {
      return await this.#orders({ kind: "close" });
    } catch {
      return noMediaStats;
    } finally {
      this.#closed();
    }
  };

  #send(order: OrderOf<"prepare" | "press" | "candidates">): void {
    // A worker that is gone has already been reported as `media.lost`.
    this.#orders(order).catch(() => undefined);
  }
}

function orderOf({ remotes, flows }: Following): FollowingOrder {
  const ordered: FollowingOrder["remotes"] = {};
  for (const end of mediaEnds) {
    const remote = remotes[end];
    if (remote !== undefined)
      ordered[end] = remote.kind === "conference" ? { kind: "conference", voices: remote.voices } : remote;
  }
  return { remotes: ordered, flows };
}
