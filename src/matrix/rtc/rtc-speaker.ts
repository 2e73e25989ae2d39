// Tells clients of MatrixRTC of their legs: we come into the call of a room, ring, refuse, leave. Leaves by itself where the
// person did. What a crash leaves behind is found again (membership/left-behind.ts).
import type { LegAddress, LegSignal } from "../../core/call/model/matrix-leg.ts";
import { type DeviceId, eventId, type EventId, type RoomId, type UserId } from "../../core/ids.ts";
import { RecentMap } from "../../core/recent-map.ts";
import type { SeatId } from "../../ports/conference.ts";
import { attempt } from "../../ports/attempt.ts";
import { HomeserverError } from "../../ports/homeserver.ts";
import { failureOf } from "../client/request-failure.ts";
import { newMemberId, placeIn } from "../legs/rtc-form.ts";
import { onceName, type Sender, type Speaker } from "../legs/speaker.ts";
import { declineContent, ringContent } from "../wire/rtc-content.ts";
import { declineTypes, notificationTypes } from "../wire/rtc-names.ts";
import { leaveWhatIsLeft } from "./membership/left-behind.ts";
import { redact } from "./membership/left-events.ts";
import type { StickySender } from "./membership/write-membership.ts";
import type { MediaServices } from "./media-services.ts";
import type { Joined } from "./find-membership.ts";
import type { FrameKeys } from "./frame-keys.ts";
import type { FormatChoice } from "./format-choice.ts";
import { type MembershipParts, OwnMembership } from "./membership/own-membership.ts";
import { type OwnPlace, type RtcCall, seatOf } from "./tracker/rtc-call.ts";
import type { RtcTracker } from "./tracker/tracker.ts";

export interface RtcSpeakerParts extends Omit<MembershipParts, "undelayed"> {
  readonly outbox: Sender & StickySender;
  readonly tracker: RtcTracker;
  readonly services: Pick<MediaServices, "own" | "isAllowed" | "servesMembers">;
  readonly formats: Pick<FormatChoice, "choose">;
  /** Who is in the call of the room, as one of ours sees it. Never rejects. */
  readonly present: (room: RoomId, user: UserId) => Promise<readonly Joined[]>;
  /** undefined: nothing is read or written in encrypted rooms. */
  readonly keys: FrameKeys | undefined;
}

/** Rooms of which it is known who was in their call. */
const mostRooms = 20_000;

/** Of a room that was not rung because its call seemed to be running: sent if nobody is there, taken back when somebody comes. */
type LateRing =
  | { readonly state: "none" }
  | { readonly state: "held back"; readonly send: () => Promise<EventId> }
  | { readonly state: "sent"; readonly event: EventId };

interface Said {
  readonly leg: LegAddress;
  readonly membership: OwnMembership;
  lateRing: LateRing;
}

export class RtcSpeaker implements Speaker {
  readonly #parts: RtcSpeakerParts;
  /** Where we are in a call, or are coming into one. */
  readonly #said = new Map<SeatId, Said>();
  /** Of each leg, what is being said last. */
  readonly #turns = new Map<SeatId, Promise<void>>();
  readonly #recalled = new RecentMap<RoomId, true>(mostRooms);
  #warned = false;

  constructor(parts: RtcSpeakerParts) {
    this.#parts = parts;
    parts.tracker.listen({
      changed: (call) => void this.#follow(call),
      met: ({ seat }, isAnybody) =>
        void this.#inTurn(seat, () => (isAnybody ? this.#unringLate(this.#said.get(seat)) : this.#ringLate(seat))),
      over: ({ seat }) => void this.#inTurn(seat, () => this.#leaveQuietly(seat)),
    });
  }

  say(leg: LegAddress, signal: LegSignal): Promise<void> {
    const seat = seatOf(leg.room, leg.matrixCallId);
    return this.#inTurn(seat, () => this.#say(seat, leg, signal));
  }

