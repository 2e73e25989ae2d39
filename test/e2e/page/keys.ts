// End-to-end encryption in the page: the person's identity, and what a client tells others of keys.
import type { MatrixClient } from "matrix-js-sdk";
import { ClientEvent } from "matrix-js-sdk/lib/client.js";
import { type CryptoApi, OnlySignedDevicesIsolationMode } from "matrix-js-sdk/lib/crypto-api/index.js";
import { MatrixError } from "matrix-js-sdk/lib/http-api/errors.js";
import type { UIAuthCallback } from "matrix-js-sdk/lib/interactive-auth.js";
import type { ClientEncryption } from "./api.ts";

export class Keys {
  /** Types of the to-device messages that came. */
  readonly received: string[] = [];
  readonly #client: MatrixClient;
  readonly #password: string;

  private constructor(client: MatrixClient, password: string) {
    this.#client = client;
    this.#password = password;
    client.on(ClientEvent.ToDeviceEvent, (event) => this.received.push(event.getType()));
  }

  /** Of a client that is not started yet. */
  static async of(client: MatrixClient, encryption: ClientEncryption, password: string): Promise<Keys> {
    const keys = new Keys(client, password);
    if (encryption === "none") return keys;
    await client.initRustCrypto({ useIndexedDB: false });
    if (encryption === "signed") keys.#crypto().setDeviceIsolationMode(new OnlySignedDevicesIsolationMode());
    return keys;
  }

  /**
   * As Element's "Reset your identity", and as what it does after the first login. The client is started. An answer that
   * tells of the old identity may come in between, and undo it: the client may ask for another one then.
   */
  async newIdentity(): Promise<void> {
    const authUploadDeviceSigningKeys = this.#byPassword;
    await this.#crypto().bootstrapCrossSigning({ setupNewCrossSigning: true, authUploadDeviceSigningKeys });
  }

  /** It may speak to devices that are signed: its own is one. */
  async isVerified(): Promise<boolean> {
    const device = this.#client.getDeviceId() ?? "";
    const status = await this.#crypto().getDeviceVerificationStatus(this.#client.getSafeUserId(), device);
    return status?.crossSigningVerified === true;
  }

  /** What is sent next in the room is encrypted with a new key. */
  async discardKey(roomId: string): Promise<void> {
    await this.#crypto().forceDiscardSession(roomId);
  }

  async deviceIdsOf(userId: string): Promise<string[]> {
    const found = await this.#client.getCrypto()?.getUserDeviceInfo([userId], true);
    return [...(found?.get(userId)?.keys() ?? [])];
  }

  /** Element encrypts the rooms of people who have keys. */
  async has(userId: string): Promise<boolean> {
    return (await this.deviceIdsOf(userId)).length > 0;
  }

  async askFor(userId: string, wanted: { readonly roomId: string; readonly sessionId: string }): Promise<void> {
    const body = { algorithm: "m.megolm.v1.aes-sha2", room_id: wanted.roomId, session_id: wanted.sessionId };
    const request = { action: "request", request_id: "1", requesting_device_id: this.#client.getDeviceId() };
    for (const [type, content] of [
      ["m.room_key_request", { ...request, body }],
      ["m.secret.request", { ...request, name: "m.cross_signing.self_signing" }],
    ] as const) {
      await this.#client.sendToDevice(type, new Map([[userId, new Map([["*", content]])]]));
    }
  }

  #crypto(): CryptoApi {
    const crypto = this.#client.getCrypto();
    if (crypto === undefined) throw new Error("this client has no encryption");
    return crypto;
  }

  readonly #byPassword: UIAuthCallback<void> = async (request) => {
    try {
      await request(null);
    } catch (error) {
      if (!(error instanceof MatrixError) || error.httpStatus !== 401) throw error;
      const identifier = { type: "m.id.user", user: this.#client.getSafeUserId() };
      const session: unknown = error.data["session"];
      await request({
        type: "m.login.password",
        identifier,
        password: this.#password,
        ...(typeof session === "string" && { session }),
      });
    }
  };
}
