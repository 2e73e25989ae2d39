// Our seats in the calls of rooms, as the media edge takes them: how we get into the media server, and who else belongs there.
import type { UserId } from "../../core/ids.ts";
import type { Attendance, ConferenceAccess, FocusId, Participant, Seat, SeatId } from "../../ports/conference.ts";
import { MediaError } from "../../ports/media.ts";
import { identityOf } from "../wire/rtc-names.ts";
import type { FrameKeys } from "./frame-keys.ts";
import type { MediaServices } from "./media-services.ts";
import type { Log } from "../../ports/telemetry.ts";
import type { Present } from "./tracker/room-presence.ts";
import type { RtcCall } from "./tracker/rtc-call.ts";
import type { RtcMembership } from "../wire/rtc.ts";
import { type Applicant, askForToken, type TokenServiceParts } from "./token-service.ts";
import type { RtcTracker } from "./tracker/tracker.ts";

export interface ConferencesParts extends TokenServiceParts {
  readonly tracker: RtcTracker;
  readonly services: Pick<MediaServices, "isAllowed" | "mediaServerOf" | "servesMembers" | "wasAllowed">;
  /** undefined: nothing is read or written in encrypted rooms. */
  readonly keys: FrameKeys | undefined;
  /** The number of a call that names nobody; undefined: there are none or several. */
  readonly numberIn: (room: RtcCall["room"]) => Promise<UserId | undefined>;
  readonly log: Log;
}

export class Conferences implements ConferenceAccess {
  readonly #parts: ConferencesParts;
  readonly #watchers = new Map<SeatId, Set<() => void>>();

  constructor(parts: ConferencesParts) {
    this.#parts = parts;
    // Those of other numbers in the room hear it too.
    const tell = (call: RtcCall): void => {
      for (const seat of new Set([call, ...parts.tracker.callsIn(call.room)].map((each) => each.seat)))
        this.changed(seat);
    };
    parts.tracker.listen({ changed: tell, over: tell });
  }

