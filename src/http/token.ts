// The admin's token. To compare it takes as long for a token that is nearly right as for one that is all wrong.
import { createHash, timingSafeEqual } from "node:crypto";

const bearer = /^Bearer +([\x21-\x7e]{1,200}) *$/i;

/** `authorization` is the header of a request. */
export type TokenCheck = (authorization: string | undefined) => "right" | "wrong" | "missing";

export function tokenCheck(token: string): TokenCheck {
  const expected = digestOf(token);
  return (authorization) => {
    if (authorization === undefined) return "missing";
    const [, given] = bearer.exec(authorization) ?? [];
    return given !== undefined && timingSafeEqual(digestOf(given), expected) ? "right" : "wrong";
  };
}

/** Of one length, whatever was given. */
function digestOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