  /** Waits for what is being said. Nothing is renewed any more: the homeserver takes ours out of the calls that are left. */
  async idle(): Promise<void> {
    while (this.#turns.size > 0) await Promise.all(this.#turns.values());
    for (const { membership } of this.#said.values()) membership.stop();
  }

  async #say(seat: SeatId, leg: LegAddress, signal: LegSignal): Promise<void> {
    switch (signal.kind) {
      case "invite":
        return this.#ring(seat, leg, signal);
      case "answer":
        return this.#answer(seat, leg);
      case "reject":
        return this.#refuse(seat, leg);
      case "hangup":
        return this.#hangUp(seat, leg);
      case "select":
        return this.#select(seat, leg, signal.device);
      case "identity":
        return;
      case "reanswer":
      case "reoffer":
        throw new HomeserverError("UNSUPPORTED", "the client has no way to hear this", false);
    }
  }

  async #ring(
    seat: SeatId,
    leg: LegAddress,
    { invitee, lifetimeMs }: Extract<LegSignal, { kind: "invite" }>,
  ): Promise<void> {
    const { tracker, services, formats, outbox, clock } = this.#parts;
    const { room, ghost, matrixCallId } = leg;
    const [service] = await Promise.all([services.own(), this.#recall(room, ghost)]);
    const state = { kind: "ringing", named: invitee, notifications: [] } as const;
    const device = (await this.#deviceFor(room, ghost)) ?? deviceIn(leg);
    const present = tracker.present(room).map(({ membership }) => membership);
    const format = await formats.choose({ room, user: ghost, person: invitee, present, service });
    const memberId = format === "sticky" ? (placeIn(leg.form)?.memberId ?? newMemberId()) : undefined;
    tracker.ring({ seat, room, matrixCallId, device, memberId, ghost, service, state });
    const membership = await this.#enter(seat, leg, { device, memberId }, service);
    const ring = async (): Promise<EventId> => {
      const content = ringContent(membership, invitee, lifetimeMs, clock.wallMs());
      const [type] = notificationTypes;
      return eventId(await outbox.send(room, ghost, type, content, { transaction: onceName(leg, "ring") }));
    };
    const said = this.#said.get(seat);
    if (tracker.joinRunning(seat)) {
      if (said !== undefined) said.lateRing = { state: "held back", send: ring };
    } else tracker.notified(seat, await ring());
  }

  /** The call only seemed to be running: a client has died in it. Never rejects. */
  async #ringLate(seat: SeatId): Promise<void> {
    const said = this.#said.get(seat);
    if (said?.lateRing.state !== "held back") return;
    const { room } = said.leg;
    const sent = said.lateRing.send();
    const event = await attempt(sent, this.#parts.log, "could not ring a room whose call is empty", { room });
    said.lateRing = event === undefined ? { state: "none" } : { state: "sent", event };
  }

  async #unringLate(said: Said | undefined): Promise<void> {
    if (said?.lateRing.state !== "sent") return;
    const { leg, lateRing } = said;
    said.lateRing = { state: "none" };
    await redact(leg.room, leg.ghost, lateRing.event, this.#parts);
  }

  /** Once in each room: of what comes later we are told. */
  async #recall(room: RoomId, ghost: UserId): Promise<void> {
    const { tracker, present } = this.#parts;
    if (this.#recalled.has(room)) return;
    this.#recalled.set(room, true);
    tracker.recall(room, await present(room, ghost));
  }

  async #answer(seat: SeatId, leg: LegAddress): Promise<void> {
    const { tracker } = this.#parts;
    const call = tracker.call(seat);
    // The person has left, which the bridge is about to hear; or we have rung them, and are there.
    if (call?.service === undefined || this.#said.has(seat)) return;
    tracker.meet(seat, leg.ghost, call.service);
    await this.#enter(seat, leg, call, call.service);
  }

  /** In an encrypted room, the one that people's clients send their keys to. */
  async #deviceFor(room: RoomId, ghost: UserId): Promise<DeviceId | undefined> {
    try {
      return await this.#parts.keys?.deviceIn(room, ghost);
    } catch (error) {
      const words = "the number cannot be given keys for a call in an encrypted room";
      throw error instanceof HomeserverError ? error : new HomeserverError("ENCRYPTION", words, true, { cause: error });
    }
  }

  async #refuse(seat: SeatId, leg: LegAddress): Promise<void> {
    const notification = placeIn(leg.form)?.notification;
    this.#parts.tracker.over(seat);
    this.#parts.keys?.over(seat);
    if (notification === undefined) return this.#hangUp(seat, leg);
    const [type] = declineTypes;
    const delivery = { transaction: onceName(leg, "decline") };
    await this.#parts.outbox.send(leg.room, leg.ghost, type, declineContent(notification), delivery);
  }

  /** The membership alone does not stop a client's ringing, the end of the notification does. */
  async #hangUp(seat: SeatId, leg: LegAddress): Promise<void> {
    const { tracker } = this.#parts;
    const call = tracker.call(seat);
    tracker.over(seat);
    const said = this.#said.get(seat);
    this.#said.delete(seat);
    this.#parts.keys?.over(seat);
    if (said === undefined) {
      const ours = [...this.#said.values()].map(({ membership }) => membership);
      const place = { room: leg.room, user: leg.ghost, device: deviceIn(leg), memberId: placeIn(leg.form)?.memberId };
      return leaveWhatIsLeft(place, ours, this.#parts);
    }
    await said.membership.leave();
    tracker.isOut(leg.room, seat);
    await this.#unringLate(said);
    if (call?.state.kind === "ringing") await this.#unring(leg, call.state);
  }

  /** Others in the room need not be rung any longer; who has answered is not. */
  async #select(seat: SeatId, leg: LegAddress, device: DeviceId): Promise<void> {
    const { tracker } = this.#parts;
    tracker.select(seat, device);
    const state = tracker.call(seat)?.state;
    if (state?.kind === "answered" && state.named === undefined) await this.#unring(leg, state);
  }

  /** Some clients show that something was deleted, so that a ring is taken back only where it would go on. */
  async #unring(
    { room, ghost }: LegAddress,
    { notifications }: { readonly notifications: readonly EventId[] },
  ): Promise<void> {
    for (const notification of notifications) await redact(room, ghost, notification, this.#parts);
  }

  async #enter(seat: SeatId, leg: LegAddress, { device, memberId }: OwnPlace, service: string): Promise<EventId> {
    const { tracker, keys } = this.#parts;
    const undelayed = (error: HomeserverError): void => this.#warn(error);
    const place = { room: leg.room, user: leg.ghost, device, memberId };
    const membership = new OwnMembership({ ...this.#parts, undelayed }, place, service);
    this.#said.set(seat, { leg, membership, lateRing: { state: "none" } });
    const call = tracker.call(seat);
    if (call !== undefined) await keys?.prepare(call, leg.ghost);
    const event = await membership.enter();
    tracker.isIn(seat);
    keys?.tell(seat);
    return event;
  }

  /** The person who answered is at another media server than ours: we go there, where both hear each other. */
  async #follow(call: RtcCall): Promise<void> {
    const { tracker, services, log } = this.#parts;
    const said = this.#said.get(call.seat);
    if (said === undefined || call.state.kind !== "answered") return;
    const [key] = call.state.keys;
    const theirs = tracker.present(call.room).find(({ membership }) => membership.key === key)?.membership;
    const service = theirs?.meets === "own" ? theirs.services[0] : undefined;
    if (service === undefined || service === call.service) return;
    if (!(await services.isAllowed(service))) {
      log.warn("a person is at a media server that the bridge may not use: allow it in rtc.allowed_services", {
        room: call.room,
        service,
      });
      return;
    }
    if (call.memberId !== undefined && !(await services.servesMembers(service))) {
      log.info("a number stays at its own media server: the person's gives no tokens for its membership", {
        room: call.room,
        service,
      });
      return;
    }
    tracker.meet(call.seat, said.leg.ghost, service);
    await said.membership.move(service);
  }

  /** Never rejects: the delayed leave does it too. */
  async #leaveQuietly(seat: SeatId): Promise<void> {
    const said = this.#said.get(seat);
    this.#said.delete(seat);
    try {
      await said?.membership.leave();
      if (said !== undefined) this.#parts.tracker.isOut(said.leg.room, seat);
      await this.#unringLate(said);
    } catch (cause) {
      this.#parts.log.warn("a number could not leave the call of a room", {
        room: said?.leg.room,
        code: failureOf(cause).error.code,
      });
    }
  }

  #inTurn(seat: SeatId, work: () => Promise<void>): Promise<void> {
    const before = this.#turns.get(seat) ?? Promise.resolve();
    const result = before.then(work);
    const settled = result
      .catch(() => undefined)
      .finally(() => {
        if (this.#turns.get(seat) === settled) this.#turns.delete(seat);
      });
    this.#turns.set(seat, settled);
    return result;
  }

  #warn(error: HomeserverError): void {
    if (error.code === "M_LIMIT_EXCEEDED" || error.transient) {
      const words = "the homeserver would not take a number out of its call if the bridge died now";
      this.#parts.log.warn(words, { code: error.code, error: error.message });
      return;
    }
    if (this.#warned) return;
    this.#warned = true;
    this.#parts.log.warn(
      "the homeserver delays no events (MSC4140): if the bridge dies, people stay in their calls for hours; on Synapse set max_event_delay_duration: 24h",
      { code: error.code, error: error.message },
    );
  }
}

function deviceIn({ form, own }: LegAddress): DeviceId {
  return placeIn(form)?.device ?? own;
}
