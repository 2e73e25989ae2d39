// The gateway proves who it is where it is asked (RFC 3261 s22.2, RFC 7616): the answer to one challenge.
// On its own, as digest.ts is, so that the bridge's challenges meet another reading of the RFC.
import { createHash, randomBytes } from "node:crypto";
import { closingQuote, splitList, unquoted } from "../../../src/sip/wire/fields/grammar.ts";
import { headerValues, type SipResponse } from "../../../src/sip/wire/message.ts";

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

const HASHES: Readonly<Record<string, string>> = { MD5: "md5", "SHA-256": "sha256" };

/** The header that answers a 401 or 407; undefined where there is no challenge that we understand. */
export function digestAnswer(
  response: SipResponse,
  method: string,
  uri: string,
  credentials: Credentials,
): readonly [name: string, value: string] | undefined {
  const proxy = response.statusCode === 407;
  if (!proxy && response.statusCode !== 401) return undefined;
  for (const value of headerValues(response, proxy ? "Proxy-Authenticate" : "WWW-Authenticate")) {
    const challenge = readChallenge(value);
    const algorithm = (challenge?.get("algorithm") ?? "MD5").toUpperCase();
    const offersAuth = challenge?.get("qop")?.split(/[ ,]+/).includes("auth");
    const name = HASHES[algorithm];
    if (challenge === undefined || name === undefined || offersAuth === false) continue;
    const hash = (text: string): string => createHash(name).update(text).digest("hex");
    const [realm, nonce] = [challenge.get("realm") ?? "", challenge.get("nonce") ?? ""];
    const { username, password } = credentials;
    // Each nonce is used once, so its count is always the first.
    const [count, clientNonce] = ["00000001", randomBytes(8).toString("hex")];
    const middle = offersAuth === true ? [nonce, count, clientNonce, "auth"].join(":") : nonce;
    const proof = hash(`${hash(`${username}:${realm}:${password}`)}:${middle}:${hash(`${method}:${uri}`)}`);
    const quoted = { username, realm, nonce, uri, response: proof, opaque: challenge.get("opaque") };
    const fields = Object.entries(quoted).flatMap(([key, text]) => (text === undefined ? [] : [`${key}="${text}"`]));
    fields.push(`algorithm=${algorithm}`);
    if (offersAuth === true) fields.push("qop=auth", `nc=${count}`, `cnonce="${clientNonce}"`);
    return [proxy ? "Proxy-Authorization" : "Authorization", `Digest ${fields.join(", ")}`];
  }
  return undefined;
}

function readChallenge(value: string): ReadonlyMap<string, string> | undefined {
  const scheme = /^digest[ \t]+/i.exec(value);
  const parts = scheme === null ? undefined : splitList(value.slice(scheme[0].length));
  if (parts === undefined) return undefined;
  const fields = new Map<string, string>();
  for (const part of parts) {
    const equals = part.indexOf("=");
    const text = part.slice(equals + 1).trim();
    const quoted = text.startsWith('"');
    if (equals < 1 || (quoted && closingQuote(text, 0) !== text.length - 1)) return undefined;
    fields.set(part.slice(0, equals).trim().toLowerCase(), quoted ? unquoted(text) : text);
  }
  return fields;
}
