// What the `run` command needs of the bridge. src/app.ts implements it.
import type { Registration } from "../config/registration/registration.ts";
import type { Config } from "../config/schema/schema.ts";

export interface BridgeOptions {
  readonly config: Config;
  readonly registration: Registration;
  /** With which people are joined to rooms; undefined where the configuration does not want that. */
  readonly peopleToken: string | undefined;
  /** Of which the identities of the bridge's users are made; undefined where the configuration does not want them. */
  readonly encryptionSecret: Uint8Array | undefined;
  /** Instead of `appservice.listen.port`. */
  readonly port: number | undefined;
  /** Of this package. */
  readonly version: string;
}

export interface RunningBridge {
  /**
   * Rejects if this configuration can never work with the homeserver, and with StoreError if another bridge has taken the
   * database over. Never resolves.
   */
  readonly refused: Promise<never>;
  /** Begins no more calls, and resolves when the last one has ended; those that are left after `withinMs` are ended. */
  drain(withinMs: number): Promise<unknown>;
  /** Ends calls, closes everything; resolves when nothing is left. */
  stop(): Promise<void>;
}

/** Resolves when the bridge serves. Rejects if it cannot: with ConfigError where a setting is to blame. */
export type StartBridge = (options: BridgeOptions) => Promise<RunningBridge>;
