// Which challenges get an answer of the trunk's password: those of its realms, never weaker than what was asked before,
// each once. Whether they come from a server of the trunk at all is credential-guard.ts's business.
import type { Clock } from "../../ports/clock.ts";
import type { TrunkSettings } from "../../ports/sip.ts";
import { Tally } from "../../ports/tally.ts";
import type { Log } from "../../ports/telemetry.ts";
import type { DigestClientSession } from "../user-agent/stack.ts";
import {
  isWeaker,
  parseChallenges,
  strongestPerRealm,
  worthAnswering,
  type Challenge,
} from "../wire/digest/digest-challenge.ts";
import { DigestClient, type Authorization } from "../wire/digest/digest.ts";
import { headerValues, type SipResponse } from "../wire/message.ts";

/** A server that calls every nonce stale is not asked for ever. */
const MAX_ROUNDS = 5;

/** The password of one trunk, and whom it is for. */
export class TrunkPassword {
  readonly #client: DigestClient;
  readonly #unanswered: Tally;
  /** Set, or the one learned from the first challenge. */
  #realms: readonly string[];
  /** One of each kind that was answered. */
  readonly #before: Challenge[] = [];

  constructor(credentials: NonNullable<TrunkSettings["credentials"]>, clock: Clock, log: Log) {
    this.#client = new DigestClient(credentials);
    this.#realms = credentials.realms ?? [];
    this.#unanswered = new Tally(log, clock, "did not answer the trunk's challenge with the password");
  }

  /** The challenges that one request meets on its way. Proxies that were passed are passed again (RFC 3261 s22.3). */
  forRequest(): DigestClientSession {
    const answered = new Map<string, Challenge>();
    let rounds = 0;
    return {
      answer: (response, { method, uri }): readonly Authorization[] | undefined => {
        rounds += 1;
        if (rounds > MAX_ROUNDS) return undefined;
        const challenges = this.#meantForUs(response);
        if (challenges.length === 0) return undefined;
        for (const challenge of challenges) {
          const asker = `${challenge.proxy ? "proxy" : "server"} ${challenge.realm}`;
          // RFC 3261 s22.2: the same credentials refused once are refused for good.
          if (!worthAnswering(challenge, answered.get(asker))) return undefined;
          answered.set(asker, challenge);
        }
        return [...answered.values()].map((challenge) => this.#client.authorization({ challenge, method, uri }));
      },
    };
  }

  /** Whoever asks in another name, or for less than before, wants what is not for them. */
  #meantForUs(response: SipResponse): readonly Challenge[] {
    const challenges = strongestPerRealm([
      ...headerValues(response, "WWW-Authenticate").flatMap((value) => parseChallenges(value, false)),
      ...headerValues(response, "Proxy-Authenticate").flatMap((value) => parseChallenges(value, true)),
    ]);
    const realms = this.#realms.length > 0 ? this.#realms : challenges.slice(0, 1).map(({ realm }) => realm);
    const named = challenges.filter(({ realm }) => realms.includes(realm));
    const strong = named.filter(
      (challenge) => !this.#before.some((one) => one.realm === challenge.realm && isWeaker(challenge, one)),
    );
    if (strong.length === 0) {
      const asked = { realm: challenges[0]?.realm, setting: "credentials.realms" };
      if (named.length > 0) this.#unanswered.add({ ...asked, why: "weaker than what this trunk has asked for before" });
      else if (challenges.length > 0)
        this.#unanswered.add({ ...asked, why: "another realm than the trunk's", ours: realms });
      return [];
    }
    this.#realms = realms;
    for (const challenge of strong) {
      const isKnown = this.#before.some(
        ({ realm, algorithm, qop }) =>
          realm === challenge.realm && algorithm === challenge.algorithm && qop === challenge.qop,
      );
      if (!isKnown) this.#before.push(challenge);
    }
    return strong;
  }
}
