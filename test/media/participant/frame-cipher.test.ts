// Frames as LiveKit's clients write them, here by WebCrypto, which those use.
import type { webcrypto } from "node:crypto";
import { describe, expect, test } from "vitest";
import { FrameOpener, FrameSealer } from "../../../src/media/embedded/participant/frame-cipher.ts";

const { subtle } = globalThis.crypto;
const secret = Uint8Array.from({ length: 16 }, (_, index) => index * 7 + 1);
const frame = Uint8Array.from([0x78, 1, 2, 3, 4, 5, 6, 7]);
const iv = Uint8Array.from([9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 1, 2]);

async function keyOf(raw: Uint8Array<ArrayBuffer>): Promise<webcrypto.CryptoKey> {
  const material = await subtle.importKey("raw", raw, "HKDF", false, ["deriveKey"]);
  const salt = new TextEncoder().encode("LKFrameEncryptionKey");
  return subtle.deriveKey(
    { name: "HKDF", salt, info: new ArrayBuffer(128), hash: "SHA-256" },
    material,
    { name: "AES-GCM", length: 128 },
    false,
    ["encrypt", "decrypt"],
  );
}

/** Of a client: its first octet clear, then the ciphertext with its tag, then IV, length of the IV, index. */
async function clientFrame(index: number): Promise<Uint8Array> {
  const parameters = { name: "AES-GCM", iv, additionalData: frame.slice(0, 1) };
  const sealed = await subtle.encrypt(parameters, await keyOf(secret), frame.slice(1));
  return Buffer.concat([frame.slice(0, 1), new Uint8Array(sealed), iv, Buffer.from([12, index])]);
}

function openerWith(...keys: readonly { readonly index: number; readonly secret: Uint8Array }[]): FrameOpener {
  const opener = new FrameOpener();
  opener.learn(keys);
  return opener;
}

describe("a frame of a client", () => {
  test("is opened with the key of its index, among others, and of two that have the same", async () => {
    const other = { index: 5, secret: new Uint8Array(16) };
    expect(openerWith(other, { index: 3, secret }).open(await clientFrame(3))).toEqual(Buffer.from(frame));
    expect(openerWith(other, { index: 5, secret }).open(await clientFrame(5))).toEqual(Buffer.from(frame));
  });

  test("is dropped without that key, and where any octet of it was changed", async () => {
    const sealed = await clientFrame(3);
    expect(openerWith().open(sealed)).toBeUndefined();
    expect(openerWith({ index: 4, secret }).open(sealed)).toBeUndefined();
    expect(openerWith({ index: 3, secret: new Uint8Array(16) }).open(sealed)).toBeUndefined();
    const opener = openerWith({ index: 3, secret });
    for (const at of sealed.keys()) {
      const changed = Uint8Array.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(opener.open(changed), `octet ${at}`).toBeUndefined();
    }
  });

  test.for([0, 1, 2, 30, 31])("that is no more than %d octets long is none", (length) => {
    const short = Buffer.alloc(length);
    if (length >= 2) short.set([12, 3], length - 2);
    expect(openerWith({ index: 3, secret }).open(short)).toBeUndefined();
  });

  test("is not opened any more once its key does not hold", async () => {
    const opener = openerWith({ index: 3, secret });
    opener.learn([]);
    expect(opener.open(await clientFrame(3))).toBeUndefined();
  });
});

test("what we say is what a client opens, and no two frames have the same IV", async () => {
  const sealer = new FrameSealer({ index: 200, secret });
  const key = await keyOf(secret);
  const ivs = new Set<string>();
  for (let count = 0; count < 3; count += 1) {
    const sealed = new Uint8Array(sealer.seal(frame));
    expect([...sealed.subarray(-2)]).toEqual([12, 200]);
    expect(sealed[0]).toBe(frame[0]);
    const ownIv = sealed.slice(-14, -2);
    ivs.add(Buffer.from(ownIv).toString("hex"));
    const parameters = { name: "AES-GCM", iv: ownIv, additionalData: sealed.slice(0, 1) };
    expect(new Uint8Array(await subtle.decrypt(parameters, key, sealed.slice(1, -14)))).toEqual(frame.slice(1));
  }
  expect(ivs.size).toBe(3);
});
