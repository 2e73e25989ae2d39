// Who may begin something with us, once the sender's address has been found to be the trunk's (gateway-pool.ts; others get
// no answer at all): digest of ours where the trunk is not known by its address alone, and a bound on calls that
// wait. A trunk with a challenge takes requests from its servers and from `peers` only, like any other.
import type { Clock } from "../../ports/clock.ts";
import type { ChallengeSettings } from "../../ports/sip.ts";
import { Tally } from "../../ports/tally.ts";
import type { Log } from "../../ports/telemetry.ts";
import { DigestVerifier } from "../wire/digest/digest-verifier.ts";
import { numberHeader, textHeader } from "../wire/header-builder.ts";
import { headerValues, type SipRequest } from "../wire/message.ts";
import type { Refusal } from "../wire/screening.ts";

export interface AdmissionOptions {
  readonly challenge: ChallengeSettings | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /** Calls of the trunk that nobody has answered yet. */
  readonly waiting: () => number;
}

/** Outside of dialogs. OPTIONS tells nobody anything; ACK and CANCEL cannot be challenged (RFC 3261 s22.1). */
const CHALLENGED: ReadonlySet<string> = new Set(["INVITE", "MESSAGE", "NOTIFY", "REFER", "SUBSCRIBE"]);
const NONCE_LIFETIME_MS = 5 * 60_000;
/** More telephones than these do not ring at once: it is a flood, and each of them costs memory. */
const MAX_WAITING = 100;
const RETRY_AFTER_S = 5;
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #verifier: DigestVerifier | undefined;
  readonly #wrong: Tally;
  readonly #tooMany: Tally;
  #closing = false;

  constructor(options: AdmissionOptions) {
    this.#options = options;
    const { challenge, clock, log } = options;
    this.#wrong = new Tally(log, clock, "SIP request with wrong credentials refused");
    this.#tooMany = new Tally(log, clock, "refused a call from the trunk: too many are waiting for an answer");
    if (challenge === undefined) return;
    this.#verifier = new DigestVerifier({
      realm: challenge.realm,
      algorithms: challenge.algorithms,
      qop: "auth",
      nonceLifetimeMs: NONCE_LIFETIME_MS,
      nowMs: () => clock.nowMs(),
    });
  }

  /** From now on no call is taken: the trunk stops. */
  close(): void {
    this.#closing = true;
  }

  /** Asked of requests outside of dialogs before anything else is read of them; undefined when it may go on. */
  refusal(request: SipRequest): Refusal | undefined {
    const challenge = this.#challenge(request);
    if (challenge !== undefined) return challenge;
    const { method } = request;
    const tooMany = this.#options.waiting() >= MAX_WAITING;
    if (method !== "INVITE" || (!this.#closing && !tooMany)) return undefined;
    if (tooMany) this.#tooMany.add();
    const headers = [numberHeader("Retry-After", RETRY_AFTER_S)];
    return { statusCode: 503, reasonPhrase: "Service Unavailable", headers };
  }

  #challenge(request: SipRequest): Refusal | undefined {
    const { challenge } = this.#options;
    if (this.#verifier === undefined || challenge === undefined || !CHALLENGED.has(request.method)) return undefined;
    const passwordOf = (username: string): string | undefined =>
      username === challenge.username ? challenge.password : undefined;
    const { outcome } = this.#verifier.verify(headerValues(request, "Authorization"), request.method, passwordOf);
    if (outcome === "accepted") return undefined;
    if (outcome === "wrong") this.#wrong.add();
    const headers = this.#verifier
      .challenges(outcome === "stale")
      .map((value) => textHeader("WWW-Authenticate", value));
    return { statusCode: 401, reasonPhrase: "Unauthorized", headers };
  }
}