  /** Somebody's key is another one. */
  changed(seat: SeatId): void {
    for (const watch of this.#watchers.get(seat) ?? []) watch();
  }

  seat(id: SeatId): Seat {
    return {
      check: async () => {
        await this.#applicant(id);
        await this.#prepare(id);
      },
      admit: (focus) => this.#admit(id, focus),
      attend: (changed) => this.#attend(id, changed),
      met: (isAnybody) => this.#parts.tracker.met(id, isAnybody),
    };
  }

  async #admit(id: SeatId, focus: FocusId | undefined): ReturnType<Seat["admit"]> {
    const applicant = await this.#applicant(id);
    await this.#prepare(id);
    if (focus === undefined) return askForToken(applicant, this.#parts);
    const { services } = this.#parts;
    // There we listen alone, and nobody looks for us by a name.
    const memberId = (await services.servesMembers(focus)) ? applicant.memberId : undefined;
    const atHomeserver = services.mediaServerOf(focus);
    return askForToken({ ...applicant, memberId, service: focus, atHomeserver }, this.#parts);
  }

  /** As whom we ask to be let in, and whom we ask. Throws MediaError. */
  async #applicant(id: SeatId): Promise<Applicant> {
    const { tracker, services } = this.#parts;
    const call = tracker.call(id);
    if (call === undefined) throw new MediaError("no-admission", "the call is over");
    const { room, device, memberId, service } = call;
    if (service === undefined) throw new MediaError("no-admission", "the person's client names no media server");
    if (!(await services.isAllowed(service))) {
      const words = `the call is at ${service}, which the bridge may not use: allow it in rtc.allowed_services`;
      throw new MediaError("no-admission", words);
    }
    const atHomeserver = services.mediaServerOf(service);
    return { user: await this.#userIn(call), device, memberId, room, service, atHomeserver };
  }

  async #userIn({ ghost, room }: RtcCall): Promise<UserId> {
    const user = ghost ?? (await this.#parts.numberIn(room));
    if (user === undefined) throw new MediaError("no-admission", "no number is in the room of the call");
    return user;
  }

  /** Whether the call is encrypted is known before anything of it is sent. Throws MediaError. */
  async #prepare(id: SeatId): Promise<void> {
    const { tracker, keys } = this.#parts;
    const call = tracker.call(id);
    if (keys === undefined || call === undefined) return;
    try {
      await keys.prepare(call, await this.#userIn(call));
    } catch (cause) {
      if (cause instanceof MediaError) throw cause;
      throw new MediaError("engine", "it is not known whether the room of the call is encrypted", { cause });
    }
  }

  /** Told at once where encryption is out of the question, and otherwise as soon as it is known. */
  #attend(id: SeatId, changed: (attendance: Attendance) => void): () => void {
    const watchers = this.#watchers.get(id) ?? new Set();
    this.#watchers.set(id, watchers);
    const unheard = new Set<string>();
    let last: string | undefined;
    let isKnown = this.#parts.keys === undefined;
    const watch = (): void => {
      for (const service of this.#outOfReach(id)) {
        if (unheard.has(service)) continue;
        unheard.add(service);
        this.#parts.log.warn("somebody in a call is not heard: the bridge may not use their media server", {
          service,
          setting: "rtc.allowed_services",
        });
      }
      const attendance = this.#attendance(id);
      const said = JSON.stringify(attendance);
      if (!isKnown || said === last) return;
      last = said;
      changed(attendance);
    };
    watchers.add(watch);
    watch();
    // Without an answer nothing is told, and so nothing is sent: neither can the seat be taken then.
    void this.#prepare(id).then(
      () => {
        isKnown = true;
        if (watchers.has(watch)) watch();
      },
      () => undefined,
    );
    return () => {
      watchers.delete(watch);
      if (watchers.size === 0) this.#watchers.delete(id);
    };
  }

  #attendance(id: SeatId): Attendance {
    const { tracker, keys } = this.#parts;
    const call = tracker.call(id);
    if (call === undefined) return { participants: [], ownKey: keys?.own(id) };
    const people = tracker.present(call.room).flatMap((present) => this.#theirs(call, present));
    const others = tracker.callsIn(call.room).filter(({ seat }) => seat !== id);
    const telephones = others.flatMap((other) => this.#ours(other, call));
    return { participants: [...people, ...telephones], ownKey: keys?.own(id) };
  }

  #theirs({ room, service }: RtcCall, { membership }: Present): readonly Participant[] {
    const theirs = meetingPlace(membership, service);
    // Whoever writes memberships must not choose whom the bridge sends requests to.
    if (theirs === undefined || (theirs !== service && !this.#parts.services.wasAllowed(theirs))) return [];
    const keys = this.#parts.keys?.of(room, membership) ?? [];
    return [{ identity: membership.identity, focus: focusOf(theirs, service), keys }];
  }

  /** Where somebody of the call is whom the telephone does not hear. */
  #outOfReach(id: SeatId): readonly string[] {
    const { tracker, services } = this.#parts;
    const call = tracker.call(id);
    if (call === undefined) return [];
    const places = tracker.present(call.room).flatMap(({ membership }) => meetingPlace(membership, call.service) ?? []);
    return places.filter((place) => place !== call.service && !services.wasAllowed(place));
  }

  /** Another number in the call of the room: the telephones hear each other. */
  #ours({ seat, state, ghost, device, memberId, service }: RtcCall, call: RtcCall): readonly Participant[] {
    if (state.kind === "ringing" || ghost === undefined || service === undefined) return [];
    const key = this.#parts.keys?.own(seat);
    const focus = focusOf(service, call.service);
    return [{ identity: identityOf(ghost, device, memberId), focus, keys: key === undefined ? [] : [key] }];
  }
}

/** Of which service's media server that device is heard, in a call that began at `first`. */
function meetingPlace({ meets, services }: RtcMembership, first: string | undefined): string | undefined {
  return meets === "oldest" ? first : services[0];
}

function focusOf(service: string, home: string | undefined): FocusId | undefined {
  return service === home ? undefined : (service as FocusId);
}
