// Whether a request comes from our homeserver (application service API, "Authorization").
import { timingSafeEqual } from "node:crypto";

export type Authority = "granted" | "missing" | "wrong";

const bearer = /^Bearer +(\S+) *$/i;
/** Tokens are compared in buffers of this many bytes, or of a multiple that holds the right one. */
const roomBytes = 128;

/**
 * The token comes in the Authorization header; homeservers older than the current specification put it into the query.
 * As many bytes are compared whatever is given, so that neither the token's length nor its beginning shows in the time taken.
 */
export function tokenCheck(
  hsToken: string,
): (authorization: string | undefined, legacyToken: string | undefined) => Authority {
  const size = (Math.floor(Buffer.byteLength(hsToken) / roomBytes) + 1) * roomBytes;
  const expected = Buffer.alloc(size);
  expected.write(hsToken);
  const room = Buffer.alloc(size);
  return (authorization, legacyToken) => {
    const given = authorization === undefined ? legacyToken : bearer.exec(authorization)?.[1];
    if (given === undefined) return authorization === undefined ? "missing" : "wrong";
    room.fill(0, room.write(given));
    // The lengths differ where the token has something behind it that is zeros, or was cut off.
    return timingSafeEqual(room, expected) && given.length === hsToken.length ? "granted" : "wrong";
  };
}
