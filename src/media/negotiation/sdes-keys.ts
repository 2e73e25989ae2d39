// The SDES keys of one trunk's dialog (RFC 4568): ours, made once and offered again and again, and the peer's.
import { randomBytes } from "node:crypto";
import { chooseCrypto, isSameKey, srtpSuites, type CryptoAttribute } from "../../core/sdp/crypto-attribute.ts";
import type { SdesKeyPair } from "../../ports/media-engine.ts";
import { MediaError } from "../../ports/media.ts";

/** Octets of master key and master salt (RFC 3711 s8.2). */
const masterLength = 30;

export class SdesKeys {
  #offer = newLines();
  /** In use. */
  #pair: SdesKeyPair | undefined;

  /** One line for each suite, in our order of preference. */
  get offer(): readonly CryptoAttribute[] {
    return this.#offer;
  }

  /** New keys from the next offer or answer on. Those in use stay until then. */
  renew(): void {
    this.#offer = newLines();
  }

  /** The peer accepted one of our lines. Throws MediaError if it did not. */
  answered(lines: readonly CryptoAttribute[]): SdesKeyPair {
    const [theirs] = lines;
    const ours = this.#offer.find((line) => line.tag === theirs?.tag && line.suite === theirs.suite);
    if (theirs === undefined || ours === undefined)
      throw new MediaError("encryption-mismatch", "the trunk's answer accepts none of our keys");
    this.#pair = { ours, theirs };
    return this.#pair;
  }

  /** The peer offers: our line for the answer, under its tag. Throws MediaError if none of its lines will do. */
  accept(lines: readonly CryptoAttribute[]): { readonly line: CryptoAttribute; readonly keys: SdesKeyPair } {
    const theirs = chooseCrypto(lines);
    // With a new key, or as somebody else, it counts the roll-overs of our stream from zero (RFC 3711 s3.3.1): so shall we.
    const before = this.#pair?.theirs;
    if (theirs !== undefined && before !== undefined && !isSameKey(theirs, before)) this.renew();
    const ours = this.#offer.find((line) => line.suite === theirs?.suite);
    if (theirs === undefined || ours === undefined)
      throw new MediaError("encryption-mismatch", "the trunk offers no key that we support");
    this.#pair = { ours, theirs };
    return { line: { ...ours, tag: theirs.tag }, keys: this.#pair };
  }
}

function newLines(): readonly CryptoAttribute[] {
  return srtpSuites.map((suite, index) => ({
    tag: index + 1,
    suite,
    inline: randomBytes(masterLength).toString("base64"),
    mkiLength: 0,
  }));
}
