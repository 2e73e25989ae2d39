// Tells listeners what happens in the bridge, in order. Nothing waits for them: each has a queue of its own, and what a
// slow one does not take in time is dropped and counted.
import type { Listener, Overrun } from "../../ports/admin/bridge-event.ts";
import type { Clock } from "../../ports/clock.ts";
import { Tally } from "../../ports/tally.ts";
import type { Log } from "../../ports/telemetry.ts";

interface Subscription<Event> {
  readonly listener: Listener<Event>;
  readonly waiting: (Event | Overrun)[];
  isTelling: boolean;
  missed: number;
}

/** Of one listener. */
const mostWaiting = 1_000;

export class EventFeed<Event> {
  readonly #subscriptions = new Set<Subscription<Event | Overrun>>();
  readonly #failed: Tally;

  constructor(clock: Clock, log: Log) {
    this.#failed = new Tally(log, clock, "a listener to the bridge's events failed");
  }

  /** Until the function that it gives is called. */
  subscribe(listener: Listener<Event | Overrun>): () => void {
    const subscription = { listener, waiting: [], isTelling: false, missed: 0 };
    this.#subscriptions.add(subscription);
    return () => {
      this.#subscriptions.delete(subscription);
      subscription.waiting.length = 0;
    };
  }

  /** Never throws, and no listener runs before it returns. */
  emit(event: Event): void {
    for (const subscription of this.#subscriptions) {
      if (subscription.waiting.length >= mostWaiting) {
        subscription.missed += 1;
        continue;
      }
      if (subscription.missed > 0) subscription.waiting.push({ kind: "feed.overrun", missed: subscription.missed });
      subscription.missed = 0;
      subscription.waiting.push(event);
      if (!subscription.isTelling) void this.#tell(subscription);
    }
  }

  async #tell(subscription: Subscription<Event | Overrun>): Promise<void> {
    subscription.isTelling = true;
    await Promise.resolve();
    for (let event = subscription.waiting.shift(); event !== undefined; event = subscription.waiting.shift()) {
      try {
        await subscription.listener(event);
      } catch (error) {
        this.#failed.add({ error });
      }
    }
    subscription.isTelling = false;
  }
}
