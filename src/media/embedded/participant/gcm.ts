// AES-128-GCM (NIST SP 800-38D) for many short frames under one key. AES is node:crypto's, as ECB over counter blocks, because
// that cipher object can be kept: a new one for each frame takes 13 us, and all of this 5. GHASH is here, by tables of 4 bits
// (Shoup), as nothing in Node has it alone.
import { createCipheriv, timingSafeEqual, type Cipheriv } from "node:crypto";

const blockOctets = 16;
const ivOctets = 12;
export const gcmTagOctets = 16;

/** What the four bits that fall off are worth, in the highest 16 bits. */
const reduction = Uint32Array.from(
  [
    0x0000, 0x1c20, 0x3840, 0x2460, 0x7080, 0x6ca0, 0x48c0, 0x54e0, 0xe100, 0xfd20, 0xd940, 0xc560, 0x9180, 0x8da0,
    0xa9c0, 0xb5e0,
  ],
  (bits) => bits * 0x1_0000,
);

export class Gcm {
  readonly #cipher: Cipheriv;
  readonly #hash: Ghash;
  #counters = Buffer.alloc(0);

  /** `key`: 16 octets. */
  constructor(key: Buffer) {
    this.#cipher = createCipheriv("aes-128-ecb", key, null).setAutoPadding(false);
    this.#hash = new Ghash(this.#cipher.update(Buffer.alloc(blockOctets)));
  }

  /** Writes ciphertext and tag to `to`, which is so much longer than `plain`. `iv`: 12 octets, never the same twice. */
  seal(iv: Uint8Array, clear: Uint8Array, plain: Uint8Array, to: Uint8Array): void {
    const stream = this.#stream(iv, plain.length);
    apply(stream, plain, to);
    const ciphertext = to.subarray(0, plain.length);
    to.set(this.#tag(stream, clear, ciphertext), plain.length);
  }

  /** Undefined: it was not sealed with this key, or was changed. */
  open(iv: Uint8Array, clear: Uint8Array, ciphertext: Uint8Array, tag: Uint8Array): Buffer | undefined {
    const stream = this.#stream(iv, ciphertext.length);
    if (tag.length !== gcmTagOctets || !timingSafeEqual(tag, this.#tag(stream, clear, ciphertext))) return undefined;
    const plain = Buffer.alloc(ciphertext.length);
    apply(stream, ciphertext, plain);
    return plain;
  }

  /** The first block is for the tag. */
  #stream(iv: Uint8Array, octets: number): Buffer {
    const count = 1 + Math.ceil(octets / blockOctets);
    if (this.#counters.length < count * blockOctets) this.#counters = Buffer.alloc(count * blockOctets);
    for (let block = 0; block < count; block += 1) {
      this.#counters.set(iv, block * blockOctets);
      this.#counters.writeUInt32BE(block + 1, block * blockOctets + ivOctets);
    }
    return this.#cipher.update(this.#counters.subarray(0, count * blockOctets));
  }

  #tag(stream: Buffer, clear: Uint8Array, ciphertext: Uint8Array): Buffer {
    const tag = this.#hash.of(clear, ciphertext);
    for (const [index, octet] of tag.entries()) tag[index] = octet ^ (stream[index] ?? 0);
    return tag;
  }
}

function apply(stream: Buffer, from: Uint8Array, to: Uint8Array): void {
  for (let index = 0; index < from.length; index += 1)
    to[index] = (from[index] ?? 0) ^ (stream[blockOctets + index] ?? 0);
}

class Ghash {
  /** Multiples of the key by each four bits, four words each, the highest first. */
  readonly #table = new Uint32Array(16 * 4);
  readonly #state = new Uint32Array(4);
  readonly #block = Buffer.alloc(blockOctets);

  constructor(key: Buffer) {
    const table = this.#table;
    const value = [0, 4, 8, 12].map((at) => key.readUInt32BE(at));
    for (let multiple = 8; multiple > 0; multiple >>= 1) {
      table.set(value, multiple * 4);
      const [first = 0, second = 0, third = 0, fourth = 0] = value;
      value[3] = ((third << 31) | (fourth >>> 1)) >>> 0;
      value[2] = ((second << 31) | (third >>> 1)) >>> 0;
      value[1] = ((first << 31) | (second >>> 1)) >>> 0;
      value[0] = ((first >>> 1) ^ ((fourth & 1) === 1 ? 0xe100_0000 : 0)) >>> 0;
    }
    for (let high = 2; high <= 8; high *= 2)
      for (let low = 1; low < high; low += 1)
        for (let word = 0; word < 4; word += 1)
          table[(high + low) * 4 + word] = (table[high * 4 + word] ?? 0) ^ (table[low * 4 + word] ?? 0);
  }

  of(clear: Uint8Array, ciphertext: Uint8Array): Buffer {
    this.#state.fill(0);
    this.#take(clear);
    this.#take(ciphertext);
    const lengths = Buffer.alloc(blockOctets);
    lengths.writeUInt32BE(clear.length * 8, 4);
    lengths.writeUInt32BE(ciphertext.length * 8, 12);
    this.#take(lengths);
    const hash = Buffer.alloc(blockOctets);
    for (const [word, value] of this.#state.entries()) hash.writeUInt32BE(value, word * 4);
    return hash;
  }

  /** The last block is filled up with zeros. */
  #take(octets: Uint8Array): void {
    for (let start = 0; start < octets.length; start += blockOctets) {
      this.#block.fill(0);
      this.#block.set(octets.subarray(start, start + blockOctets));
      for (let word = 0; word < 4; word += 1)
        this.#block.writeUInt32BE(((this.#state[word] ?? 0) ^ this.#block.readUInt32BE(word * 4)) >>> 0, word * 4);
      this.#multiply(this.#block);
    }
  }

  /** The state becomes `block` times the key, four bits after the other from the last on. */
  #multiply(block: Buffer): void {
    const table = this.#table;
    let [first, second, third, fourth] = [0, 0, 0, 0];
    for (let nibble = 31; nibble >= 0; nibble -= 1) {
      const octet = block[nibble >> 1] ?? 0;
      const at = 4 * ((nibble & 1) === 1 ? octet & 15 : octet >> 4);
      const fallen = fourth & 15;
      fourth = ((third << 28) | (fourth >>> 4)) ^ (table[at + 3] ?? 0);
      third = ((second << 28) | (third >>> 4)) ^ (table[at + 2] ?? 0);
      second = ((first << 28) | (second >>> 4)) ^ (table[at + 1] ?? 0);
      first = (first >>> 4) ^ (reduction[fallen] ?? 0) ^ (table[at] ?? 0);
    }
    this.#state.set([first, second, third, fourth]);
  }
}
