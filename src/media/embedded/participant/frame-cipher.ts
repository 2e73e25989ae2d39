// Frames that only the members of a call can read, whatever the media server does: the format of LiveKit's clients
// (AES-128-GCM), which MatrixRTC has taken over. A frame of sound is
//   first octet (clear, and authenticated) | ciphertext | tag, 16 | IV, 12 | length of the IV | index of the key
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import type { FrameKey } from "../../../ports/conference.ts";

const algorithm = "aes-128-gcm";
const clearOctets = 1;
const tagOctets = 16;
const ivOctets = 12;
const trailerOctets = 2;
const overhead = clearOctets + tagOctets + ivOctets + trailerOctets;
const salt = Buffer.from("LKFrameEncryptionKey");
const info = Buffer.alloc(128);
const keyOctets = 16;

interface DerivedKey {
  readonly index: number;
  readonly secret: Uint8Array;
  readonly key: Buffer;
}

function derived({ index, secret }: FrameKey): DerivedKey {
  return { index, secret, key: Buffer.from(hkdfSync("sha256", secret, salt, info, keyOctets)) };
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

  seal(frame: Uint8Array): Buffer {
    const iv = Buffer.alloc(ivOctets);
    iv.set(this.#prefix);
    iv.writeUInt32BE(this.#count, this.#prefix.length);
    this.#count = (this.#count + 1) >>> 0;
    const clear = frame.subarray(0, clearOctets);
    const cipher = createCipheriv(algorithm, this.#key.key, iv).setAAD(clear);
    const sealed = [clear, cipher.update(frame.subarray(clearOctets)), cipher.final(), cipher.getAuthTag(), iv];
    return Buffer.concat([...sealed, Buffer.from([ivOctets, this.#key.index])]);
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
    for (const { index, key } of this.#keys) {
      const opened = index === frame[length - 1] ? openWith(key, frame) : undefined;
      if (opened !== undefined) return opened;
    }
    return undefined;
  }
}

function openWith(key: Buffer, frame: Uint8Array): Buffer | undefined {
  const ivAt = frame.length - trailerOctets - ivOctets;
  const tagAt = ivAt - tagOctets;
  const clear = frame.subarray(0, clearOctets);
  const iv = frame.subarray(ivAt, ivAt + ivOctets);
  const decipher = createDecipheriv(algorithm, key, iv, { authTagLength: tagOctets });
  decipher.setAAD(clear).setAuthTag(frame.subarray(tagAt, ivAt));
  try {
    return Buffer.concat([clear, decipher.update(frame.subarray(clearOctets, tagAt)), decipher.final()]);
  } catch {
    return undefined;
  }
}
