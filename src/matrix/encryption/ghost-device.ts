// The device of one user of ours, under which it has keys. It lives in the crypto worker's memory: after a restart, or when
// the worker has died, the user gets a new one, signed by the same identity, and the homeserver forgets the old one.
import type { RoomId, UserId } from "../../core/ids.ts";
import type { Clock } from "../../ports/clock.ts";
import { HomeserverError } from "../../ports/homeserver.ts";
import type { Log } from "../../ports/telemetry.ts";
import type { DeviceAccess, HomeserverClient, MatrixRequest, Patience } from "../client/homeserver-client.ts";
import type { PushedNews } from "../wire/pushed-news.ts";
import { Identity } from "./cross-signing.ts";
import type { CryptoWorker } from "./crypto-worker.ts";
import { DeviceMail } from "./device-mail.ts";
import type { DeviceMaker } from "./device-maker.ts";
import type { Identities } from "./identities.ts";
import { KeyBackup } from "./key-backup.ts";
import type { HearLetter, DeviceNews, MachineRequest, Opened } from "./protocol.ts";
import type { Pushing } from "./pushing.ts";
import { CryptoError, type WorkerLink } from "./worker-link.ts";

export interface GhostDeviceParts {
  readonly client: HomeserverClient;
  readonly worker: CryptoWorker;
  readonly maker: DeviceMaker;
  readonly identities: Identities;
  readonly secret: Uint8Array;
  /** Synapse gives an application service's own user no `/sync`, with a token of its device neither. */
  readonly sender: UserId;
  readonly pushing: Pushing;
  /** A message that was for its device alone. */
  readonly deliver: HearLetter;
  readonly clock: Clock;
  readonly log: Log;
}

/** What is known of a device that has its keys at the homeserver. */
interface Ready {
  readonly access: DeviceAccess;
  readonly identity: Identity;
  /** The worker that holds its machine. */
  readonly link: WorkerLink;
  readonly mail: DeviceMail;
  readonly backup: KeyBackup;
}

type State =
  | { readonly kind: "none" }
  | { readonly kind: "making"; readonly made: Promise<Ready> }
  | { readonly kind: "ready"; readonly device: Ready }
  /** Not tried again before. */
  | { readonly kind: "failed"; readonly error: Error; readonly untilMs: number };

/** A call waits. */
const patience: Patience = { again: "repeatable", giveUpAfterMs: 10_000 };
/** A homeserver that gives no device does not think better of it soon. */
const failedForMs = 60_000;
/** Requests may make further ones necessary; a machine that always wants more is broken. */
const mostRounds = 6;
/** Whoever is sent more than this many answers hold is sent it by somebody who wants to keep the bridge busy. */
const mostAnswers = 10;

export class GhostDevice {
  readonly user: UserId;
  readonly #parts: GhostDeviceParts;
  #state: State = { kind: "none" };
  #madeAtMs = 0;
  #usedAtMs = 0;
  /** What changes the machine goes one after the other: between sharing a room's key and using it nothing may come. */
  #turn: Promise<unknown> = Promise.resolve();
  /** What was pushed is on its way to the machine. */
  #arriving: Promise<unknown> | undefined;

  constructor(user: UserId, parts: GhostDeviceParts) {
    this.user = user;
    this.#parts = parts;
  }

  /** When it got its device, by the machine's clock; 0: it has had none yet. */
  get madeAtMs(): number {
    return this.#madeAtMs;
  }

  /** When it was last needed, on the clock that only goes forward. */
  get usedAtMs(): number {
    return this.#usedAtMs;
  }

  /** Gives its memory back. The next need makes a new device. Never rejects. */
  async forget(): Promise<void> {
    const state = this.#state;
    this.#state = { kind: "none" };
    if (state.kind !== "ready" || !state.device.link.isRunning) return;
    await state.device.link.ask<"forget">({ kind: "forget", user: this.user }).catch(() => undefined);
  }

  /** Makes sure that it has a device with keys. Throws CryptoError, HomeserverError. */
  async prepare(): Promise<void> {
    await this.#ready();
  }

