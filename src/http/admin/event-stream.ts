// The bridge's events as Server-Sent Events (WHATWG HTML, 9.2). A reader who is too slow misses events and is told how many;
// one who reads nothing at all is cut off.
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { AdminDoor } from "../../ports/admin/admin-door.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Session } from "./access/sessions.ts";
import { AdminError } from "./wire/admin-error.ts";
import { eventOf } from "./wire/events.ts";

const mostStreams = 20;
/** So often something is said, so that proxies keep the connection, and a reader who is gone is noticed. */
const heartbeatMs = 15_000;
/** Nothing was read for so long. */
const patienceMs = 60_000;

export class EventStreams {
  readonly #door: Pick<AdminDoor, "subscribe" | "quality">;
  readonly #clock: Clock;
  readonly #open = new Set<ServerResponse>();

  constructor(door: Pick<AdminDoor, "subscribe" | "quality">, clock: Clock) {
    this.#door = door;
    this.#clock = clock;
  }

  /**
   * Throws AdminError where there are too many. `session`: in which it is asked for, and with which it ends. `isMeasured`: it tells
   * measurements of calls too.
   */
  open(response: ServerResponse, session: Pick<Session, "onEnd"> | undefined, isMeasured: boolean): void {
    if (this.#open.size >= mostStreams) {
      const message = `${mostStreams} streams of events are open: more there cannot be`;
      throw new AdminError("too_many_requests", message, { headers: { "retry-after": "60" } });
    }
    this.#open.add(response);
    response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
    let cancel = this.#clock.at(this.#clock.nowMs() + heartbeatMs, () => beat());
    const beat = (): void => {
      // What waits to be read says enough.
      if (!response.writableNeedDrain) response.write(": nothing new\n\n");
      cancel = this.#clock.at(this.#clock.nowMs() + heartbeatMs, beat);
    };
    const tell = (event: Parameters<typeof eventOf>[0]): Promise<void> | undefined => {
      const text = `event: ${event.kind}\ndata: ${JSON.stringify(eventOf(event))}\n\n`;
      return response.write(text) ? undefined : this.#drained(response);
    };
    const unsubscribe = this.#door.subscribe(tell);
    const unmeasured = isMeasured ? this.#door.quality.subscribe(tell) : undefined;
    const forget = session?.onEnd(() => response.end());
    response.once("close", () => {
      forget?.();
      unsubscribe();
      unmeasured?.();
      cancel();
      this.#open.delete(response);
    });
    response.write(": events from now on\n\n");
  }

  stop(): void {
    for (const response of this.#open) response.end();
  }

  /** Resolves when the reader has read what there was, or is gone. */
  async #drained(response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    const cancel = this.#clock.at(this.#clock.nowMs() + patienceMs, () => void response.destroy());
    try {
      await Promise.race([once(response, "drain", gone), once(response, "close", gone)]);
    } finally {
      cancel();
      gone.abort();
    }
  }
}
