// Keys of SDES-SRTP in `a=crypto` (RFC 4568): the two AES-CM suites that trunks speak. Text in, text out; the keys
// themselves are made by the negotiation and used by the media engine.

export type SrtpSuite = "AES_CM_128_HMAC_SHA1_80" | "AES_CM_128_HMAC_SHA1_32";

/** In our order of preference: the longer tag first. */
export const srtpSuites: readonly SrtpSuite[] = ["AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"];

export interface CryptoAttribute {
  /** Ties an answer to the line of the offer it accepts (RFC 4568 s5.1.2). */
  readonly tag: number;
  readonly suite: SrtpSuite;
  /** Base64 of 16 octets of master key and 14 of master salt. */
  readonly inline: string;
  /** Octets of the MKI in each packet under this key; 0 without (RFC 4568 s6.1). */
  readonly mkiLength: number;
}

/** 30 octets are exactly 40 characters of base64, without padding. */
const keyForm = /^inline:([A-Za-z0-9+/]{40})((?:\|[^|\s]*)*)$/;
const lifetimeForm = /^(?:2\^)?\d{1,15}$/;
/** Value and length in octets. */
const mkiForm = /^\d{1,39}:(\d{1,3})$/;
const maxMkiLength = 128;

/**
 * Undefined for suites, key forms and session parameters we do not support: such a line is not chosen, which is not an
 * error (RFC 4568 s5.1.2). Not supported are several keys, and every session parameter.
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
  const mki = mkiForm.exec(parameters.at(-1) ?? "");
  const lifetimes = mki === null ? parameters : parameters.slice(0, -1);
  if (lifetimes.length > 1 || lifetimes.some((lifetime) => !lifetimeForm.test(lifetime))) return undefined;
  const mkiLength = mki === null ? 0 : Number(mki[1]);
  if (mki !== null && (mkiLength < 1 || mkiLength > maxMkiLength)) return undefined;
  return { tag, suite: known, inline, mkiLength };
}

/** Without `a=`. Our keys have no MKI. */
export function writeCryptoAttribute(crypto: CryptoAttribute): string {
  return `crypto:${crypto.tag} ${crypto.suite} inline:${crypto.inline}`;
}

/** The same key, under whichever tag. */
export function isSameKey(one: CryptoAttribute, other: CryptoAttribute): boolean {
  return one.suite === other.suite && one.inline === other.inline && one.mkiLength === other.mkiLength;
}

/** The strongest of the offered lines, in our order of preference; of several one without an MKI. */
export function chooseCrypto(offered: readonly CryptoAttribute[]): CryptoAttribute | undefined {
  for (const suite of srtpSuites) {
    const found = offered.filter((crypto) => crypto.suite === suite);
    if (found.length > 0) return found.find(({ mkiLength }) => mkiLength === 0) ?? found[0];
  }
  return undefined;
}
