// Frames that only the members of a call can read, whatever the media server does: the format of LiveKit's clients
// (AES-128-GCM), which MatrixRTC has taken over. A frame of sound is
//   first octet (clear, and authenticated) | ciphertext | tag, 16 | IV, 12 | length of the IV | index of the key
import { hkdfSync, randomBytes } from "node:crypto";
import type { FrameKey } from "../../../ports/conference.ts";
import { Gcm, gcmTagOctets } from "./gcm.ts";

const clearOctets = 1;
const ivOctets = 12;
const trailerOctets = 2;
const overhead = clearOctets + gcmTagOctets + ivOctets + trailerOctets;
const salt = Buffer.from("LKFrameEncryptionKey");
const info = Buffer.alloc(128);
const keyOctets = 16;

interface DerivedKey {
  readonly index: number;
  readonly secret: Uint8Array;
  readonly gcm: Gcm;
}

function derived({ index, secret }: FrameKey): DerivedKey {
  return { index, secret, gcm: new Gcm(Buffer.from(hkdfSync("sha256", secret, salt, info, keyOctets))) };
}

/** Encrypts what we say. */
export class FrameSealer {
  readonly #key: DerivedKey;
  /** No IV comes twice: the chance of this sealer, and a count. */
  readonly #prefix = randomBytes(8);
  #count = 0;

  constructor(key: FrameKey) {
    this.#key = derived(key);
  }

  isFor({ index, secret }: FrameKey): boolean {
    return this.#key.index === index && Buffer.compare(this.#key.secret, secret) === 0;
  }

  /** `frame`: one octet at least. */
  seal(frame: Uint8Array): Buffer {
    const sealed = Buffer.alloc(frame.length + overhead - clearOctets);
    const ivAt = sealed.length - trailerOctets - ivOctets;
    sealed.set(this.#prefix, ivAt);
    sealed.writeUInt32BE(this.#count, ivAt + this.#prefix.length);
    this.#count = (this.#count + 1) >>> 0;
    sealed.set([ivOctets, this.#key.index], sealed.length - trailerOctets);
    const clear = frame.subarray(0, clearOctets);
    sealed.set(clear);
    const iv = sealed.subarray(ivAt, ivAt + ivOctets);
    this.#key.gcm.seal(iv, clear, frame.subarray(clearOctets), sealed.subarray(clearOctets, ivAt));
    return sealed;
  }
}

/** Decrypts what one participant says. */
export class FrameOpener {
  #keys: readonly DerivedKey[] = [];

  /** Those that hold from now on. */
  learn(keys: readonly FrameKey[]): void {
    this.#keys = keys.map(
      (key) =>
        this.#keys.find((known) => known.index === key.index && Buffer.compare(known.secret, key.secret) === 0) ??
        derived(key),
    );
  }

  /** Undefined: it is not encrypted, or with a key that we do not have. */
  open(frame: Uint8Array): Buffer | undefined {
    const { length } = frame;
    if (length < overhead || frame[length - 2] !== ivOctets) return undefined;
    for (const { index, gcm } of this.#keys) {
      const opened = index === frame[length - 1] ? openWith(gcm, frame) : undefined;
      if (opened !== undefined) return opened;
    }
    return undefined;
  }
}

function openWith(gcm: Gcm, frame: Uint8Array): Buffer | undefined {
  const ivAt = frame.length - trailerOctets - ivOctets;
  const tagAt = ivAt - gcmTagOctets;
  const clear = frame.subarray(0, clearOctets);
  const iv = frame.subarray(ivAt, ivAt + ivOctets);
  const opened = gcm.open(iv, clear, frame.subarray(clearOctets, tagAt), frame.subarray(tagAt, ivAt));
  return opened && Buffer.concat([clear, opened]);
}
