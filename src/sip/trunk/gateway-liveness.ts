// Whether the gateways at which calls of ours ring are still there. Nothing but its final response would tell, and a
// gateway that died gives none: so each is asked while there is another one that the call could go to.
import type { GatewayPool } from "./gateway-pool.ts";
import type { TrunkSettings } from "../../ports/sip.ts";
import type { Clock } from "../../ports/clock.ts";
import type { FinalResponse } from "../user-agent/peer-request.ts";
import type { Connection } from "../transport/sockets/connection.ts";
import { targetKey, type Target } from "../transport/sockets/target.ts";
import { TransportError } from "../transport/sockets/transport-error.ts";

export interface GatewayWatch {
  /** The connection to it ended; `stands`: rejects when there is no other way for its answer. */
  connectionLost(stands: () => Promise<unknown>): void;
  end(): void;
}

export interface GatewayLivenessOptions {
  readonly settings: TrunkSettings;
  readonly clock: Clock;
  /** Between questions. */
  readonly everyMs: number;
  readonly pool: Pick<GatewayPool, "pick">;
  /** Whether the machine says that nothing listens at its UDP port. */
  readonly refused: (target: Target) => Promise<boolean>;
  readonly ask: (target: Target, done: (answer: FinalResponse) => void) => void;
  readonly connect: (target: Target) => Promise<unknown>;
}

export class GatewayLiveness {
  readonly #options: GatewayLivenessOptions;
  readonly #watches = new Map<GatewayWatch, Target>();
  readonly #answerOptions = new Set<string>();

  constructor(options: GatewayLivenessOptions) {
    this.#options = options;
  }

  /** `tried`: the gateways that are not to be gone to. */
  watch(target: Target, tried: ReadonlySet<string>, gone: (message: string) => void): GatewayWatch {
    const { clock, everyMs, pool, refused, ask } = this.#options;
    const watch = watchGateway({
      clock,
      everyMs,
      another: async () => (await pool.pick(tried)) !== undefined,
      refused: () => refused(target),
      ask: (answered) => ask(target, ({ kind }) => void (kind === "response" && answered())),
      answersOptions: () => this.#answerOptions.has(targetKey(target)),
      gone,
    });
    this.#watches.set(watch, target);
    return {
      ...watch,
      end: () => {
        this.#watches.delete(watch);
        watch.end();
      },
    };
  }

  /** It answered OPTIONS, whoever asked. */
  answered(target: Target): void {
    this.#answerOptions.add(targetKey(target));
  }

  connectionLost({ remote, transport }: Connection): void {
    const lost = targetKey({ ...remote, transport });
    for (const [watch, target] of this.#watches) {
      if (targetKey(target) === lost) watch.connectionLost(() => this.#reach(target));
    }
  }

  /** Rejects where the gateway has no way left to answer a call that it had. */
  async #reach(target: Target): Promise<void> {
    const { settings, connect } = this.#options;
    const { certificate, key } = settings.tls;
    // RFC 3261 s18.2.2: it opens a connection to us; to a WebSocket client nobody can, nor where TLS is not listened for.
    const listening =
      target.transport === "tcp" || (target.transport === "tls" && certificate !== undefined && key !== undefined);
    if (!listening) throw new TransportError("closed", "its answer has no way back");
    await connect(target);
  }
}

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
