// The SDES keys of one trunk's dialog (RFC 4568): ours, made once and offered again and again, and the peer's.
import { randomBytes } from "node:crypto";
import { chooseCrypto, srtpSuites, type CryptoAttribute } from "../../../core/sdp/crypto-attribute.ts";
import { MediaError } from "../../../ports/media.ts";
import { masterLength, SrtpContext } from "./srtp.ts";
import type { KeyMemory, SrtpMarks } from "./dialog-media.ts";
import type { TrunkKeys } from "./trunk-socket.ts";

export class SdesKeys {
  #offer: readonly CryptoAttribute[];
  #use: InUse | undefined;

  /** `memory` and `marks` of the session before, where the dialog has had one. */
  constructor(memory?: KeyMemory, marks?: SrtpMarks) {
    this.#offer = memory?.offer ?? newLines();
    const { ours, theirs } = memory ?? {};
    if (ours === undefined || theirs === undefined) return;
    const keys = { outbound: contextOf(ours), inbound: contextOf(theirs) };
    if (marks !== undefined) {
      keys.outbound.resume(marks.outbound);
      keys.inbound.resume(marks.inbound);
    }
    this.#use = { ours, theirs, keys };
  }

  /** In use now. */
  get keys(): TrunkKeys | undefined {
    return this.#use?.keys;
  }

  get memory(): KeyMemory {
    return { offer: this.#offer, ours: this.#use?.ours, theirs: this.#use?.theirs };
  }

  get marks(): SrtpMarks | undefined {
    const keys = this.#use?.keys;
    return keys && { outbound: keys.outbound.mark, inbound: keys.inbound.mark };
  }

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
    return this.#adopt(ours, theirs);
  }

  /** The peer offers: our line for the answer, under its tag. Throws MediaError if none of its lines will do. */
  accept(lines: readonly CryptoAttribute[]): { readonly line: CryptoAttribute; readonly keys: TrunkKeys } {
    const theirs = chooseCrypto(lines);
    // With a new key, or as somebody else, it counts the roll-overs of our stream from zero (RFC 3711 s3.3.1): so shall we.
    const before = this.#use?.theirs;
    if (theirs !== undefined && before !== undefined && !isSameKey(theirs, before)) this.renew();
    const ours = this.#offer.find((line) => line.suite === theirs?.suite);
    if (theirs === undefined || ours === undefined)
      throw new MediaError("encryption-mismatch", "the trunk offers no key that we support");
    return { line: { ...ours, tag: theirs.tag }, keys: this.#adopt(ours, theirs) };
  }

  /** Contexts live as long as their keys: a re-offer with the same ones must not turn the packet index back. */
  #adopt(ours: CryptoAttribute, theirs: CryptoAttribute): TrunkKeys {
    const before = this.#use;
    const keys = {
      outbound: before !== undefined && isSameKey(ours, before.ours) ? before.keys.outbound : contextOf(ours),
      inbound: before !== undefined && isSameKey(theirs, before.theirs) ? before.keys.inbound : contextOf(theirs),
    };
    this.#use = { ours, theirs, keys };
    return keys;
  }
}

interface InUse {
  readonly ours: CryptoAttribute;
  readonly theirs: CryptoAttribute;
  readonly keys: TrunkKeys;
}

function isSameKey(one: CryptoAttribute, other: CryptoAttribute): boolean {
  return nameOf(one) === nameOf(other);
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
