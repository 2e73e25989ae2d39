// The SRTP contexts of one trunk's dialog, by the keys that SDP has settled on (RFC 4568).
import { isSameKey, type CryptoAttribute } from "../../../core/sdp/crypto-attribute.ts";
import type { SdesKeyPair } from "../../../ports/media-engine.ts";
import type { SrtpMarks } from "./dialog-media.ts";
import { SrtpContext } from "./srtp.ts";
import type { TrunkKeys } from "./trunk-socket.ts";

interface InUse {
  readonly pair: SdesKeyPair;
  readonly keys: TrunkKeys;
}

export class SrtpContexts {
  #use: InUse | undefined;

  /** `pair` and `marks` of the session before, where the dialog has had one. */
  constructor(pair?: SdesKeyPair, marks?: SrtpMarks) {
    if (pair === undefined) return;
    const keys = this.adopt(pair);
    if (marks === undefined) return;
    keys.outbound.resume(marks.outbound);
    keys.inbound.resume(marks.inbound);
  }

  get pair(): SdesKeyPair | undefined {
    return this.#use?.pair;
  }

  get keys(): TrunkKeys | undefined {
    return this.#use?.keys;
  }

  get marks(): SrtpMarks | undefined {
    const keys = this.#use?.keys;
    return keys && { outbound: keys.outbound.mark, inbound: keys.inbound.mark };
  }

  /** Contexts live as long as their keys: a re-offer with the same ones must not turn the packet index back. */
  adopt(pair: SdesKeyPair): TrunkKeys {
    const { ours, theirs } = pair;
    const before = this.#use;
    const keys = {
      outbound: before !== undefined && isSameKey(ours, before.pair.ours) ? before.keys.outbound : contextOf(ours),
      inbound: before !== undefined && isSameKey(theirs, before.pair.theirs) ? before.keys.inbound : contextOf(theirs),
    };
    this.#use = { pair, keys };
    return keys;
  }
}

function contextOf({ suite, inline, mkiLength }: CryptoAttribute): SrtpContext {
  return new SrtpContext(suite, Buffer.from(inline, "base64"), mkiLength);
}
