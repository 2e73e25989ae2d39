// Digest responses computed and sent, the client's side (RFC 2617, RFC 7616 s3.4, RFC 8760). Challenges are read
// and chosen in digest-challenge.ts; the server's side is in digest-verifier.ts.
import { hash, randomBytes } from "node:crypto";
import { RecentMap } from "../../../core/recent-map.ts";
import type { Challenge, DigestAlgorithm } from "./digest-challenge.ts";
import { quotedString } from "../fields/escaping.ts";

/** As node:crypto calls them. */
const HASH_NAMES: Readonly<Record<DigestAlgorithm, string>> = {
  MD5: "md5",
  "MD5-sess": "md5",
  "SHA-256": "sha256",
  "SHA-256-sess": "sha256",
  "SHA-512-256": "sha512-256",
  "SHA-512-256-sess": "sha512-256",
};

/** What a response is computed from (RFC 7616 s3.4.1). */
export type DigestInput = {
  readonly algorithm: DigestAlgorithm;
  readonly username: string;
  readonly realm: string;
  readonly password: string;
  readonly method: string;
  /** The digest-uri as it stands in the credentials. */
  readonly uri: string;
  readonly nonce: string;
  /** Needed with qop and with -sess. */
  readonly cnonce: string;
  /** Eight hexadecimal digits; needed with qop. */
  readonly nonceCount: string;
  readonly qop: "auth" | undefined;
};

/** The `response` value, in lower-case hexadecimal. */
export function digestResponse(input: DigestInput): string {
  const { algorithm, username, realm, password, method, uri, nonce, cnonce, nonceCount, qop } = input;
  const h = (text: string): string => digestHash(algorithm, text);
  const base = h(`${username}:${realm}:${password}`);
  const a1 = algorithm.endsWith("-sess") ? h(`${base}:${nonce}:${cnonce}`) : base;
  const a2 = h(`${method}:${uri}`);
  return qop === undefined ? h(`${a1}:${nonce}:${a2}`) : h(`${a1}:${nonce}:${nonceCount}:${cnonce}:${qop}:${a2}`);
}

/** H() of that algorithm over UTF-8. */
export function digestHash(algorithm: DigestAlgorithm, text: string): string {
  return hash(HASH_NAMES[algorithm], text, "hex");
}

export type Credentials = { readonly username: string; readonly password: string };

/** What a client asks for when it answers a challenge; `uri` is the Request-URI as it will be sent. */
export type AuthorizationRequest = {
  readonly challenge: Challenge;
  readonly method: string;
  readonly uri: string;
};

/** An Authorization or Proxy-Authorization header field. */
export type Authorization = {
  readonly name: "Authorization" | "Proxy-Authorization";
  readonly value: string;
};

/** Remembered nonces; a server that changes them on every request must not grow us without end. */
const NONCE_LIMIT = 64;

/** Answers challenges for one account and counts how often each nonce was used (RFC 7616 s3.4, `nc`). */
export class DigestClient {
  readonly #credentials: Credentials;
  readonly #newCnonce: () => string;
  readonly #used = new RecentMap<string, number>(NONCE_LIMIT);

  /** `newCnonce` gives 64 bits or more nobody can foretell. */
  constructor(credentials: Credentials, newCnonce: () => string = () => randomBytes(16).toString("hex")) {
    this.#credentials = credentials;
    this.#newCnonce = newCnonce;
  }

  authorization({ challenge, method, uri }: AuthorizationRequest): Authorization {
    const { algorithm, realm, nonce, opaque, qop } = challenge;
    const { username, password } = this.#credentials;
    const nonceCount = this.#count(challenge).toString(16).padStart(8, "0");
    const cnonce = this.#newCnonce();
    const input = { algorithm, username, realm, password, method, uri, nonce, cnonce, nonceCount, qop };
    const shownName = challenge.userhash ? digestHash(algorithm, `${username}:${realm}`) : username;
    const parts = [
      `username=${quotedString(shownName)}`,
      `realm=${quotedString(realm)}`,
      `nonce=${quotedString(nonce)}`,
      `uri=${quotedString(uri)}`,
      `response="${digestResponse(input)}"`,
    ];
    if (challenge.algorithmNamed) parts.push(`algorithm=${algorithm}`);
    if (qop !== undefined || algorithm.endsWith("-sess")) parts.push(`cnonce=${quotedString(cnonce)}`);
    if (qop !== undefined) parts.push(`qop=${qop}`, `nc=${nonceCount}`);
    if (opaque !== undefined) parts.push(`opaque=${quotedString(opaque)}`);
    if (challenge.userhash) parts.push("userhash=true");
    const name = challenge.proxy ? "Proxy-Authorization" : "Authorization";
    return { name, value: `Digest ${parts.join(", ")}` };
  }

  #count({ realm, nonce }: Challenge): number {
    const key = `${realm}\n${nonce}`;
    const count = (this.#used.get(key) ?? 0) + 1;
    this.#used.set(key, count);
    return count;
  }
}
