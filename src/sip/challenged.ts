// One request and the challenges it meets on its way: several realms, stale nonces, and when to give up.
import type { Challenged } from "./sipjs/core.ts";
import { parseChallenges, strongestPerRealm, worthAnswering, type Challenge } from "./wire/digest-challenge.ts";
import type { Authorization, DigestClient } from "./wire/digest.ts";
import { headerValues, type SipResponse } from "./wire/message.ts";

/** A server that calls every nonce stale is not asked for ever. */
const MAX_ROUNDS = 5;

/** Answers every realm met so far in each new attempt: proxies that were passed are passed again (RFC 3261 s22.3). */
export function challengedRequest(client: DigestClient): Challenged {
  const answered = new Map<string, Challenge>();
  let rounds = 0;
  return {
    answer(response: SipResponse, { method, uri }): readonly Authorization[] | undefined {
      rounds += 1;
      if (rounds > MAX_ROUNDS) return undefined;
      const challenges = strongestPerRealm([
        ...headerValues(response, "WWW-Authenticate").flatMap((value) => parseChallenges(value, false)),
        ...headerValues(response, "Proxy-Authenticate").flatMap((value) => parseChallenges(value, true)),
      ]);
      if (challenges.length === 0) return undefined;
      for (const challenge of challenges) {
        const realm = `${challenge.proxy ? "proxy" : "server"} ${challenge.realm}`;
        // RFC 3261 s22.2: the same credentials refused once are refused for good.
        if (!worthAnswering(challenge, answered.get(realm))) return undefined;
        answered.set(realm, challenge);
      }
      return [...answered.values()].map((challenge) => client.authorization({ challenge, method, uri }));
    },
  };
}
