// The one door out: every event that a ghost or the bot sends goes through `send`. In order within a room; an event that
// is sent again after a lost answer keeps its transaction id, so that the room sees it once. What goes into an
// encrypted room is encrypted here.
import { createHash } from "node:crypto";
import type { EventId, RoomId, UserId } from "../core/ids.ts";
import type { Clock } from "../ports/clock.ts";
import type { LadderTap } from "../ports/ladders/tap.ts";
import { badAnswer, type HomeserverClient, type Patience } from "./client/homeserver-client.ts";
import { refusalTold } from "./client/refusal-told.ts";
import type { Encryption } from "./encryption/encryption.ts";
import type { Sender } from "./legs/speaker.ts";
import type { Sticking, StickySender } from "./rtc/membership/write-membership.ts";

/** Half of an invite's usual lifetime: what is later than that helps nobody, and holds up what comes after it. */
const usualPatience: Patience = { again: "repeatable", giveUpAfterMs: 30_000 };
const redactPatience: Patience = { again: "repeatable", giveUpAfterMs: 10_000 };

interface Delivery {
  /** Whatever is sent under the same name in the same room by the same user is sent once, over a restart too. */
  readonly transaction?: string;
  readonly patience?: Patience;
  /** Goes as it is into an encrypted room too: what clients look for in the clear. */
  readonly isClear?: boolean;
}

export class Outbox implements Sender, StickySender {
  readonly #client: HomeserverClient;
  readonly #clock: Clock;
  readonly #encryption: Pick<Encryption, "seal"> | undefined;
  readonly #tap: LadderTap | undefined;
  /** Of each room, and of its call, what goes there last. */
  readonly #tails = new Map<string, Promise<void>>();

  constructor(client: HomeserverClient, clock: Clock, encryption?: Pick<Encryption, "seal">, tap?: LadderTap) {
    this.#tap = tap;
    this.#client = client;
    this.#clock = clock;
    this.#encryption = encryption;
  }

  /** Gives the event's id. Throws HomeserverError. */
  async send(
    room: RoomId,
    as: UserId,
    type: string,
    content: Readonly<Record<string, unknown>>,
    delivery: Delivery = {},
  ): Promise<string> {
    return idIn(await this.inOrder(room, () => this.#put([room, as, type, content], delivery)));
  }

  async stick(...[room, as, type, content, delivery]: Parameters<StickySender["stick"]>): Promise<string> {
    return idIn(await this.inCall(room, () => this.#put([room, as, type, content], delivery)));
  }

  delay(...[room, as, type, content, delivery]: Parameters<StickySender["delay"]>): Promise<unknown> {
    return this.inCall(room, () => this.#put([room, as, type, content], delivery));
  }

  async #put(
    [room, as, type, content]: readonly [RoomId, UserId, string, Readonly<Record<string, unknown>>],
    { transaction: name, patience = usualPatience, isClear = false, stickyMs, delayMs }: Delivery & Partial<Sticking>,
  ): Promise<unknown> {
    const transaction = name === undefined ? this.#clock.newId() : transactionId(as, name);
    const query = {
      ...(stickyMs !== undefined && { "org.matrix.msc4354.sticky_duration_ms": String(stickyMs) }),
      ...(delayMs !== undefined && { "org.matrix.msc4140.delay": String(delayMs) }),
    };
    // Attempts to send are one event, encrypted once.
    const sealed = isClear ? undefined : await this.#encryption?.seal(room, as, type, content);
    const sent = sealed ?? { type, content };
    const path = ["v3", "rooms", room, "send", sent.type, transaction];
    const encrypted = sealed !== undefined;
    // What waits at the homeserver has not been said yet.
    const tap = delayMs === undefined ? this.#tap : undefined;
    const said = { way: "out", room, sender: as, type, content, id: transaction, encrypted } as const;
    tap?.matrix(said);
    return this.#client
      .request(as, { method: "PUT", path, query, body: sent.content }, patience)
      .catch(refusalTold(said, tap));
  }

  /** Takes back what `as` has sent. Repeated, it is one redaction. Throws HomeserverError. */
  async redact(room: RoomId, as: UserId, event: EventId): Promise<void> {
    const path = ["v3", "rooms", room, "redact", event, `redact${event.slice(1)}`];
    await this.inOrder(room, () => this.#client.request(as, { method: "PUT", path, body: {} }, redactPatience));
  }

  /** Something else that must come after all that was sent in the room before. */
  inOrder<T>(room: RoomId, work: () => Promise<T>): Promise<T> {
    return this.#queue(room, Promise.all([this.#lastOf(room), this.#lastOf(ofCall(room))]).then(work));
  }

  /** What a number says of its place in the room's call: it waits for no message. */
  inCall<T>(room: RoomId, work: () => Promise<T>): Promise<T> {
    const name = ofCall(room);
    return this.#queue(name, this.#lastOf(name).then(work));
  }

  #lastOf(name: string): Promise<void> {
    return this.#tails.get(name) ?? Promise.resolve();
  }

  #queue<T>(name: string, sent: Promise<T>): Promise<T> {
    const settled = sent
      .then(
        () => undefined,
        () => undefined,
      )
      .finally(() => {
        if (this.#tails.get(name) === settled) this.#tails.delete(name);
      });
    this.#tails.set(name, settled);
    return sent;
  }

  /** Resolves when nothing is being sent any more. */
  async idle(): Promise<void> {
    while (this.#tails.size > 0) await Promise.all(this.#tails.values());
  }
}

function ofCall(room: RoomId): string {
  return `${room} call`;
}

function idIn(answer: unknown): string {
  if (typeof answer !== "object" || answer === null || !("event_id" in answer)) throw badAnswer("a sent event");
  return String(answer.event_id);
}

/** Any text makes an id that fits into a path; all users of one service share theirs, so that the sender is part of it. */
function transactionId(as: UserId, name: string): string {
  return createHash("sha256").update(`${as}\n${name}`).digest("base64url");
}
