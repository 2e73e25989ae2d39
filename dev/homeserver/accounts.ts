// Who exists here: people, ghosts and the senders of application services, with their
// devices, access tokens, profile, filters and account data. Passwords live in memory
// as they came, like all else on this server.
import { randomBytes } from "node:crypto";
import type { JsonObject } from "./http/json.ts";
import { MatrixError } from "./http/matrix-error.ts";
import type { Stream } from "./sync/stream.ts";

type AccountDataEntry = { readonly content: JsonObject; readonly position: number };

export type Device = {
  readonly deviceId: string;
  displayName: string | undefined;
};

export class Account {
  readonly userId: string;
  readonly localpart: string;
  password: string | undefined;
  displayname: string | undefined;
  avatarUrl: string | undefined;
  readonly devices = new Map<string, Device>();
  readonly filters: JsonObject[] = [];
  readonly #accountData = new Map<string, Map<string, AccountDataEntry>>();

  constructor(userId: string, localpart: string) {
    this.userId = userId;
    this.localpart = localpart;
    this.displayname = localpart;
  }

  /** `roomId` is "" for the account data of the whole account. */
  putAccountData(roomId: string, type: string, content: JsonObject, position: number): void {
    const entries = this.#accountData.get(roomId) ?? new Map<string, AccountDataEntry>();
    this.#accountData.set(roomId, entries.set(type, { content, position }));
  }

  accountData(roomId: string, type: string): JsonObject | undefined {
    return this.#accountData.get(roomId)?.get(type)?.content;
  }

  accountDataSince(roomId: string, position: number): { type: string; content: JsonObject }[] {
    return [...(this.#accountData.get(roomId) ?? [])]
      .filter(([, entry]) => entry.position > position)
      .map(([type, { content }]) => ({ type, content }));
  }

  putDevice(deviceId: string, displayName: string | undefined): "created" | "updated" {
    const device = this.devices.get(deviceId);
    if (!device) this.devices.set(deviceId, { deviceId, displayName });
    else if (displayName !== undefined) device.displayName = displayName;
    return device ? "updated" : "created";
  }
}

export type Session = { readonly account: Account; readonly deviceId: string };

export class Accounts {
  readonly domain: string;
  readonly #stream: Stream;
  readonly #accounts = new Map<string, Account>();
  readonly #sessions = new Map<string, Session>();

  constructor(domain: string, stream: Stream) {
    this.domain = domain;
    this.#stream = stream;
  }

  userIdOf(localpart: string): string {
    return `@${localpart}:${this.domain}`;
  }

  isLocal(userId: string): boolean {
    return userId.endsWith(`:${this.domain}`);
  }

  get size(): number {
    return this.#accounts.size;
  }

  find(userId: string): Account | undefined {
    return this.#accounts.get(userId);
  }

  /** Throws M_USER_IN_USE. */
  create(localpart: string, password?: string): Account {
    const userId = this.userIdOf(localpart);
    if (this.#accounts.has(userId)) {
      throw new MatrixError(400, "M_USER_IN_USE", "User ID already taken.");
    }
    const account = new Account(userId, localpart);
    account.password = password;
    this.#accounts.set(userId, account);
    return account;
  }

  openSession(account: Account, deviceId = newDeviceId(), displayName?: string) {
    account.putDevice(deviceId, displayName);
    const accessToken = `dev_${randomBytes(24).toString("base64url")}`;
    this.#sessions.set(accessToken, { account, deviceId });
    return { accessToken, deviceId };
  }

  session(accessToken: string): Session | undefined {
    return this.#sessions.get(accessToken);
  }

  /** Ends the sessions of one device, or of all where none is named. */
  closeSessions(account: Account, deviceId?: string): void {
    for (const [token, session] of this.#sessions) {
      const isMeant = deviceId === undefined || session.deviceId === deviceId;
      if (session.account === account && isMeant) this.#sessions.delete(token);
    }
    if (deviceId === undefined) account.devices.clear();
    else account.devices.delete(deviceId);
  }

  putAccountData(account: Account, roomId: string, type: string, content: JsonObject): void {
    account.putAccountData(roomId, type, content, this.#stream.advance());
  }
}

const newDeviceId = () => Array.from(randomBytes(10), (byte) => String.fromCharCode(65 + (byte % 26))).join("");
