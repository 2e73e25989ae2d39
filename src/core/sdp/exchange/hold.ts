// What a client is shown of the telephone's hold, and each party's own word on its direction, where what it wrote was
// narrowed by what the other end allows.
import { answerTo, directionOf, receives, sends, type Direction } from "../direction.ts";

/**
 * Our direction towards the client while the trunk's own word is `trunk`. A telephone that does not listen holds the
 * call, with music (`sendonly`) or without (`inactive`). One that listens and says nothing does not.
 */
export function shownToClient(trunk: Direction): Direction {
  return receives(trunk) ? "sendrecv" : trunk;
}

/**
 * The own word behind an `answer` to our offer of `offered`. An answer may not take more than was offered (RFC 3264 s6.1):
 * what could not be said in it is as it was said `before`. Without this a client that was shown a hold would count as one
 * that does not speak when the hold is over.
 */
export function wordInAnswer(answer: Direction, offered: Direction, before: Direction): Direction {
  return directionOf(
    receives(offered) ? sends(answer) : sends(before),
    sends(offered) ? receives(answer) : receives(before),
  );
}

/** The own word behind an `offer`: one that repeats what the `other` end's hold leaves of it changes nothing. */
export function wordInOffer(offer: Direction, before: Direction, other: Direction): Direction {
  return offer === answerTo(other, before) ? before : offer;
}
