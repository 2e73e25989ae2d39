// A self-signed certificate for DTLS (RFC 8122 s3.2), made before there is a connection that could have one of its own.
import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import type { Fingerprint } from "../../../core/sdp/description.ts";

export interface Certificate {
  readonly certificatePem: string;
  readonly keyPem: string;
  readonly fingerprint: Fingerprint;
}

/** Clocks differ, and nobody looks at the dates: the fingerprint is all that counts (RFC 8122 s6.2). */
const validMs = { before: 86_400_000, after: 30 * 86_400_000 };

/** ASN.1 identifiers of DER (X.690) that a certificate needs. */
const tags = { integer: 2, bits: 3, object: 6, text: 12, time: 24, sequence: 48, set: 49, version: 160 } as const;
const objects = { ecdsaWithSha256: "2a8648ce3d040302", commonName: "550403" } as const;

/** ECDSA on P-256 with SHA-256, as browsers make them. */
export function newCertificate(nowMs: number): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const algorithm = der(tags.sequence, object(objects.ecdsaWithSha256));
  const commonName = der(tags.sequence, object(objects.commonName), der(tags.text, Buffer.from("WebRTC")));
  const name = der(tags.sequence, der(tags.set, commonName));
  const body = der(
    tags.sequence,
    der(tags.version, der(tags.integer, Buffer.from([2]))),
    der(tags.integer, serialNumber()),
    algorithm,
    name,
    der(tags.sequence, time(nowMs - validMs.before), time(nowMs + validMs.after)),
    name,
    publicKey.export({ format: "der", type: "spki" }),
  );
  const signature = der(tags.bits, Buffer.from([0]), sign("sha256", body, privateKey));
  const certificate = der(tags.sequence, body, algorithm, signature);
  return {
    certificatePem: pem("CERTIFICATE", certificate),
    keyPem: pem("PRIVATE KEY", privateKey.export({ format: "der", type: "pkcs8" })),
    fingerprint: { algorithm: "sha-256", value: colons(createHash("sha256").update(certificate).digest("hex")) },
  };
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const octets = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...octets]), content]);
}

function object(hex: string): Buffer {
  return der(tags.object, Buffer.from(hex, "hex"));
}

function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+/g, "");
  return der(tags.time, Buffer.from(digits));
}

/** Positive, and without leading zeros (RFC 5280 s4.1.2.2). */
function serialNumber(): Buffer {
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  return serial;
}

function pem(label: string, content: Buffer): string {
  const lines = content.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

function colons(hex: string): string {
  return (hex.toUpperCase().match(/../g) ?? []).join(":");
}
