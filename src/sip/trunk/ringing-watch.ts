// Whether the gateway that rings is still there. Nothing but its final response would tell, and a gateway that died
// gives none: so it is asked while there is another one that the call could go to.
import type { Clock } from "../../ports/clock.ts";

export interface GatewayWatchOptions {
  readonly clock: Clock;
  readonly everyMs: number;
  /** Whether there is another gateway to go to. */
  readonly another: () => Promise<boolean>;
  /** Whether the gateway's machine says that nothing listens at its port. */
  readonly refused: () => Promise<boolean>;
  /** OPTIONS; calls back with any answer, and not at all without one. */
  readonly ask: (answered: () => void) => void;
  /** Whether it is one that answers OPTIONS: the silence of another says nothing. */
  readonly answersOptions: () => boolean;
  /** Once, unless the watch has been ended. */
  readonly gone: (message: string) => void;
}

export interface GatewayWatch {
  /** The connection to it ended; `stands`: rejects when there is no other way for its answer. */
  connectionLost(stands: () => Promise<unknown>): void;
  end(): void;
}

/** One unanswered question may have been lost on the way. */
const MISSES = 2;
/** Of the time between questions. */
const ANSWER_WITHIN = 0.4;

/** Watches from now on, the first provisional response. */
export function watchGateway(options: GatewayWatchOptions): GatewayWatch {
  const { clock, everyMs, another, refused, ask, answersOptions } = options;
  let over = false;
  let misses = 0;
  let cancel = (): void => {};
  let cancelVerdict = (): void => {};
  const end = (): void => {
    over = true;
    cancel();
    cancelVerdict();
  };
  const gone = (message: string): void => {
    if (over) return;
    end();
    options.gone(message);
  };
  const look = async (): Promise<void> => {
    if (!(await another()) || over) return;
    const closed = await refused();
    if (over) return;
    if (misses >= MISSES && answersOptions()) {
      gone(`gateway answered no OPTIONS for ${misses * everyMs} ms while it rang`);
      return;
    }
    misses += 1;
    ask(() => (misses = 0));
    if (!closed) return;
    // A firewall may have refused what does not come from our own port: who answers that is there.
    cancelVerdict = clock.at(clock.nowMs() + everyMs * ANSWER_WITHIN, () => {
      if (misses > 0) gone("nothing listens at the gateway's port any more");
    });
  };
  const next = (): void => {
    cancel = clock.at(clock.nowMs() + everyMs, () => {
      // Nothing learnt: the gateway keeps its time.
      look().catch(() => {});
      if (!over) next();
    });
  };
  next();
  return {
    end,
    connectionLost: (stands) => {
      const check = async (): Promise<void> => {
        if (!(await another())) return;
        await stands().catch((error: unknown) => {
          gone(
            `connection to the gateway lost while it rang: ${error instanceof Error ? error.message : String(error)}`,
          );
        });
      };
      check().catch(() => {});
    },
  };
}
