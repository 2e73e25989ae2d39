// Against node:crypto's own, and the cases of McGrew and Viega that the standard refers to.
import { createCipheriv, randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { Gcm, gcmTagOctets } from "../../../src/media/embedded/participant/gcm.ts";

function sealed(key: Buffer, iv: Buffer, clear: Buffer, plain: Buffer): Buffer {
  const to = Buffer.alloc(plain.length + gcmTagOctets);
  new Gcm(key).seal(iv, clear, plain, to);
  return to;
}

test.for([
  ["1", "00".repeat(16), "00".repeat(12), "", "", "58e2fccefa7e3061367f1d57a4e7455a"],
  [
    "2",
    "00".repeat(16),
    "00".repeat(12),
    "",
    "00".repeat(16),
    "0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf",
  ],
  [
    "4",
    "feffe9928665731c6d6a8f9467308308",
    "cafebabefacedbaddecaf888",
    "feedfacedeadbeeffeedfacedeadbeefabaddad2",
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
    "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e0915bc94fbc3221a5db94fae95ae7121a47",
  ],
] as const)("case %s", ([, key, iv, clear, plain, expected]) => {
  const [keyOctets, ivOctets, clearOctets, plainOctets] = [key, iv, clear, plain].map((hex) => Buffer.from(hex, "hex"));
  if (keyOctets === undefined || ivOctets === undefined || clearOctets === undefined || plainOctets === undefined)
    return;
  expect(sealed(keyOctets, ivOctets, clearOctets, plainOctets).toString("hex")).toBe(expected);
});

test("frames of every length are what node:crypto makes of them, and come back whole", () => {
  for (let length = 0; length <= 300; length += 1) {
    const [key, iv, clear, plain] = [randomBytes(16), randomBytes(12), randomBytes(length % 40), randomBytes(length)];
    const cipher = createCipheriv("aes-128-gcm", key, iv).setAAD(clear);
    const expected = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    expect(sealed(key, iv, clear, plain).equals(expected), `${length} octets`).toBe(true);
    const gcm = new Gcm(key);
    const [ciphertext, tag] = [expected.subarray(0, length), expected.subarray(length)];
    expect(gcm.open(iv, clear, ciphertext, tag)?.equals(plain), `${length} octets`).toBe(true);
    expect(gcm.open(iv, clear, ciphertext, tag.subarray(0, 4))).toBeUndefined();
  }
});
