// Whether a request comes from our homeserver (application service API, "Authorization").
import { hash, timingSafeEqual } from "node:crypto";

export type Authority = "granted" | "missing" | "wrong";

const bearer = /^Bearer +(\S+) *$/i;

function digest(text: string): Buffer {
  return hash("sha256", text, "buffer");
}

/**
 * The token comes in the Authorization header; homeservers older than the current specification put it into the query.
 * Digests are compared, so that neither the token's length nor its beginning shows in the time taken.
 */
export function tokenCheck(
  hsToken: string,
): (authorization: string | undefined, legacyToken: string | undefined) => Authority {
  const expected = digest(hsToken);
  return (authorization, legacyToken) => {
    const given = authorization === undefined ? legacyToken : bearer.exec(authorization)?.[1];
    if (given === undefined) return authorization === undefined ? "missing" : "wrong";
    return timingSafeEqual(digest(given), expected) ? "granted" : "wrong";
  };
}
