// The trunk's password is for the trunk's servers. Inside a dialog a request goes where the peer's Contact and Record-Route
// lead, which may be anywhere: from there no challenge is answered, and to there no credentials go.
import type { Clock } from "../../ports/clock.ts";
import { Tally } from "../../ports/tally.ts";
import type { Log } from "../../ports/telemetry.ts";
import type { SipMessage, SipRequest, SipResponse } from "../wire/message.ts";
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

  /** The text of a request as it may go there. */
  outgoing(request: SipRequest, text: string, { address }: Target): string {
    const { clock, isServer } = this.#options;
    const key = keyOf(request);
    this.#elsewhere.delete(key);
    if (isServer(address)) return text;
    const nowMs = clock.nowMs();
    for (const [old, { untilMs }] of this.#elsewhere) {
      if (untilMs > nowMs && this.#elsewhere.size < MAX_KEPT) break;
      this.#elsewhere.delete(old);
    }
    this.#elsewhere.set(key, { address, untilMs: nowMs + KEEP_MS });
    const end = text.indexOf("\r\n\r\n");
    return text.slice(0, end).replace(/\r\n(?:Proxy-)?Authorization: [^\r\n]*/g, "") + text.slice(end);
  }

  /** Whether a response is to a request that went to a server of the trunk. */
  isTrunks(response: SipResponse): boolean {
    const elsewhere = this.#elsewhere.get(keyOf(response));
    if (elsewhere === undefined) return true;
    const { statusCode, cseq } = response;
    if (statusCode === 401 || statusCode === 407) {
      this.#unanswered.add({ address: elsewhere.address, method: cseq.method, setting: "more_servers" });
    }
    return false;
  }
}

function keyOf({ vias, cseq }: SipMessage): string {
  return `${vias[0].branch} ${cseq.method}`;
}
