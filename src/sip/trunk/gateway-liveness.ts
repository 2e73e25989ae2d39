// The gateways of one trunk at which calls of ours ring, each watched (ringing-watch.ts) for as long as it does.
import type { TrunkSettings } from "../../ports/sip.ts";
import type { Clock } from "../../ports/clock.ts";
import { watchGateway, type GatewayWatch } from "./ringing-watch.ts";
import type { Answer } from "../sipjs/out-of-dialog-request.ts";
import type { Connection } from "../transport/sockets/connection.ts";
import { targetKey, type Target } from "../transport/target.ts";
import { TransportError } from "../transport/transport-error.ts";

export interface RingingGatewaysOptions {
  readonly settings: TrunkSettings;
  readonly clock: Clock;
  /** Between questions. */
  readonly everyMs: number;
  readonly pick: (tried: ReadonlySet<string>) => Promise<Target | undefined>;
  /** Whether the machine says that nothing listens at its UDP port. */
  readonly refused: (target: Target) => Promise<boolean>;
  readonly ask: (target: Target, done: (answer: Answer) => void) => void;
  readonly connect: (target: Target) => Promise<unknown>;
}

export class RingingGateways {
  readonly #options: RingingGatewaysOptions;
  readonly #watches = new Map<GatewayWatch, Target>();
  readonly #answerOptions = new Set<string>();

  constructor(options: RingingGatewaysOptions) {
    this.#options = options;
  }

  /** `tried`: the gateways that are not to be gone to. */
  watch(target: Target, tried: ReadonlySet<string>, gone: (message: string) => void): GatewayWatch {
    const { clock, everyMs, pick, refused, ask } = this.#options;
    const watch = watchGateway({
      clock,
      everyMs,
      another: async () => (await pick(tried)) !== undefined,
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