  /** What a room event holds. Throws as `prepare`. */
  async open(room: RoomId, event: string): Promise<Opened> {
    const { link } = await this.#ready();
    const open = (): Promise<Opened> => link.ask<"decrypt">({ kind: "decrypt", user: this.user, room, event });
    const opened = await open();
    if (opened.kind !== "no-key" || this.#arriving === undefined) return opened;
    await this.#arriving;
    return open();
  }

  /** Takes what a transaction tells it. What is asked of it afterwards finds it known. Never rejects. */
  push(news: PushedNews): void {
    const state = this.#state;
    // Nobody has written to a device that there is not.
    if (state.kind !== "ready" && state.kind !== "making") return;
    if (news.messages.some(({ user }) => user === this.user)) this.#usedAtMs = this.#parts.clock.nowMs();
    const made = state.kind === "making" ? state.made : Promise.resolve(state.device);
    const arriving = made
      .then((device) => this.#inTurn(() => this.#takePushed(device, news)))
      .catch((error: unknown) => {
        this.#parts.log.debug("a number could not take what was pushed to it", { user: this.user, error });
      })
      .finally(() => {
        if (this.#arriving === arriving) this.#arriving = undefined;
      });
    this.#arriving = arriving;
  }

  /** Fetches the keys that were sent to it, and that of this session if an earlier device was given it. Throws as `prepare`. */
  async fetch(room: RoomId, session: string): Promise<void> {
    const device = await this.#ready();
    await Promise.all([this.#inTurn(() => this.#pull(device)), device.backup.restore(room, session)]);
  }

  /** Of its device. Throws as `prepare`. */
  async id(): Promise<string> {
    return (await this.#ready()).access.id;
  }

  /** Sends something to one device of a user, for nobody else to read. Throws as `prepare`. */
  async write(to: UserId, target: string, type: string, content: object): Promise<void> {
    const device = await this.#ready();
    const { link } = device;
    const { user } = this;
    await this.#inTurn(async () => {
      await this.#meet(device, [to], type);
      const text = JSON.stringify(content);
      const sealed = await link.ask<"write">({ kind: "write", user, to, device: target, type, content: text });
      if (sealed === null) throw new CryptoError("the person has no such device", false);
      const path = ["v3", "sendToDevice", "m.room.encrypted", this.#parts.clock.newId()];
      const body = { messages: { [to]: { [target]: JSON.parse(sealed) as unknown } } };
      await this.#request({ method: "PUT", path, body, device: device.access });
    });
  }

  /** Letters that were not pushed. Throws as `prepare`. */
  async fetchLetters(): Promise<void> {
    const device = await this.#ready();
    await this.#inTurn(() => this.#pull(device));
  }

  /** Encrypts for the devices of these users. Throws as `prepare`. */
  async seal(room: RoomId, users: readonly UserId[], type: string, content: unknown): Promise<unknown> {
    const device = await this.#ready();
    const { link } = device;
    const { user } = this;
    return this.#inTurn(async () => {
      await this.#meet(device, users, type);
      for (const request of await link.ask<"share">({ kind: "share", user, room, users })) {
        await this.#carryOut(device, request);
      }
      const sealed = await link.ask<"encrypt">({ kind: "encrypt", user, room, type, content: JSON.stringify(content) });
      return JSON.parse(sealed) as unknown;
    });
  }

  /** Makes sure that there is a session with each of their devices. */
  async #meet(device: Ready, users: readonly UserId[], type: string): Promise<void> {
    const { user } = this;
    const { link, mail } = device;
    if (!mail.isFreshFor(type)) await this.#pull(device);
    const saved = mail.saved();
    if (saved !== undefined) await this.#receive(device, saved);
    await link.ask<"track">({ kind: "track", user, users });
    await this.#flush(device);
    const claim = await link.ask<"claim">({ kind: "claim", user, users });
    if (claim !== null) await this.#carryOut(device, claim);
  }

  #ready(): Promise<Ready> {
    const state = this.#state;
    this.#usedAtMs = this.#parts.clock.nowMs();
    if (state.kind === "making") return state.made;
    if (state.kind === "ready" && state.device.link.isRunning) return Promise.resolve(state.device);
    if (state.kind === "failed" && this.#parts.clock.nowMs() < state.untilMs) return Promise.reject(state.error);
    const made = this.#make();
    this.#state = { kind: "making", made };
    made.then(
      (device) => {
        this.#state = { kind: "ready", device };
      },
      (error: Error) => {
        const lasts = error instanceof HomeserverError && !error.transient;
        this.#state = lasts
          ? { kind: "failed", error, untilMs: this.#parts.clock.nowMs() + failedForMs }
          : { kind: "none" };
      },
    );
    return made;
  }

  async #make(): Promise<Ready> {
    const { user } = this;
    const { worker, maker, identities, secret, pushing, sender, clock, log } = this.#parts;
    const { link } = worker;
    if (link === undefined) throw new CryptoError("there is no crypto worker at the moment", true);
    const startedMs = clock.nowMs();
    const identity = new Identity(secret, user);
    const [access] = await Promise.all([
      maker.make(user, clock.newId().slice(0, 12)),
      identities.publish(user, identity),
    ]);
    await link.ask<"make">({ kind: "make", user, device: access.id });
    const request = (one: MatrixRequest): Promise<unknown> => this.#request({ ...one, device: access });
    const backup = new KeyBackup({ user, secret, link, request, log });
    const mail = new DeviceMail({ user, device: access.id, pushing, isFetched: user !== sender, request, clock });
    const device: Ready = { access, identity, link, backup, mail };
    await this.#flush(device);
    log.info("a number has keys", { user, device: access.id, ms: Math.round(clock.nowMs() - startedMs) });
    this.#madeAtMs = clock.wallMs();
    void maker.tidy(user, access);
    return device;
  }

  async #pull(device: Ready): Promise<void> {
    for (let count = 0; count < mostAnswers; count++) {
      await this.#receive(device, await device.mail.pull());
      if (!device.mail.isBehind) break;
    }
    await this.#flush(device);
  }

  async #takePushed(device: Ready, news: PushedNews): Promise<void> {
    const ours = device.mail.push(news);
    if (ours === undefined) return;
    await this.#receive(device, ours);
    // Whoever waits for a key need not wait for this.
    void this.#inTurn(() => this.#flush(device)).catch((error: unknown) => {
      this.#parts.log.debug("a number could not renew its keys", { user: this.user, error });
    });
  }

  async #receive({ link, backup }: Ready, news: DeviceNews): Promise<void> {
    const letters = await link.ask<"receive">({ kind: "receive", user: this.user, news });
    for (const letter of letters) this.#parts.deliver(this.user, letter);
    if (news.events.length > 0) backup.save();
  }

  /** Makes the requests that the machine wants made. */
  async #flush(device: Ready): Promise<void> {
    for (let round = 0; round < mostRounds; round++) {
      const requests = await device.link.ask<"outgoing">({ kind: "outgoing", user: this.user });
      if (requests.length === 0) return;
      for (const request of requests) await this.#carryOut(device, request);
    }
  }

  async #carryOut(device: Ready, request: MachineRequest): Promise<void> {
    const answer = await this.#request({
      ...this.#door(request),
      body: bodyOf(request, device),
      device: device.access,
    });
    if (request.id === undefined) return;
    await device.link.ask<"answered">({
      kind: "answered",
      user: this.user,
      request: request.id,
      of: request.kind,
      body: JSON.stringify(answer),
    });
  }

  #door({ kind, eventType = "", transaction = "" }: MachineRequest): Pick<MatrixRequest, "method" | "path"> {
    switch (kind) {
      case "keys-upload":
        return { method: "POST", path: ["v3", "keys", "upload"] };
      case "keys-query":
        return { method: "POST", path: ["v3", "keys", "query"] };
      case "keys-claim":
        return { method: "POST", path: ["v3", "keys", "claim"] };
      case "to-device":
        return { method: "PUT", path: ["v3", "sendToDevice", eventType, transaction] };
    }
  }

  async #request(request: MatrixRequest): Promise<unknown> {
    try {
      return await this.#parts.client.request(this.user, request, patience);
    } catch (error) {
      if (!(error instanceof HomeserverError) || !isForgotten(error, request.device)) throw error;
      // Somebody has deleted it.
      this.#state = { kind: "none" };
      throw new CryptoError("the homeserver has forgotten the device", true);
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work, work);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}

/** What is said to a device that there is no more: its token is no token then. */
function isForgotten({ code }: HomeserverError, device: DeviceAccess | undefined): boolean {
  return code.endsWith("M_UNKNOWN_DEVICE") || (code === "M_UNKNOWN_TOKEN" && device?.kind === "token");
}

/** What a machine says of its device goes out signed by the user. */
function bodyOf({ kind, body }: MachineRequest, { identity }: Ready): unknown {
  const wanted = JSON.parse(body) as { readonly device_keys?: object };
  const keys = kind === "keys-upload" ? wanted.device_keys : undefined;
  return keys === undefined ? wanted : { ...wanted, device_keys: identity.signed(keys) };
}
