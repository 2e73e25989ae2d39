// Requests to the homeserver as one of our users, with our rules for trying again.
import type { UserId } from "../../core/ids.ts";
import type { Clock } from "../../ports/clock.ts";
import { HomeserverError } from "../../ports/homeserver.ts";
import type { Log } from "../../ports/telemetry.ts";
import type { Connections, HttpRequest } from "../http/connections.ts";
import { failureIn, failureOf, type RequestFailure } from "./request-failure.ts";

/**
 * One of a user's devices: as the application service asserts it (AS API, "Identity assertion"), or by the token that it got
 * when the user was logged in on it.
 */
export type DeviceAccess =
  | { readonly kind: "asserted"; readonly id: string }
  | { readonly kind: "token"; readonly id: string; readonly token: string };

export interface MatrixRequest {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** After `/_matrix/client/`, its parts not yet escaped. */
  readonly path: readonly string[];
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** As which of the user's devices, where that matters. */
  readonly device?: DeviceAccess;
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
  readonly #connections: Connections;
  readonly #owner: UserId | undefined;
  readonly #clock: Clock;
  readonly #log: Log;
  /** Ends the waits between attempts. */
  readonly #wakers = new Set<() => void>();
  #stopped = false;

  /** @param owner whose token it is, if anybody's who makes requests: they need not say who they are */
  constructor(connections: Connections, owner: UserId | undefined, clock: Clock, log: Log) {
    this.#connections = connections;
    this.#owner = owner;
    this.#clock = clock;
    this.#log = log;
  }

  /** The answer's JSON. Throws HomeserverError. */
  request(as: UserId, { method, path, query, body, device }: MatrixRequest, patience: Patience): Promise<unknown> {
    const token = device?.kind === "token" ? device.token : undefined;
    const fields = device?.kind === "asserted" ? { ...query, device_id: device.id } : query;
    const asked = token === undefined ? this.#queryAs(as, fields) : queryOf(fields);
    const target = `/_matrix/client/${path.map(encodeURIComponent).join("/")}${asked}`;
    const content = body === undefined ? undefined : { type: "application/json", content: JSON.stringify(body) };
    const timeoutMs = Math.min(attemptTimeoutMs, patience.giveUpAfterMs);
    return this.#attempt(patience, { method, path: target, body: content, timeoutMs, token });
  }

  /** The answer to a file for the media repository. Throws HomeserverError. */
  upload(as: UserId, bytes: Uint8Array, type: string, patience: Patience): Promise<unknown> {
    const path = `/_matrix/media/v3/upload${this.#queryAs(as)}`;
    const body = { type, content: bytes };
    return this.#attempt(patience, { method: "POST", path, body, timeoutMs: patience.giveUpAfterMs });
  }

  /** Whose OpenID token it is (server-server API, "OpenID"): its answer's JSON. Throws HomeserverError. */
  openIdUserInfo(token: string, patience: Patience): Promise<unknown> {
    const path = `/_matrix/federation/v1/openid/userinfo${queryOf({ access_token: token })}`;
    return this.#attempt(patience, { method: "GET", path, timeoutMs: patience.giveUpAfterMs });
  }

  /** Makes a request until it succeeds, patience ends or trying again cannot help. Throws HomeserverError. */
  async #attempt(patience: Patience, request: HttpRequest): Promise<unknown> {
    const giveUpAtMs = this.#clock.nowMs() + patience.giveUpAfterMs;
    for (let failures = 0; ; failures++) {
      let failure: RequestFailure | undefined;
      try {
        const answer = await this.#connections.request(request);
        failure = failureIn(answer);
        if (failure === undefined) return answer.body;
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

  /** All users of an application service have its token, and say in the query who they are (AS API, "Identity assertion"). */
  #queryAs(user: UserId, query: MatrixRequest["query"] = {}): string {
    // Synapse 1.160 fails if the owner names a device of theirs and not themselves.
    const isPlain = user === this.#owner && query["device_id"] === undefined;
    return queryOf(isPlain ? query : { ...query, user_id: user });
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

function queryOf(fields: MatrixRequest["query"] = {}): string {
  const text = Object.entries(fields)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join("&");
  return text === "" ? "" : `?${text}`;
}

/** For answers that are not what the specification promises. */
export function badAnswer(what: string): HomeserverError {
  return new HomeserverError("BAD_ANSWER", `the homeserver's answer to ${what} makes no sense`, false);
}
