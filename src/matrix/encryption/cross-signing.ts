// The cross-signing identity of a user of ours, derived from the bridge's secret: the same after each restart, so that
// nobody is told that a number has changed who it is (client-server API, "Cross-signing").
import { createPrivateKey, createPublicKey, hkdfSync, type KeyObject, sign } from "node:crypto";
import type { UserId } from "../../core/ids.ts";
import { canonical } from "./canonical-json.ts";

interface Signable {
  readonly signatures?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

interface PublicKey extends Signable {
  readonly user_id: UserId;
  readonly usage: readonly string[];
  readonly keys: Readonly<Record<string, string>>;
}

/** Before 32 bytes of a seed it makes an ed25519 private key (RFC 8410 s7). */
const keyHead = Buffer.from("302e020100300506032b657004220420", "hex");

export class Identity {
  /** The body of `/keys/device_signing/upload`. */
  readonly published: Readonly<Record<"master_key" | "self_signing_key" | "user_signing_key", PublicKey>>;
  /** Of the master key. */
  readonly id: string;
  readonly #user: UserId;
  readonly #selfSigning: SigningKey;

  constructor(secret: Uint8Array, user: UserId) {
    this.#user = user;
    const part = (usage: string): Part => {
      const key = deriveKey(secret, user, usage);
      return { key, object: { user_id: user, usage: [usage], keys: { [key.id]: key.publicKey } } };
    };
    const [master, selfSigning, userSigning] = [part("master"), part("self_signing"), part("user_signing")];
    this.id = master.key.id;
    this.#selfSigning = selfSigning.key;
    this.published = {
      master_key: master.object,
      self_signing_key: signed(selfSigning.object, user, master.key),
      user_signing_key: signed(userSigning.object, user, master.key),
    };
  }

  /** A device of the user as it is published, signed as the user's own: nobody ever sees it without. */
  signed<Device extends object>(device: Device): Device {
    return signed(device, this.#user, this.#selfSigning);
  }
}

interface SigningKey {
  readonly id: string;
  readonly publicKey: string;
  readonly privateKey: KeyObject;
}

interface Part {
  readonly key: SigningKey;
  readonly object: PublicKey;
}

function deriveKey(secret: Uint8Array, user: UserId, usage: string): SigningKey {
  const seed = Buffer.from(hkdfSync("sha256", secret, user, `matrix-appservice-sip cross-signing ${usage}`, 32));
  const privateKey = createPrivateKey({ key: Buffer.concat([keyHead, seed]), format: "der", type: "pkcs8" });
  const publicKey = base64(createPublicKey(privateKey).export({ format: "der", type: "spki" }).subarray(-32));
  return { id: `ed25519:${publicKey}`, publicKey, privateKey };
}

/** With one signature more (Matrix spec, appendix "Signing JSON"). */
function signed<Thing extends object & Signable>(thing: Thing, user: UserId, key: SigningKey): Thing {
  const { signatures = {}, ...bare } = { unsigned: undefined, ...thing };
  const signature = base64(sign(null, Buffer.from(canonical(bare)), key.privateKey));
  return { ...thing, signatures: { ...signatures, [user]: { ...signatures[user], [key.id]: signature } } };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64").replace(/=+$/, "");
}
