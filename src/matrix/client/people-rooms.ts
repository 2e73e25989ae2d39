// What is done in the name of people, with the token of the second registration: joining the rooms of numbers that call
// them, and noting those as direct. That token could do anything for anybody of the homeserver; it stays inside this class,
// which has no other request to make.
import { z } from "zod";
import { domainOf, type RoomId, type UserId } from "../../core/ids.ts";
import type { Clock } from "../../ports/clock.ts";
import { HomeserverError, type PeopleRooms } from "../../ports/homeserver.ts";
import type { Log } from "../../ports/telemetry.ts";
import { Connections } from "../http/connections.ts";
import { HomeserverClient, type Patience } from "./homeserver-client.ts";
import { failureOf } from "./request-failure.ts";

export interface PeopleRoomsOptions {
  /** Base address of the client-server API, without `/_matrix`. */
  readonly url: string;
  readonly domain: string;
  /** `as_token` of the registration for people. */
  readonly token: string;
  /** Nobody else's rooms are touched. */
  readonly people: Pick<ReadonlySet<UserId>, "has">;
  readonly clock: Clock;
  readonly log: Log;
}

/** The telephone rings on: what takes longer is better done in another way. */
const joinPatience: Patience = { again: "repeatable", giveUpAfterMs: 2_000 };
const notePatience: Patience = { again: "repeatable", giveUpAfterMs: 20_000 };

/** `m.direct`: by user, the rooms. */
const directForm = z.record(z.string(), z.unknown());
const roomsForm = z.array(z.string());

/** Nothing without a token. */
export function openPeopleRooms(
  token: string | undefined,
  options: Omit<PeopleRoomsOptions, "token">,
): HttpPeopleRooms | undefined {
  return token === undefined ? undefined : new HttpPeopleRooms({ ...options, token });
}

export class HttpPeopleRooms implements PeopleRooms {
  readonly #connections: Connections;
  readonly #client: HomeserverClient;
  readonly #options: Omit<PeopleRoomsOptions, "token">;
  /** Of each person, the last note being made: two at once would lose one. */
  readonly #notes = new Map<UserId, Promise<void>>();

  constructor({ token, ...options }: PeopleRoomsOptions) {
    this.#options = options;
    this.#connections = new Connections(options.url, token);
    this.#client = new HomeserverClient(this.#connections, undefined, options.clock, options.log);
  }

  covers(person: UserId): boolean {
    const { people, domain } = this.#options;
    return people.has(person) && domainOf(person) === domain;
  }

  async joinDirect(room: RoomId, person: UserId, ghost: UserId): Promise<void> {
    if (!this.covers(person)) throw new HomeserverError("NOT_COVERED", "no number rings this person", false);
    const path = ["v3", "rooms", room, "join"];
    await this.#client.request(person, { method: "POST", path, body: {} }, joinPatience);
    this.#note(room, person, ghost);
  }

  /** Resolves when nothing is being noted any more. */
  async stop(): Promise<void> {
    this.#client.stop();
    await Promise.all(this.#notes.values());
    await this.#connections.close();
  }

  /** In the background: the call does not wait for how a client sorts its rooms. */
  #note(room: RoomId, person: UserId, ghost: UserId): void {
    const noted = (this.#notes.get(person) ?? Promise.resolve())
      .then(() => this.#addDirect(room, person, ghost))
      .catch((error: unknown) =>
        this.#options.log.warn("could not mark a room as direct", {
          room,
          person,
          code: failureOf(error).error.code,
        }),
      )
      .finally(() => {
        if (this.#notes.get(person) === noted) this.#notes.delete(person);
      });
    this.#notes.set(person, noted);
  }

  /** Adds to what is there. What makes no sense is left alone: it is the person's. */
  async #addDirect(room: RoomId, person: UserId, ghost: UserId): Promise<void> {
    const path = ["v3", "user", person, "account_data", "m.direct"];
    const direct = directForm.parse(await this.#directOf(person, path));
    const rooms = roomsForm.parse(direct[ghost] ?? []);
    if (rooms.includes(room)) return;
    const body = { ...direct, [ghost]: [...rooms, room] };
    await this.#client.request(person, { method: "PUT", path, body }, notePatience);
  }

  async #directOf(person: UserId, path: readonly string[]): Promise<unknown> {
    try {
      return await this.#client.request(person, { method: "GET", path }, notePatience);
    } catch (cause) {
      const { error } = failureOf(cause);
      if (error.code !== "M_NOT_FOUND") throw error;
      return {};
    }
  }
}
