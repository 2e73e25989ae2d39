// Takes the keys of a MatrixRTC session to LiveKit's frame encryption, under the names that the media server knows people by.
import { BaseKeyProvider, type E2EEOptions } from "livekit-client";
import E2eeWorker from "livekit-client/e2ee-worker?worker";
import { type MatrixRTCSession, MatrixRTCSessionEvent } from "matrix-js-sdk/lib/matrixrtc/index.js";

class FrameKeys extends BaseKeyProvider {
  constructor() {
    super({ ratchetWindowSize: 10, keyringSize: 256 });
  }

  async set(secret: Uint8Array<ArrayBuffer>, identity: string, index: number): Promise<void> {
    const key = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveBits", "deriveKey"]);
    this.onSetEncryptionKey(key, identity, index);
  }
}

export function encryptFrames(session: MatrixRTCSession): E2EEOptions {
  const keyProvider = new FrameKeys();
  session.on(MatrixRTCSessionEvent.EncryptionKeyChanged, (secret, index, _member, identity) => {
    void keyProvider.set(secret, identity, index);
  });
  session.reemitEncryptionKeys();
  return { keyProvider, worker: new E2eeWorker() };
}
