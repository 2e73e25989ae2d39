// The trunk's password is for the trunk's servers. Inside a dialog a request goes where the peer's Contact and Record-Route
// lead, which may be anywhere: from there no challenge is answered, and to there no credentials go.
import type { Clock } from "../../ports/clock.ts";
import { Tally } from "../../ports/tally.ts";
import type { Log } from "../../ports/telemetry.ts";
import type { SipResponse } from "../wire/message.ts";
import type { OutgoingRequest } from "../wire/outgoing-message.ts";
import { clientTransactionKey } from "../wire/transaction-key.ts";
import type { Target } from "./sockets/target.ts";

/** As long as an INVITE may ring. */
const KEEP_MS = 15 * 60_000;
const MAX_KEPT = 1_000;

export interface CredentialGuardOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Whether one of the trunk's servers is there. */
  readonly isServer: (address: string) => boolean;
}

export class CredentialGuard {
  readonly #options: CredentialGuardOptions;
  readonly #unanswered: Tally;
  /** Requests that went elsewhere and where, oldest first. */
  readonly #elsewhere = new Map<string, { readonly address: string; readonly untilMs: number }>();

  constructor(options: CredentialGuardOptions) {
    this.#options = options;
    const { log, clock } = options;
    this.#unanswered = new Tally(
      log,
      clock,
      "did not answer a challenge from an address that is not a server of the trunk",
    );
  }

  /** Whether whoever is there may see the credentials of that request, which goes there now. */
  mayKnow({ branch, method }: OutgoingRequest, { address }: Target): boolean {
    const { clock, isServer } = this.#options;
    const key = `${branch} ${method}`;
    this.#elsewhere.delete(key);
    if (isServer(address)) return true;
    const nowMs = clock.nowMs();
    for (const [old, { untilMs }] of this.#elsewhere) {
      if (untilMs > nowMs && this.#elsewhere.size < MAX_KEPT) break;
      this.#elsewhere.delete(old);
    }
    this.#elsewhere.set(key, { address, untilMs: nowMs + KEEP_MS });
    return false;
  }

  /** Whether a response is to a request that went to a server of the trunk. */
  isTrunks(response: SipResponse): boolean {
    const elsewhere = this.#elsewhere.get(clientTransactionKey(response));
    if (elsewhere === undefined) return true;
    const { statusCode, cseq } = response;
    if (statusCode === 401 || statusCode === 407) {
      this.#unanswered.add({ address: elsewhere.address, method: cseq.method, setting: "more_servers" });
    }
    return false;
  }
}
