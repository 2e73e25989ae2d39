// The gateway asks who calls (RFC 3261 s22, RFC 7616, RFC 8760): challenges, and checks what comes back.
// Written from the server's side and on its own, so that it is a witness for the bridge's client.
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { closingQuote, splitList, unquoted } from "../../../src/sip/wire/fields/grammar.ts";
import { header, type SipRequest } from "../../../src/sip/wire/message.ts";

export interface DigestOptions {
  readonly realm: string;
  /** Passwords by user name. */
  readonly users: Readonly<Record<string, string>>;
  readonly algorithm?: "MD5" | "SHA-256";
  /** 407 as a proxy would ask, or 401 as the default. */
  readonly status?: 401 | 407;
  /** After so many uses a nonce is stale; unlimited by default. */
  readonly usesPerNonce?: number;
}

type DigestVerdict =
  | { readonly kind: "accepted"; readonly user: string }
  | { readonly kind: "challenged"; readonly status: number; readonly header: string; readonly value: string };

export interface DigestGate {
  check(request: SipRequest): DigestVerdict;
}

interface Nonce {
  uses: number;
  /** The highest nonce count seen: each must be above the last (RFC 7616 s3.4). */
  count: number;
}

const NONCES_KEPT = 1_000;

export function digestGate(options: DigestOptions): DigestGate {
  const { realm, users, algorithm = "MD5", status = 401, usesPerNonce = Infinity } = options;
  const fromClient = status === 407 ? "Proxy-Authorization" : "Authorization";
  const nonces = new Map<string, Nonce>();
  const hash = (text: string): string =>
    createHash(algorithm === "MD5" ? "md5" : "sha256")
      .update(text)
      .digest("hex");

  const challenge = (stale: boolean): DigestVerdict => {
    const nonce = randomBytes(16).toString("hex");
    const [oldest] = nonces.keys();
    if (nonces.size >= NONCES_KEPT && oldest !== undefined) nonces.delete(oldest);
    nonces.set(nonce, { uses: 0, count: 0 });
    const flag = stale ? ", stale=true" : "";
    return {
      kind: "challenged",
      status,
      header: status === 407 ? "Proxy-Authenticate" : "WWW-Authenticate",
      value: `Digest realm="${realm}", nonce="${nonce}", algorithm=${algorithm}, qop="auth"${flag}`,
    };
  };

  return {
    check(request) {
      const value = header(request, fromClient);
      const given = value === undefined ? undefined : readCredentials(value);
      if (given === undefined) return challenge(false);
      const user = given.get("username") ?? "";
      const password = Object.hasOwn(users, user) ? users[user] : undefined;
      const uri = given.get("uri") ?? "";
      const count = given.get("nc") ?? "";
      const middle =
        given.get("qop") === undefined
          ? given.get("nonce")
          : [given.get("nonce"), count, given.get("cnonce"), "auth"].join(":");
      const expected = hash(`${hash(`${user}:${realm}:${password}`)}:${middle}:${hash(`${request.method}:${uri}`)}`);
      const right =
        password !== undefined &&
        given.get("realm") === realm &&
        (given.get("algorithm") ?? "MD5").toUpperCase() === algorithm &&
        [undefined, "auth"].includes(given.get("qop")) &&
        // A proxy may rewrite the Request-URI, this gateway has none before it that does.
        uri === request.uriText &&
        same(given.get("response") ?? "", expected);
      if (!right) return challenge(false);
      const nonce = nonces.get(given.get("nonce") ?? "");
      const nonceCount = given.get("qop") === undefined ? Infinity : Number.parseInt(count, 16);
      if (nonce === undefined || nonce.uses >= usesPerNonce || !(nonceCount > nonce.count)) return challenge(true);
      nonce.uses += 1;
      if (Number.isFinite(nonceCount)) nonce.count = nonceCount;
      return { kind: "accepted", user };
    },
  };
}

function same(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given.toLowerCase()), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}

function readCredentials(value: string): ReadonlyMap<string, string> | undefined {
  const scheme = /^digest[ \t]+/i.exec(value);
  const parts = scheme === null ? undefined : splitList(value.slice(scheme[0].length));
  if (parts === undefined) return undefined;
  const credentials = new Map<string, string>();
  for (const part of parts) {
    const equals = part.indexOf("=");
    const name = part.slice(0, Math.max(0, equals)).trim().toLowerCase();
    const text = part.slice(equals + 1).trim();
    if (name === "" || credentials.has(name)) return undefined;
    const quoted = text.startsWith('"');
    if (quoted && closingQuote(text, 0) !== text.length - 1) return undefined;
    credentials.set(name, quoted ? unquoted(text) : text);
  }
  return credentials;
}
