// The part of the Matrix edge that takes part in calls of MatrixRTC, put together.
import type { RoomId, UserId } from "../../core/ids.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ConferenceAccess, SeatId } from "../../ports/conference.ts";
import type { HomeserverProblem, MatrixFact, RunningCall } from "../../ports/homeserver.ts";
import type { LadderTap } from "../../ports/ladders/tap.ts";
import type { Log } from "../../ports/telemetry.ts";
import { Features } from "../client/features.ts";
import type { HomeserverClient } from "../client/homeserver-client.ts";
import { Outside } from "../http/outside.ts";
import type { Encryption } from "../encryption/encryption.ts";
import { newDevice, newMemberId } from "../legs/rtc-form.ts";
import type { Sender, Speaker } from "../legs/speaker.ts";
import type { RoomFact } from "../wire/event.ts";
import type { RtcEvent } from "../wire/rtc.ts";
import { Conferences } from "./conferences.ts";
import { findMembership, findPresent, isConversation, type Joined } from "./find-membership.ts";
import { FormatChoice } from "./format-choice.ts";
import { FrameKeys } from "./frame-keys.ts";
import type { StickySender } from "./membership/write-membership.ts";
import { MediaServices } from "./media-services.ts";
import { checkRtc } from "./rtc-check.ts";
import { takePlace } from "./running-call.ts";
import { RtcSpeaker } from "./rtc-speaker.ts";
import type { Met, OwnPlace } from "./tracker/rtc-call.ts";
import { RtcTracker } from "./tracker/tracker.ts";

export interface RtcOptions {
  /** Where tokens for our media server are to be had, instead of what the homeserver says. */
  readonly service?: string | undefined;
  /** Of other homeservers. */
  readonly allowedServices?: readonly string[] | undefined;
}

export interface RtcSurroundings {
  readonly client: HomeserverClient;
  readonly outbox: Sender & StickySender;
  readonly encryption: Encryption | undefined;
  readonly bot: UserId;
  readonly sender: UserId;
  readonly domain: string;
  readonly isOwn: (user: UserId) => boolean;
  readonly ours: (room: RoomId) => Promise<readonly UserId[]>;
  readonly emit: (fact: MatrixFact) => void;
  readonly tap?: LadderTap | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Rtc {
  /** The connection is listened to: what a first call needs is found out. */
  start(): void;
  /** Of anything that is said in a room, what it means to the bridge. Never rejects. */
  readonly meaning: (fact: RoomFact) => Promise<readonly MatrixFact[]>;
  readonly speaker: Speaker;
  readonly conferences: ConferenceAccess;
  /** Whether there is a media server at which people can be rung, as far as is known. */
  readonly canRing: boolean;
  /** Whether somebody is in the call of the room, as `user` sees it if we have heard of nobody. Never rejects. */
  isRunningIn(room: RoomId, user: UserId): Promise<boolean>;
  /** A place in that call for one of ours, whom `person` invites. Never rejects. */
  takePlace(room: RoomId, ghost: UserId, person: UserId): Promise<RunningCall | undefined>;
  /** What is missing on the way to the media server. Never rejects. */
  problems(): Promise<readonly HomeserverProblem[]>;
  /** Waits for what is being said in calls; nothing more is said of itself. */
  idle(): Promise<void>;
  stop(): Promise<void>;
}

/** undefined: calls of MatrixRTC are nothing to the bridge. */
export function openRtc(options: RtcOptions | undefined, around: RtcSurroundings): Rtc | undefined {
  if (options === undefined) return undefined;
  const { bot, ours, isOwn, emit, encryption, clock, log } = around;
  const outside = new Outside();
  const { ask } = outside;
  const services = new MediaServices({
    ...around,
    ask,
    configured: options.service,
    allowed: options.allowedServices ?? [],
  });
  const numberIn = async (room: RoomId): Promise<UserId | undefined> => {
    const [only, second] = (await ours(room)).filter((user) => user !== bot);
    return second === undefined ? only : undefined;
  };
  const features = new Features(around);
  const formats = new FormatChoice({ ...around, features, services });
  const placeIn = async (room: RoomId, named: UserId | undefined, met: Met): Promise<OwnPlace> => {
    const user = named ?? (await numberIn(room).catch(() => undefined));
    const device = user && (await keys?.deviceIn(room, user).catch(noDevice));
    const format = user === undefined ? "state" : await formats.choose({ ...met, room, user });
    const memberId = format === "sticky" ? newMemberId() : undefined;
    return { device: device ?? newDevice(() => clock.newId()), memberId };
  };
  const noDevice = (error: unknown): undefined => {
    log.warn("a number has no keys for a call that may be encrypted", { error });
  };
  const tracker = new RtcTracker({
    isOwn,
    placeIn,
    find: (room, event, sender) => findMembership(room, event, sender, around),
    isConversation: async (room, ghost, person) => ghost !== bot && isConversation(room, ghost, person, around),
    emit,
    clock,
    log,
  });
  const changed = (seat: SeatId): void => conferences.changed(seat);
  const keys = encryption && new FrameKeys({ encryption, tracker, changed, clock, log });
  const seen = (joined: Joined): void => formats.note(joined);
  const present = (room: RoomId, user: UserId): Promise<readonly Joined[]> =>
    findPresent(room, user, { ...around, seen });
  const speaker = new RtcSpeaker({ ...around, tracker, services, formats, present, keys });
  const conferences = new Conferences({ ...around, ask, tracker, services, keys, numberIn });
  return {
    start: () => void services.advertised(),
    takePlace: (room, ghost, person) =>
      takePlace(room, ghost, person, { tracker, placeIn, isAllowed: (one) => services.isAllowed(one), clock }),
    async isRunningIn(room, user) {
      if (tracker.live(room).length === 0) tracker.recall(room, await present(room, user));
      return tracker.live(room).length > 0;
    },
    get canRing() {
      return services.isKnown;
    },
    meaning: async (fact) => {
      if (isOfRtc(fact)) {
        if (fact.kind === "rtc.joined") formats.note(fact);
        return tracker.take(fact);
      }
      return fact.kind === "member.left" ? [fact, ...tracker.personLeft(fact, fact.user)] : [fact];
    },
    speaker,
    conferences,
    problems: () => checkRtc({ ...around, ask, services, features }),
    async idle() {
      await speaker.idle();
      keys?.stop();
    },
    stop: () => outside.close(),
  };
}

export function isOfRtc(fact: RoomFact): fact is RtcEvent {
  return fact.kind.startsWith("rtc.");
}
