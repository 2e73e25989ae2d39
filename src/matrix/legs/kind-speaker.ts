// Speaks with each kind of clients in its way. Where both were rung, whoever answers or refuses ends the ringing of the other.
import type { LegAddress, LegSignal } from "../../core/call/model/matrix-leg.ts";
import type { RoomId, UserId } from "../../core/ids.ts";
import { RecentMap } from "../../core/recent-map.ts";
import { HomeserverError, type MatrixFact } from "../../ports/homeserver.ts";
import type { Log } from "../../ports/telemetry.ts";
import { bothKind, sidesOf } from "./both-form.ts";
import { legacyKind } from "./legacy-form.ts";
import { rtcKind } from "./rtc-form.ts";
import type { Speaker } from "./speaker.ts";

export interface KindSpeakerParts {
  readonly legacy: Speaker;
  /** undefined: the bridge takes no part in calls of MatrixRTC. */
  readonly rtc: Speaker | undefined;
  readonly log: Log;
}

interface Ring {
  readonly leg: LegAddress;
  /** Who alone is rung; undefined: everybody in the room, of whom each refuses for themselves. */
  readonly invitee: UserId | undefined;
}

/** Rings of both kinds that nobody has ended yet; an older one than the last so many is over. */
const mostRings = 1_000;

export class KindSpeaker implements Speaker {
  readonly #parts: KindSpeakerParts;
  readonly #rings = new RecentMap<string, Ring>(mostRings);

  constructor(parts: KindSpeakerParts) {
    this.#parts = parts;
  }

  async say(leg: LegAddress, signal: LegSignal): Promise<void> {
    const { legacy, rtc } = this.#parts;
    switch (leg.form.kind) {
      case legacyKind:
        await Promise.all([legacy.say(leg, signal), this.#silence(leg, signal, "rtc")]);
        return;
      case rtcKind:
        if (rtc === undefined) break;
        await Promise.all([rtc.say(leg, signal), this.#silence(leg, signal, "legacy")]);
        return;
      case bothKind:
        return this.#sayBoth(leg, signal);
    }
    // Another release has made the leg, or the bridge was configured otherwise then.
    throw new HomeserverError("UNSUPPORTED", "no way to speak to the client is known", false);
  }

  /** A person who refuses with one client is not rung on by the other. */
  heard(fact: MatrixFact): void {
    if (fact.kind !== "call.rejected" && fact.kind !== "call.hungUp") return;
    const ring = this.#rings.get(nameOf(fact.room, fact.matrixCallId));
    // One device has rung long enough: another one may ring on.
    if (ring === undefined || ring.invitee !== fact.sender || fact.said === "no-answer") return;
    this.#rings.delete(nameOf(fact.room, fact.matrixCallId));
    // What has been refused is over for its own kind, and hanging it up does nothing more.
    for (const kind of ["legacy", "rtc"] as const) void this.#hangUp(ring.leg, kind);
  }

  async #sayBoth(leg: LegAddress, signal: LegSignal): Promise<void> {
    const { legacy, rtc, log } = this.#parts;
    const name = nameOf(leg.room, leg.matrixCallId);
    if (signal.kind === "invite") this.#rings.set(name, { leg, invitee: signal.invitee });
    else this.#rings.delete(name);
    const sides = sidesOf(leg);
    const said = await Promise.allSettled([legacy.say(sides.legacy, signal), rtc?.say(sides.rtc, signal)]);
    const [first, second] = said.flatMap((one): readonly unknown[] => (one.status === "rejected" ? [one.reason] : []));
    if (first === undefined) return;
    // One kind of clients rings: that is a ring. What ends it has to reach both.
    if (signal.kind !== "invite" || second !== undefined) throw first;
    log.warn("only one kind of clients could be rung", { room: leg.room, error: first });
  }

  /** A client of the other kind has the call. */
  async #silence(leg: LegAddress, signal: LegSignal, other: "legacy" | "rtc"): Promise<void> {
    const name = nameOf(leg.room, leg.matrixCallId);
    const ring = this.#rings.get(name);
    if (ring === undefined || signal.kind === "identity") return;
    this.#rings.delete(name);
    await this.#hangUp(ring.leg, other);
  }

  /** Never rejects: a client that rings for nobody stops when its time is over. */
  async #hangUp(leg: LegAddress, kind: "legacy" | "rtc"): Promise<void> {
    const { rtc, log } = this.#parts;
    const speaker = kind === "rtc" ? rtc : this.#parts.legacy;
    try {
      await speaker?.say(sidesOf(leg)[kind], { kind: "hangup", cause: "answered-elsewhere" });
    } catch (error) {
      log.warn("clients of the other kind could not be told that the call is taken", { room: leg.room, kind, error });
    }
  }
}

function nameOf(room: RoomId, matrixCallId: string): string {
  return `${room}\n${matrixCallId}`;
}
