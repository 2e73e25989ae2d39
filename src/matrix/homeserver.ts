// The Homeserver port over HTTP: what the bridge orders, as requests of the client-server API.
import { z } from "zod";
import { eventId, type EventId, parseUserId, roomId, type RoomId, type UserId } from "../core/ids.ts";
import type { LegForm, OwnSide } from "../core/call/model/matrix-leg.ts";
import type { Clock } from "../ports/clock.ts";
import type { Homeserver, PingOutcome, RunningCall } from "../ports/homeserver.ts";
import type { Log } from "../ports/telemetry.ts";
import { badAnswer, type HomeserverClient, type Patience } from "./client/homeserver-client.ts";
import { openIdUser } from "./client/openid.ts";
import { askEncrypted } from "./client/room-state.ts";
import type { Encryption } from "./encryption/encryption.ts";
import type { Intake } from "./intake.ts";
import type { Outbox } from "./outbox.ts";
import { pingAnswer, pingFailure } from "./client/ping.ts";
import { failureOf } from "./client/request-failure.ts";
import { readTimeline } from "./client/timeline.ts";
import { TurnServers } from "./client/turn-servers.ts";
import { userIdText } from "./wire/envelope.ts";
import { stateMembershipType, stickyMembershipTypes } from "./wire/rtc-names.ts";
import { bothSide } from "./legs/both-form.ts";
import { legacyKind, legacySide } from "./legs/legacy-form.ts";
import { rtcKind, rtcSide } from "./legs/rtc-form.ts";
import type { Speaker } from "./legs/speaker.ts";
import type { Rtc } from "./rtc/open-rtc.ts";

export interface HomeserverParts {
  readonly domain: string;
  readonly bot: UserId;
  readonly sender: UserId;
  /** `id` of the registration, which the ping names. */
  readonly applicationService: string;
  readonly client: HomeserverClient;
  readonly intake: Intake;
  readonly outbox: Outbox;
  readonly speaker: Speaker;
  /** Calls of MatrixRTC; undefined: the bridge takes no part in them. */
  readonly rtc: Pick<Rtc, "canRing" | "problems" | "isRunningIn" | "takePlace"> | undefined;
  /** undefined: encrypted rooms are not read. */
  readonly encryption: Encryption | undefined;
  /** How many of the homeserver's pings have come in, whatever became of them. */
  readonly pingsSeen: () => number;
  readonly clock: Clock;
  readonly log: Log;
}

const repeatable: Patience = { again: "repeatable", giveUpAfterMs: 20_000 };
/** Creating a room or inviting twice is worse than not at all. */
const onlyUnsent: Patience = { again: "unsent", giveUpAfterMs: 20_000 };
/** A telephone network waits for our answer, and asks again or gives up after 32 s (RFC 3261 s17.1.2.2, Timer F). */
const textPatience: Patience = { again: "repeatable", giveUpAfterMs: 20_000 };
const receiptPatience: Patience = { again: "repeatable", giveUpAfterMs: 10_000 };
/** A number that calls for the first time waits for its picture. */
const uploadPatience: Patience = { again: "never", giveUpAfterMs: 3_000 };
/** Calls of unknown numbers wait for it, and can do without. */
const recallPatience: Patience = { again: "never", giveUpAfterMs: 2_000 };
/** A call waits for it, and the homeserver may have to ask another one. */
const profilePatience: Patience = { again: "never", giveUpAfterMs: 1_000 };
/** Whoever waits for these tries again by themselves. */
const questionPatience: Patience = { again: "never", giveUpAfterMs: 10_000 };
/** The homeserver gives itself a minute to reach us. */
const pingPatience: Patience = { again: "never", giveUpAfterMs: 70_000 };

/**
 * Whoever is in a room may take part in its calls, which are memberships in state (Element Call). What is named here takes the
 * place of what the homeserver would name itself, so that its usual levels are here too.
 */
const eventLevels = {
  "m.room.power_levels": 100,
  "m.room.history_visibility": 100,
  "m.room.encryption": 100,
  "m.room.server_acl": 100,
  "m.room.tombstone": 100,
  [stateMembershipType]: 0,
  [stickyMembershipTypes[0]]: 0,
};

const membersForm = z.object({
  chunk: z.array(
    z
      .object({ state_key: userIdText, content: z.object({ membership: z.enum(["join", "invite"]) }) })
      .optional()
      .catch(undefined),
  ),
});

