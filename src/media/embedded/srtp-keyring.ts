// The SDES keys of one session's trunk leg (RFC 4568): ours, made once and offered again and again, and the peer's.
import { randomBytes } from "node:crypto";
import { chooseCrypto, srtpSuites, type CryptoAttribute } from "../../core/sdp/crypto-attribute.ts";
import { MediaError } from "../../ports/media.ts";
import { masterLength, SrtpContext } from "./srtp.ts";
import type { TrunkKeys } from "./trunk-socket.ts";

export class SrtpKeyring {
  #offer = newLines();
  #keys: TrunkKeys | undefined;
  #outbound = "";
  #inbound = "";

  /** One line for each suite, in our order of preference. */
  get offer(): readonly CryptoAttribute[] {
    return this.#offer;
  }

  /** New keys from the next offer or answer on. Those in use stay until then. */
  renew(): void {
    this.#offer = newLines();
  }

  /** The peer accepted one of our lines. Throws MediaError if it did not. */
  answered(lines: readonly CryptoAttribute[]): TrunkKeys {
    const [theirs] = lines;
    const ours = this.#offer.find((line) => line.tag === theirs?.tag && line.suite === theirs.suite);
    if (theirs === undefined || ours === undefined)
      throw new MediaError("encryption-mismatch", "the trunk's answer accepts none of our keys");
    return this.#use(ours, theirs);
  }

  /** The peer offers: our line for the answer, under its tag. Throws MediaError if none of its lines will do. */
  accept(lines: readonly CryptoAttribute[]): { readonly line: CryptoAttribute; readonly keys: TrunkKeys } {
    const theirs = chooseCrypto(lines);
    // With a new key, or as somebody else, it counts the roll-overs of our stream from zero (RFC 3711 s3.3.1): so shall we.
    if (theirs !== undefined && this.#keys !== undefined && nameOf(theirs) !== this.#inbound) this.renew();
    const ours = this.#offer.find((line) => line.suite === theirs?.suite);
    if (theirs === undefined || ours === undefined)
      throw new MediaError("encryption-mismatch", "the trunk offers no key that we support");
    return { line: { ...ours, tag: theirs.tag }, keys: this.#use(ours, theirs) };
  }

  /** Contexts live as long as their keys: a re-offer with the same ones must not turn the packet index back. */
  #use(ours: CryptoAttribute, theirs: CryptoAttribute): TrunkKeys {
    const [outbound, inbound] = [nameOf(ours), nameOf(theirs)];
    const before = this.#keys;
    const keys = {
      outbound: before !== undefined && outbound === this.#outbound ? before.outbound : contextOf(ours),
      inbound: before !== undefined && inbound === this.#inbound ? before.inbound : contextOf(theirs),
    };
    this.#keys = keys;
    this.#outbound = outbound;
    this.#inbound = inbound;
    return keys;
  }
}

function nameOf({ suite, inline, mkiLength }: CryptoAttribute): string {
  return `${suite} ${inline} ${mkiLength}`;
}

function newLines(): readonly CryptoAttribute[] {
  return srtpSuites.map((suite, index) => ({
    tag: index + 1,
    suite,
    inline: randomBytes(masterLength).toString("base64"),
    mkiLength: 0,
  }));
}

function contextOf({ suite, inline, mkiLength }: CryptoAttribute): SrtpContext {
  return new SrtpContext(suite, Buffer.from(inline, "base64"), mkiLength);
}
