// What a server asks for in a 401 or 407 (RFC 3261 s22, RFC 7616 s3.3, RFC 8760): challenges read, the one to
// answer chosen. The answer is computed in digest.ts.
import { closingQuote, unquoted } from "../fields/grammar.ts";

/** Strongest first. `-sess` is as strong as its plain form. */
const STRENGTH = ["SHA-512-256", "SHA-256", "MD5"] as const;

type HashName = (typeof STRENGTH)[number];

/** An algorithm that we can compute. */
export type DigestAlgorithm = HashName | `${HashName}-sess`;

/** One challenge of a 401 or 407. Values unquoted. */
export type Challenge = {
  /** Whether it came in Proxy-Authenticate, and is answered in Proxy-Authorization. */
  readonly proxy: boolean;
  readonly realm: string;
  readonly nonce: string;
  readonly opaque: string | undefined;
  readonly algorithm: DigestAlgorithm;
  /** Whether the parameter was sent; RFC 2617 servers that left it out may not know it. */
  readonly algorithmNamed: boolean;
  /** `auth` when it is offered, undefined when the challenge has no qop (RFC 2069). */
  readonly qop: "auth" | undefined;
  /** The credentials were right, the nonce too old. */
  readonly stale: boolean;
  /** RFC 7616 s3.4.4. */
  readonly userhash: boolean;
};

/** `name=value` pairs of a challenge or credentials, names in lower case, values unquoted; first of each stands. */
export type AuthParams = { readonly scheme: string; readonly params: ReadonlyMap<string, string> };

/**
 * Reads the value of WWW-Authenticate, Proxy-Authenticate, Authorization or Proxy-Authorization. One value may
 * hold several challenges, and both they and their parameters are separated by commas (RFC 7235 s4.1).
 * What cannot be read is left out.
 */
export function parseAuthParams(value: string): AuthParams[] {
  const found: { scheme: string; params: Map<string, string> }[] = [];
  const token = /\s*(?:,\s*)*([A-Za-z0-9\-.!%*_+`'~]+)\s*/y;
  let at = 0;
  while (at < value.length) {
    token.lastIndex = at;
    const [, word] = token.exec(value) ?? [];
    if (word === undefined) break;
    at = token.lastIndex;
    const current = found.at(-1);
    if (value[at] !== "=") {
      found.push({ scheme: word, params: new Map() });
      continue;
    }
    at += 1;
    while (value[at] === " " || value[at] === "\t") at += 1;
    let text: string;
    if (value[at] === '"') {
      const close = closingQuote(value, at);
      if (close < 0) break;
      text = unquoted(value.slice(at, close + 1));
      at = close + 1;
    } else {
      const comma = value.indexOf(",", at);
      const end = comma < 0 ? value.length : comma;
      text = value.slice(at, end).trim();
      at = end;
    }
    const name = word.toLowerCase();
    if (current !== undefined && !current.params.has(name)) current.params.set(name, text);
  }
  return found;
}

/** The Digest challenges of one header value that we can answer, in the order sent. */
export function parseChallenges(value: string, proxy: boolean): Challenge[] {
  return parseAuthParams(value).flatMap(({ scheme, params }) => {
    const realm = params.get("realm");
    const nonce = params.get("nonce");
    const algorithm = parseAlgorithm(params.get("algorithm"));
    const qops = params
      .get("qop")
      ?.split(",")
      .map((qop) => qop.trim().toLowerCase());
    if (scheme.toLowerCase() !== "digest" || realm === undefined || nonce === undefined) return [];
    if (algorithm === undefined || (qops !== undefined && !qops.includes("auth"))) return [];
    return [
      {
        proxy,
        realm,
        nonce,
        opaque: params.get("opaque"),
        algorithm,
        algorithmNamed: params.has("algorithm"),
        qop: qops === undefined ? undefined : "auth",
        stale: params.get("stale")?.toLowerCase() === "true",
        userhash: params.get("userhash")?.toLowerCase() === "true",
      },
    ];
  });
}

/** MD5 when absent (RFC 2617 s3.2.1); undefined when we cannot compute it. */
export function parseAlgorithm(text: string | undefined): DigestAlgorithm | undefined {
  if (text === undefined) return "MD5";
  const upper = text.toUpperCase();
  const name = STRENGTH.find((known) => upper === known || upper === `${known}-SESS`);
  if (name === undefined) return undefined;
  return upper === name ? name : `${name}-sess`;
}

/**
 * The challenge to answer for each realm: the strongest, and among equals the first. RFC 8760 s2.4 would take
 * the first that is supported unless local policy says otherwise; this is our policy, so that nobody on the way
 * can talk us down by their order. Several realms are answered all (RFC 3261 s22.3, forked requests).
 */
export function strongestPerRealm(challenges: readonly Challenge[]): Challenge[] {
  const best = new Map<string, Challenge>();
  for (const challenge of challenges) {
    const key = `${challenge.proxy ? "proxy" : "server"} ${challenge.realm}`;
    const before = best.get(key);
    const isBetter = before === undefined || rank(challenge) < rank(before);
    if (isBetter || (rank(challenge) === rank(before) && isWeaker(before, challenge))) best.set(key, challenge);
  }
  return [...best.values()];
}

function rank({ algorithm }: Challenge): number {
  return STRENGTH.findIndex((name) => algorithm.startsWith(name));
}

/** Whether an answer to `challenge` is easier to guess a password from than one to `other`: by its hash, or without qop. */
export function isWeaker(challenge: Challenge, other: Challenge): boolean {
  return rank(challenge) > rank(other) || (challenge.qop === undefined && other.qop !== undefined);
}

/**
 * Whether answering `challenge` can help after the request was already sent with an answer to `answered`:
 * only when that nonce had gone stale. Else the password is wrong, and trying on locks accounts.
 */
export function worthAnswering(challenge: Challenge, answered: Challenge | undefined): boolean {
  return answered === undefined || (challenge.stale && challenge.nonce !== answered.nonce);
}
