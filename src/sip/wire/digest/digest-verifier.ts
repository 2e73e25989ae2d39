// Digest authentication, the server's side (RFC 3261 s22.4, RFC 7616, RFC 8760): challenges made, credentials
// checked. Nonces carry their own time and signature; what is stored is only how far each one was counted.
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { digestResponse } from "./digest.ts";
import { parseAlgorithm, parseAuthParams, type DigestAlgorithm } from "./digest-challenge.ts";
import { quotedString } from "../fields/escaping.ts";

export type VerifierOptions = {
  readonly realm: string;
  /** Offered in this order, one challenge each (RFC 8760 s2.3). */
  readonly algorithms: readonly DigestAlgorithm[];
  /** Without qop, challenges are those of RFC 2069, and a nonce may be used any number of times. */
  readonly qop: "auth" | undefined;
  readonly nonceLifetimeMs: number;
  readonly nowMs: () => number;
};

/** What became of a request's credentials. Anything but `accepted` and `wrong` asks for a new challenge. */
export type Verdict =
  | { readonly outcome: "accepted"; readonly username: string }
  /** No credentials for this realm. */
  | { readonly outcome: "missing" }
  /** Right, but the nonce is too old, was counted before, or is not ours: challenge with `stale`. */
  | { readonly outcome: "stale" }
  /** Unknown user or wrong password. */
  | { readonly outcome: "wrong" };

/** Nonces whose count is kept. One that has fallen out is answered as stale, never as new. */
const NONCE_LIMIT = 10_000;

export class DigestVerifier {
  readonly #options: VerifierOptions;
  readonly #secret = randomBytes(32);
  readonly #opaque = randomBytes(8).toString("hex");
  /** Highest nonce count seen, by nonce. Oldest first. */
  readonly #counts = new Map<string, number>();
  /** Nonces made until then are stale, because the count of one of them was forgotten. */
  #forgottenUntilMs = 0;

  constructor(options: VerifierOptions) {
    this.#options = options;
  }

  /** Values of WWW-Authenticate or Proxy-Authenticate, one header field each. */
  challenges(stale: boolean): string[] {
    const { realm, algorithms, qop } = this.#options;
    const nonce = this.#newNonce();
    return algorithms.map((algorithm) => {
      const parts = [`realm=${quotedString(realm)}`, `nonce="${nonce}"`, `opaque="${this.#opaque}"`];
      parts.push(`algorithm=${algorithm}`);
      if (qop !== undefined) parts.push(`qop="${qop}"`);
      if (stale) parts.push("stale=true");
      return `Digest ${parts.join(", ")}`;
    });
  }

  /**
   * Judges the values of Authorization or Proxy-Authorization. `passwordOf` gives undefined for an unknown user.
   * The digest-uri is taken as sent: proxies may have changed the Request-URI since (RFC 3261 s22.4, item 5).
   */
  verify(values: readonly string[], method: string, passwordOf: (username: string) => string | undefined): Verdict {
    for (const { scheme, params } of values.flatMap(parseAuthParams)) {
      if (scheme.toLowerCase() !== "digest" || params.get("realm") !== this.#options.realm) continue;
      return this.#judge(params, method, passwordOf);
    }
    return { outcome: "missing" };
  }

  #judge(
    params: ReadonlyMap<string, string>,
    method: string,
    passwordOf: (username: string) => string | undefined,
  ): Verdict {
    const { realm, algorithms, qop } = this.#options;
    const algorithm = parseAlgorithm(params.get("algorithm"));
    const username = params.get("username");
    const nonce = params.get("nonce");
    const uri = params.get("uri");
    const cnonce = params.get("cnonce") ?? "";
    const nonceCount = params.get("nc") ?? "";
    if (username === undefined || nonce === undefined || uri === undefined) return { outcome: "wrong" };
    if (algorithm === undefined || !algorithms.includes(algorithm)) return { outcome: "wrong" };
    if (params.get("qop")?.toLowerCase() !== qop) return { outcome: "wrong" };
    if (qop !== undefined && (cnonce === "" || !/^[0-9a-fA-F]{8}$/.test(nonceCount))) return { outcome: "wrong" };
    const password = passwordOf(username);
    // An unknown user costs as much as a wrong password, so that the time does not tell them apart.
    const expected = digestResponse({
      algorithm,
      username,
      realm,
      password: password ?? "",
      method,
      uri,
      nonce,
      cnonce,
      nonceCount,
      qop,
    });
    const given = Buffer.from(params.get("response")?.toLowerCase() ?? "", "latin1");
    const right = given.length === expected.length && timingSafeEqual(given, Buffer.from(expected, "latin1"));
    if (password === undefined || !right) return { outcome: "wrong" };
    const fresh = this.#isOurs(nonce) && (qop === undefined || this.#countUp(nonce, Number.parseInt(nonceCount, 16)));
    return fresh ? { outcome: "accepted", username } : { outcome: "stale" };
  }

  #newNonce(): string {
    const body = `${this.#options.nowMs().toString(36)}.${randomBytes(12).toString("base64url")}`;
    return `${body}.${this.#sign(body)}`;
  }

  #sign(body: string): string {
    return createHmac("sha256", this.#secret).update(body).digest("base64url");
  }

  #isOurs(nonce: string): boolean {
    const dot = nonce.lastIndexOf(".");
    const body = nonce.slice(0, Math.max(dot, 0));
    const signature = Buffer.from(nonce.slice(dot + 1), "latin1");
    const expected = Buffer.from(this.#sign(body), "latin1");
    if (signature.length !== expected.length || !timingSafeEqual(signature, expected)) return false;
    const issuedMs = issueTimeMs(nonce);
    return issuedMs > this.#forgottenUntilMs && this.#options.nowMs() - issuedMs <= this.#options.nonceLifetimeMs;
  }

  /** RFC 7616 s3.4: a count seen before is a replay. */
  #countUp(nonce: string, count: number): boolean {
    const before = this.#counts.get(nonce) ?? 0;
    if (count <= before) return false;
    this.#counts.delete(nonce);
    this.#counts.set(nonce, count);
    const [oldest] = this.#counts.keys();
    if (oldest !== undefined && this.#counts.size > NONCE_LIMIT) {
      this.#counts.delete(oldest);
      this.#forgottenUntilMs = Math.max(this.#forgottenUntilMs, issueTimeMs(oldest));
    }
    return true;
  }
}

function issueTimeMs(nonce: string): number {
  return Number.parseInt(nonce, 36);
}