const joinedRoomsForm = z.object({ joined_rooms: z.array(z.string().min(1).max(255)) });
const joinedMembersForm = z.object({ joined: z.record(z.string(), z.unknown()) });
const uploadedForm = z.object({ content_uri: z.string().startsWith("mxc://").max(500) });
const profileForm = z.object({ displayname: z.string() });
const createdForm = z.object({ room_id: z.string().min(1).max(255) });
const whoAmIForm = z.object({ user_id: z.string() });
const pingForm = z.object({ duration_ms: z.number() });

export class HttpHomeserver implements Homeserver {
  readonly domain: string;
  readonly bot: UserId;
  readonly sender: UserId;
  readonly #parts: HomeserverParts;
  readonly #client: HomeserverClient;
  readonly #outbox: Outbox;
  readonly #turnServers: TurnServers;
  #botRegistered: Promise<unknown> | undefined;

  constructor(parts: HomeserverParts) {
    this.domain = parts.domain;
    this.bot = parts.bot;
    this.sender = parts.sender;
    this.#parts = parts;
    this.#client = parts.client;
    this.#outbox = parts.outbox;
    this.#turnServers = new TurnServers(this.#client, parts.clock, parts.log);
  }

  async whoAmI(): Promise<UserId | undefined> {
    const path = ["v3", "account", "whoami"];
    const answer = await this.#client.request(this.sender, { method: "GET", path }, questionPatience);
    const parsed = whoAmIForm.safeParse(answer);
    if (!parsed.success) throw badAnswer("whoami");
    // Dendrite gives the localpart alone.
    return parseUserId(parsed.data.user_id);
  }

