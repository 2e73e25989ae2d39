// The keys that a user of ours was given, kept by the homeserver, encrypted for the bridge alone (client-server API,
// "Server-side key backups"). So what was sent for a device that is gone can still be read: after a restart, or when the
// crypto worker has died.
import { hkdfSync } from "node:crypto";
import { z } from "zod";
import type { RoomId, UserId } from "../../core/ids.ts";
import { HomeserverError } from "../../ports/homeserver.ts";
import type { Log } from "../../ports/telemetry.ts";
import type { MatrixRequest } from "../client/homeserver-client.ts";
import type { WorkerLink } from "./worker-link.ts";

export interface KeyBackupParts {
  readonly user: UserId;
  readonly secret: Uint8Array;
  readonly link: WorkerLink;
  readonly request: (request: MatrixRequest) => Promise<unknown>;
  readonly log: Log;
}

const versionForm = z.object({ version: z.string(), auth_data: z.object({ public_key: z.string() }) });
const madeForm = z.object({ version: z.string() });
const sessionForm = z.object({ session_data: z.record(z.string(), z.unknown()) });

export class KeyBackup {
  readonly #parts: KeyBackupParts;
  /** undefined: there is none. */
  readonly #version: Promise<string | undefined>;
  readonly #asked = new Set<string>();
  #saving: Promise<void> = Promise.resolve();

  constructor(parts: KeyBackupParts) {
    this.#parts = parts;
    this.#version = this.#open().catch((error: unknown) => {
      parts.log.warn("a number's keys are not backed up", { user: parts.user, error });
      return undefined;
    });
  }

  /** What the machine was given lately. Never rejects. */
  save(): void {
    this.#saving = this.#saving
      .then(() => this.#save())
      .catch((error: unknown) => {
        this.#parts.log.debug("could not back up a number's keys", { user: this.#parts.user, error });
      });
  }

  /** Gives the machine the key of a session, if it is there. Asks once for each. Throws CryptoError, HomeserverError. */
  async restore(room: RoomId, session: string): Promise<void> {
    const version = await this.#version;
    const name = `${room} ${session}`;
    if (version === undefined || this.#asked.has(name)) return;
    const { link, user, request } = this.#parts;
    const path = ["v3", "room_keys", "keys", room, session];
    let answer: unknown;
    try {
      answer = await request({ method: "GET", path, query: { version } });
    } catch (error) {
      if (!(error instanceof HomeserverError) || error.code !== "M_NOT_FOUND") throw error;
    }
    this.#asked.add(name);
    const data = sessionForm.safeParse(answer).data?.session_data;
    if (data === undefined) return;
    await link.ask<"restore">({ kind: "restore", user, room, session, version, data: JSON.stringify(data) });
  }

  async #open(): Promise<string> {
    const { secret, user, link, request } = this.#parts;
    const key = Buffer.from(hkdfSync("sha256", secret, user, "matrix-appservice-sip key backup", 32)).toString(
      "base64",
    );
    const publicKey = await link.ask<"backup-key">({ kind: "backup-key", user, key });
    const version = (await this.#known(publicKey)) ?? (await this.#make(publicKey, request));
    await link.ask<"back-up">({ kind: "back-up", user, publicKey, version });
    this.save();
    return version;
  }

  async #known(publicKey: string): Promise<string | undefined> {
    try {
      const answer = await this.#parts.request({ method: "GET", path: ["v3", "room_keys", "version"] });
      const found = versionForm.safeParse(answer).data;
      return found?.auth_data.public_key === publicKey ? found.version : undefined;
    } catch (error) {
      if (error instanceof HomeserverError && error.code === "M_NOT_FOUND") return undefined;
      throw error;
    }
  }

  async #make(publicKey: string, request: KeyBackupParts["request"]): Promise<string> {
    const body = { algorithm: "m.megolm_backup.v1.curve25519-aes-sha2", auth_data: { public_key: publicKey } };
    return madeForm.parse(await request({ method: "POST", path: ["v3", "room_keys", "version"], body })).version;
  }

  async #save(): Promise<void> {
    const { user, link, request } = this.#parts;
    const wanted = await link.ask<"unsaved">({ kind: "unsaved", user });
    if (wanted === null) return;
    const { id, version } = wanted;
    const body = JSON.parse(wanted.body) as unknown;
    const answer = await request({ method: "PUT", path: ["v3", "room_keys", "keys"], query: { version }, body });
    await link.ask<"answered">({
      kind: "answered",
      user,
      request: id,
      of: "keys-backup",
      body: JSON.stringify(answer),
    });
  }
}
