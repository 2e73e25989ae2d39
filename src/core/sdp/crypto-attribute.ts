// Keys of SDES-SRTP in `a=crypto` (RFC 4568): the two AES-CM suites that trunks speak. Text in, text out; the keys
// themselves are made and used by the media engine.

export type SrtpSuite = "AES_CM_128_HMAC_SHA1_80" | "AES_CM_128_HMAC_SHA1_32";

/** In our order of preference: the longer tag first. */
export const srtpSuites: readonly SrtpSuite[] = ["AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"];

export interface CryptoAttribute {
  /** Ties an answer to the line of the offer it accepts (RFC 4568 s5.1.2). */
  readonly tag: number;
  readonly suite: SrtpSuite;
  /** Base64 of 16 octets of master key and 14 of master salt. */
  readonly inline: string;
}

/** 30 octets are exactly 40 characters of base64, without padding. */
const keyForm = /^inline:([A-Za-z0-9+/]{40})((?:\|[^|\s]*)*)$/;
const lifetimeForm = /^(?:2\^)?\d{1,15}$/;

/**
 * Undefined for suites, key forms and session parameters we do not support: such a line is not chosen, which is not an
 * error (RFC 4568 s5.1.2). Not supported are an MKI, several keys, and every session parameter.
 */
export function parseCryptoAttribute(
  tag: number,
  suite: unknown,
  keys: unknown,
  session: unknown,
): CryptoAttribute | undefined {
  if (typeof suite !== "string" || typeof keys !== "string") return undefined;
  const known = srtpSuites.find((name) => name === suite.toUpperCase());
  const match = keyForm.exec(keys);
  if (known === undefined || match === null || session !== undefined) return undefined;
  if (!Number.isInteger(tag) || tag < 0 || tag > 999_999_999) return undefined;
  const [, inline = "", rest = ""] = match;
  const parameters = rest === "" ? [] : rest.slice(1).split("|");
  if (parameters.length > 1 || parameters.some((lifetime) => !lifetimeForm.test(lifetime))) return undefined;
  return { tag, suite: known, inline };
}

/** Without `a=`. */
export function writeCryptoAttribute(crypto: CryptoAttribute): string {
  return `crypto:${crypto.tag} ${crypto.suite} inline:${crypto.inline}`;
}

/** The strongest of the offered lines, in our order of preference. */
export function chooseCrypto(offered: readonly CryptoAttribute[]): CryptoAttribute | undefined {
  for (const suite of srtpSuites) {
    const found = offered.find((crypto) => crypto.suite === suite);
    if (found !== undefined) return found;
  }
  return undefined;
}