  openIdUser(token: string): Promise<UserId | undefined> {
    return openIdUser(token, this.#client, this.domain);
  }

  async exists(person: UserId): Promise<boolean | undefined> {
    try {
      await this.#client.request(this.bot, { method: "GET", path: ["v3", "profile", person] }, questionPatience);
      return true;
    } catch (cause) {
      return failureOf(cause).error.code === "M_NOT_FOUND" ? false : undefined;
    }
  }

  async register(user: UserId): ReturnType<Homeserver["register"]> {
    const username = user.slice(1, user.indexOf(":"));
    const body = { type: "m.login.application_service", username, inhibit_login: true };
    try {
      await this.#client.request(user, { method: "POST", path: ["v3", "register"], body }, repeatable);
      void this.#parts.encryption?.registered(user);
      return "new";
    } catch (cause) {
      const { code } = failureOf(cause).error;
      // Some homeservers have the bot from the registration alone, and let nobody register it.
      if (code !== "M_USER_IN_USE" && (code !== "M_EXCLUSIVE" || user !== this.bot)) throw cause;
      void this.#parts.encryption?.registered(user);
      return "known";
    }
  }

  async setDisplayName(user: UserId, name: string): Promise<void> {
    const path = ["v3", "profile", user, "displayname"];
    await this.#client.request(user, { method: "PUT", path, body: { displayname: name } }, repeatable);
  }

  async setPicture(user: UserId, address: string): Promise<void> {
    const path = ["v3", "profile", user, "avatar_url"];
    await this.#client.request(user, { method: "PUT", path, body: { avatar_url: address } }, repeatable);
  }

  async upload(bytes: Uint8Array, type: string): Promise<string> {
    const answer = await this.#client.upload(this.bot, bytes, type, uploadPatience);
    const parsed = uploadedForm.safeParse(answer);
    if (!parsed.success) throw badAnswer("upload");
    return parsed.data.content_uri;
  }

  async displayName(person: UserId, as: UserId): Promise<string | undefined> {
    const path = ["v3", "profile", person, "displayname"];
    try {
      const answer = await this.#client.request(as, { method: "GET", path }, profilePatience);
      return profileForm.safeParse(answer).data?.displayname;
    } catch (cause) {
      this.#parts.log.debug("could not get a display name", { person, code: failureOf(cause).error.code });
      return undefined;
    }
  }

  async join(room: RoomId, as: UserId): Promise<void> {
    // Side by side: the client may call before either is done.
    void this.#parts.encryption?.entering(room, as);
    if (as === this.bot) await this.#botIsThere();
    await this.#client.request(as, { method: "POST", path: ["v3", "rooms", room, "join"], body: {} }, repeatable);
  }

  /** It may be invited before the bridge has met the homeserver, where nobody has registered it yet. */
  #botIsThere(): Promise<unknown> {
    this.#botRegistered ??= this.register(this.bot).catch((error: unknown) => {
      this.#botRegistered = undefined;
      throw error;
    });
    return this.#botRegistered;
  }

  async leave(room: RoomId, as: UserId, reason?: string): Promise<void> {
    const body = reason === undefined ? {} : { reason };
    try {
      const request = { method: "POST", path: ["v3", "rooms", room, "leave"], body } as const;
      // What was said before is not cut off.
      await this.#outbox.inOrder(room, () => this.#client.request(as, request, repeatable));
    } catch (cause) {
      // Whoever is not in the room has left it.
      if (failureOf(cause).error.code !== "M_FORBIDDEN") throw cause;
    }
  }

  async readBack(room: RoomId, as: UserId, maxAgeMs: number): ReturnType<Homeserver["readBack"]> {
    const events = await readTimeline(this.#client, this.#parts.clock, room, as, maxAgeMs);
    return this.#parts.intake.claim(events);
  }

  async members(room: RoomId, as: UserId): ReturnType<Homeserver["members"]> {
    const path = ["v3", "rooms", room, "members"];
    const answer = await this.#client.request(as, { method: "GET", path }, repeatable);
    const parsed = membersForm.safeParse(answer);
    if (!parsed.success) throw badAnswer("members");
    return parsed.data.chunk.flatMap((member) =>
      member === undefined ? [] : [{ user: member.state_key, membership: member.content.membership }],
    );
  }

  async joinedRooms(as: UserId): Promise<readonly RoomId[]> {
    const answer = await this.#client.request(as, { method: "GET", path: ["v3", "joined_rooms"] }, recallPatience);
    const parsed = joinedRoomsForm.safeParse(answer);
    if (!parsed.success) throw badAnswer("joined_rooms");
    return parsed.data.joined_rooms.map((room) => roomId(room));
  }

  async joinedMembers(room: RoomId): Promise<readonly UserId[]> {
    const path = ["v3", "rooms", room, "joined_members"];
    const answer = await this.#client.request(this.bot, { method: "GET", path }, recallPatience);
    const parsed = joinedMembersForm.safeParse(answer);
    if (!parsed.success) throw badAnswer("joined_members");
    return Object.keys(parsed.data.joined).flatMap((user) => parseUserId(user) ?? []);
  }

  get givesKeysAhead(): boolean {
    return this.#parts.encryption?.isEager === true;
  }

  async giveKeys(user: UserId): Promise<void> {
    await this.#parts.encryption?.registered(user);
  }

  get readsEncrypted(): boolean {
    return this.#parts.encryption?.works === true;
  }

  get botReadsEncrypted(): boolean {
    return this.readsEncrypted && this.#parts.encryption?.isRead(this.bot) === true;
  }

  encrypted(room: RoomId, as: UserId): Promise<boolean> {
    return this.#parts.encryption?.isEncrypted(room, as) ?? askEncrypted(this.#client, room, as);
  }

  get clientKinds(): readonly string[] {
    return this.#parts.rtc?.canRing === true ? [legacyKind, rtcKind] : [legacyKind];
  }

  ownSide(kinds: readonly string[]): OwnSide {
    const newId = (): string => this.#parts.clock.newId();
    if (!kinds.includes(rtcKind)) return legacySide(newId);
    return kinds.includes(legacyKind) ? bothSide(newId) : rtcSide(newId);
  }

  async hasRunningCall(room: RoomId): Promise<boolean> {
    return (await this.#parts.rtc?.isRunningIn(room, this.bot)) === true;
  }

  async placeInRunningCall(room: RoomId, as: UserId, person: UserId): Promise<RunningCall | undefined> {
    return this.#parts.rtc?.takePlace(room, as, person);
  }

  showsOutcome({ kind }: LegForm): boolean {
    return kind === legacyKind;
  }

  signal(...[leg, signal]: Parameters<Homeserver["signal"]>): Promise<void> {
    return this.#parts.speaker.say(leg, signal);
  }

  async notice(room: RoomId, as: UserId, text: string, about?: EventId, html?: string): Promise<EventId> {
    const relation = about === undefined ? {} : { "m.relates_to": { "m.in_reply_to": { event_id: about } } };
    const formatted =
      html === undefined ? {} : { format: "org.matrix.custom.html", formatted_body: html, "m.mentions": {} };
    const content = { msgtype: "m.notice", body: text, ...formatted, ...relation };
    return eventId(await this.#outbox.send(room, as, "m.room.message", content));
  }

  async react(room: RoomId, as: UserId, about: EventId, mark: string): Promise<void> {
    const content = { "m.relates_to": { rel_type: "m.annotation", event_id: about, key: mark } };
    await this.#outbox.send(room, as, "m.reaction", content, { isClear: true });
  }

  withdraw(room: RoomId, as: UserId, event: EventId): Promise<void> {
    return this.#outbox.redact(room, as, event);
  }

  async text(room: RoomId, as: UserId, text: string, transaction: string): Promise<void> {
    // It mentions nobody (client-server API, "User and room mentions"): no telephone rings a room by writing `@room`.
    const content = { msgtype: "m.text", body: text, "m.mentions": {} };
    await this.#outbox.send(room, as, "m.room.message", content, { transaction, patience: textPatience });
  }

  async markRead(room: RoomId, as: UserId, event: EventId): Promise<void> {
    const path = ["v3", "rooms", room, "receipt", "m.read", event];
    try {
      await this.#client.request(as, { method: "POST", path, body: {} }, receiptPatience);
    } catch (cause) {
      this.#parts.log.debug("could not send a receipt", { room, event, code: failureOf(cause).error.code });
    }
  }

  /** The only place that makes rooms. The preset gives the person the power to call. */
  async createDirectRoom(as: UserId, invite: UserId, encrypted = false): Promise<RoomId> {
    const state = (await this.#parts.encryption?.making(as, encrypted)) ?? [];
    const body = {
      preset: "trusted_private_chat",
      visibility: "private",
      is_direct: true,
      invite: [invite],
      ...(state.length > 0 && { initial_state: state }),
      ...(this.#parts.rtc !== undefined && { power_level_content_override: { events: eventLevels } }),
    };
    const answer = await this.#client.request(as, { method: "POST", path: ["v3", "createRoom"], body }, onlyUnsent);
    const parsed = createdForm.safeParse(answer);
    if (!parsed.success) throw badAnswer("createRoom");
    const room = roomId(parsed.data.room_id);
    // The homeserver may have encrypted it unasked, and said so already.
    void this.#parts.encryption?.entering(room, as);
    return room;
  }

  async invite(room: RoomId, as: UserId, user: UserId): Promise<void> {
    try {
      const path = ["v3", "rooms", room, "invite"];
      await this.#client.request(as, { method: "POST", path, body: { user_id: user } }, onlyUnsent);
    } catch (cause) {
      // A member cannot be invited again, and need not be.
      if (failureOf(cause).error.code !== "M_FORBIDDEN") throw cause;
      const members = await this.members(room, as);
      if (!members.some((member) => member.user === user)) throw cause;
    }
  }

  async setServiceMembers(room: RoomId, as: UserId, users: readonly UserId[]): Promise<void> {
    const path = ["v3", "rooms", room, "state", "io.element.functional_members"];
    await this.#client.request(as, { method: "PUT", path, body: { service_members: users } }, repeatable);
  }

  iceServers(as: UserId): ReturnType<Homeserver["iceServers"]> {
    return this.#turnServers.of(as);
  }

  async ping(): Promise<PingOutcome> {
    const path = ["v1", "appservice", this.#parts.applicationService, "ping"];
    const body = { transaction_id: this.#parts.clock.newId() };
    const seenBefore = this.#parts.pingsSeen();
    const hasCome = (): boolean => this.#parts.pingsSeen() > seenBefore;
    try {
      const answer = await this.#client.request(this.sender, { method: "POST", path, body }, pingPatience);
      return pingAnswer(pingForm.safeParse(answer).data, hasCome());
    } catch (cause) {
      return pingFailure(failureOf(cause).error, hasCome());
    }
  }

  conferenceProblems(): ReturnType<Homeserver["conferenceProblems"]> {
    return this.#parts.rtc?.problems() ?? Promise.resolve([]);
  }

  /** Waits for what is being sent; attempts that are waiting are made once more and then given up. */
  async stop(): Promise<void> {
    this.#client.stop();
    await this.#outbox.idle();
  }
}
