// Requests to the homeserver as one of our users, through the library's client, with our rules for trying again.
import { Buffer } from "node:buffer";
import type { UserId } from "../../core/ids.ts";
import type { Clock } from "../../ports/clock.ts";
import { HomeserverError } from "../../ports/homeserver.ts";
import type { Log } from "../../ports/telemetry.ts";
import { failureOf, type RequestFailure } from "./request-failure.ts";

/** The part of matrix-appservice-bridge's Intent that is used: who it is, and its client. */
export interface OwnUser {
  ensureRegistered(forceRegister?: boolean): Promise<unknown>;
  readonly matrixClient: {
    doRequest(
      method: "GET" | "POST" | "PUT",
      endpoint: string,
      query: Record<string, string> | null,
      body: unknown,
      timeoutMs?: number,
      raw?: boolean,
      contentType?: string,
    ): Promise<unknown>;
  };
}

export interface MatrixRequest {
  readonly method: "GET" | "POST" | "PUT";
  /** After `/_matrix/client/`, its parts not yet escaped. */
  readonly path: readonly string[];
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/**
 * When a failed request is made again: `repeatable` after every transient failure, `unsent` only where the homeserver
 * cannot have acted on it, `never` not at all.
 */
export interface Patience {
  readonly again: "repeatable" | "unsent" | "never";
  readonly giveUpAfterMs: number;
}

const firstDelayMs = 250;
const longestDelayMs = 5_000;
/** One attempt; a homeserver under load answers a send within seconds. */
const attemptTimeoutMs = 20_000;

export class HomeserverClient {
  readonly #userOf: (user: UserId) => OwnUser;
  readonly #clock: Clock;
  readonly #log: Log;
  /** Ends the waits between attempts. */
  readonly #wakers = new Set<() => void>();
  #stopped = false;

  constructor(userOf: (user: UserId) => OwnUser, clock: Clock, log: Log) {
    this.#userOf = userOf;
    this.#clock = clock;
    this.#log = log;
  }

  /** The answer's JSON. Throws HomeserverError. */
  request(as: UserId, request: MatrixRequest, patience: Patience): Promise<unknown> {
    const endpoint = `/_matrix/client/${request.path.map(encodeURIComponent).join("/")}`;
    return this.attempt(patience, () =>
      // The client writes the masquerade into the query it is given, so each attempt gets its own.
      this.#userOf(as).matrixClient.doRequest(
        request.method,
        endpoint,
        { ...request.query },
        request.body ?? null,
        Math.min(attemptTimeoutMs, patience.giveUpAfterMs),
      ),
    );
  }

  /** The answer to a file for the media repository. Throws HomeserverError. */
  upload(as: UserId, bytes: Uint8Array, type: string, patience: Patience): Promise<unknown> {
    const { matrixClient } = this.#userOf(as);
    const body = Buffer.from(bytes);
    const path = "/_matrix/media/v3/upload";
    return this.attempt(patience, () =>
      matrixClient.doRequest("POST", path, {}, body, patience.giveUpAfterMs, false, type),
    );
  }

  /** Makes sure that the user exists; registered already is success. Throws HomeserverError. */
  async register(user: UserId, patience: Patience): Promise<void> {
    await this.attempt(patience, () => this.#userOf(user).ensureRegistered(true));
  }

  /** Runs `work` until it succeeds, patience ends or trying again cannot help. Throws HomeserverError. */
  async attempt<T>(patience: Patience, work: () => Promise<T>): Promise<T> {
    const giveUpAtMs = this.#clock.nowMs() + patience.giveUpAfterMs;
    for (let failures = 0; ; failures++) {
      let failure: RequestFailure;
      try {
        return await work();
      } catch (cause) {
        failure = failureOf(cause);
      }
      const delayMs = failure.retryAfterMs ?? Math.min(firstDelayMs * 2 ** failures, longestDelayMs);
      const again = patience.again === "repeatable" || (patience.again === "unsent" && failure.unsent);
      if (this.#stopped || !again || !failure.error.transient || this.#clock.nowMs() + delayMs > giveUpAtMs) {
        throw failure.error;
      }
      this.#log.debug("retrying a request to the homeserver", { code: failure.error.code, delayMs });
      await this.#wait(delayMs);
    }
  }

  /** Attempts that wait to be made again are made at once, and for the last time. */
  stop(): void {
    this.#stopped = true;
    for (const wake of this.#wakers) wake();
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        this.#wakers.delete(done);
        resolve();
      };
      const cancel = this.#clock.at(this.#clock.nowMs() + delayMs, done);
      this.#wakers.add(done);
    });
  }
}

/** For answers that are not what the specification promises. */
export function badAnswer(what: string): HomeserverError {
  return new HomeserverError("BAD_ANSWER", `the homeserver's answer to ${what} makes no sense`, false);
}
