// How messages to webhooks are signed (Standard Webhooks, https://www.standardwebhooks.com).
import { createHmac } from "node:crypto";

/** The key in a secret, which is written `whsec_` and base64. */
export function webhookKey(secret: string): Buffer {
  return Buffer.from(secret.replace(/^whsec_/, ""), "base64");
}

/** What a message is sent with. `atMs`: of this attempt, ms since the epoch. */
export function signedHeaders(key: Buffer, { id, body, atMs }: { id: string; body: string; atMs: number }) {
  const timestamp = String(Math.floor(atMs / 1_000));
  const signature = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": `v1,${signature}` };
}
