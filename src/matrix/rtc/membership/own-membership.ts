// Our own membership in the call of one room, as room state: made with a leave that the homeserver sends by itself when the
// bridge is gone (MSC4140), kept as long as the call lasts, taken away in the end.
//
//   enter: delayed leave, membership      every 8 s: the leave is put off      every 3 h: the membership is renewed
//   leave: `{}`, then the delayed leave is cancelled
import { z } from "zod";
import { type DeviceId, eventId, type EventId, type RoomId, type UserId } from "../../../core/ids.ts";
import type { Clock } from "../../../ports/clock.ts";
import { HomeserverError } from "../../../ports/homeserver.ts";
import type { Log } from "../../../ports/telemetry.ts";
import { badAnswer, type HomeserverClient, type Patience } from "../../client/homeserver-client.ts";
import { failureOf } from "../../client/request-failure.ts";
import type { Sender } from "../../legs/speaker.ts";
import { membershipContent } from "../../wire/rtc-content.ts";
import { stateKeyOf, stateMembershipType } from "../../wire/rtc-names.ts";

export interface MembershipParts {
  readonly client: HomeserverClient;
  readonly outbox: Pick<Sender, "inCall">;
  /** The homeserver delays no events: said once. */
  readonly undelayed: (error: HomeserverError) => void;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Place {
  readonly room: RoomId;
  readonly user: UserId;
  readonly device: DeviceId;
}

/** How long after the bridge's death people see the number in their call. */
const leaveDelayMs = 24_000;
const putOffMs = 8_000;
const expiresMs = 4 * 3_600_000;
const renewMs = 3 * 3_600_000;
const patience: Patience = { again: "repeatable", giveUpAfterMs: 20_000 };
const delayPatience: Patience = { again: "repeatable", giveUpAfterMs: 3_000 };
const oncePatience: Patience = { again: "never", giveUpAfterMs: 5_000 };

const eventForm = z.object({ event_id: z.string().min(1).max(255) });
const delayForm = z.object({ delay_id: z.string().min(1).max(255) });

export const delayedEventsPath = ["unstable", "org.matrix.msc4140", "delayed_events"];

export class OwnMembership {
  readonly #parts: MembershipParts;
  readonly #place: Place;
  #service: string;
  #enteredAtMs = 0;
  #delayId: string | undefined;
  #cancels: (() => void)[] = [];
  #isOver = false;

  constructor(parts: MembershipParts, place: Place, service: string) {
    this.#parts = parts;
    this.#place = place;
    this.#service = service;
  }

  /** Gives the event of the membership. Throws HomeserverError. */
  async enter(): Promise<EventId> {
    const { clock } = this.#parts;
    this.#enteredAtMs = clock.wallMs();
    this.#delayId = await this.#delayLeave();
    const event = await this.#put(this.#content(expiresMs));
    this.#every(renewMs, () => this.#renew());
    if (this.#delayId !== undefined) this.#every(putOffMs, () => this.#putOff());
    return event;
  }

  /** From now on we are at the media server of this service. Never rejects. */
  async move(service: string): Promise<void> {
    if (service === this.#service || this.#isOver) return;
    this.#service = service;
    await this.#renew();
  }

  /** Throws HomeserverError where the homeserver cannot be told; the delayed leave tells it then. */
  async leave(): Promise<void> {
    this.stop();
    await this.#put({});
    const delayId = this.#delayId;
    if (delayId !== undefined) await cancelDelayed(this.#parts, this.#place.user, delayId);
  }

  /** Nothing is renewed any more. */
  stop(): void {
    this.#isOver = true;
    for (const cancel of this.#cancels.splice(0)) cancel();
  }

  #content(ms: number, createdAtMs?: number): Readonly<Record<string, unknown>> {
    const created = createdAtMs === undefined ? {} : { createdAtMs };
    return membershipContent({ ...this.#place, service: this.#service, expiresMs: ms, ...created });
  }

  #put(content: unknown): Promise<EventId> {
    const { client, outbox } = this.#parts;
    const { room, user } = this.#place;
    return outbox.inCall(room, async () => {
      const request = { method: "PUT", path: statePath(this.#place), body: content } as const;
      return eventIn(await client.request(user, request, patience).catch(explained));
    });
  }

  /** The id by which it is put off; undefined where the homeserver delays none. */
  async #delayLeave(): Promise<string | undefined> {
    const { client, undelayed } = this.#parts;
    const query = { "org.matrix.msc4140.delay": String(leaveDelayMs) };
    const request = { method: "PUT", path: statePath(this.#place), query, body: {} } as const;
    try {
      const answer = await client.request(this.#place.user, request, delayPatience);
      const delayId = delayForm.safeParse(answer).data?.delay_id;
      // Whoever does not know what a delay is has sent the leave now, before we come in.
      if (delayId === undefined) undelayed(new HomeserverError("NO_DELAY", "it sent the event at once", false));
      return delayId;
    } catch (cause) {
      undelayed(failureOf(cause).error);
      return undefined;
    }
  }

  async #putOff(): Promise<void> {
    const { client, log } = this.#parts;
    const { room, user } = this.#place;
    if (this.#delayId === undefined) return;
    const path = [...delayedEventsPath, this.#delayId, "restart"];
    try {
      await client.request(user, { method: "POST", path, body: {} }, oncePatience);
    } catch (cause) {
      const { code } = failureOf(cause).error;
      if (code !== "M_NOT_FOUND" || this.#isOver) {
        log.debug("could not put off the leave from a call", { room, user, code });
        return;
      }
      // It was sent: for some time the homeserver heard nothing of us. The call goes on.
      log.warn("the homeserver took a number out of its call, which goes on: it comes in again", { room, user });
      const delayId = await this.#delayLeave();
      this.#delayId = delayId;
      // We have left meanwhile: in an encrypted room the next call is under the same device, and would be left too.
      if (this.#isOver && delayId !== undefined) await cancelDelayed(this.#parts, user, delayId);
      await this.#renew();
    }
  }

  async #renew(): Promise<void> {
    const { clock, log } = this.#parts;
    if (this.#isOver) return;
    const sinceMs = Math.max(0, clock.wallMs() - this.#enteredAtMs);
    try {
      await this.#put(this.#content(sinceMs + expiresMs, this.#enteredAtMs));
    } catch (cause) {
      log.warn("could not renew a number's membership in a call", {
        ...this.#place,
        code: failureOf(cause).error.code,
      });
    }
  }

  #every(ms: number, then: () => Promise<void>): void {
    const { clock } = this.#parts;
    let cancel = (): void => undefined;
    const next = (): void => {
      cancel = clock.at(clock.nowMs() + ms, () => {
        void then().finally(() => {
          if (!this.#isOver) next();
        });
      });
    };
    next();
    this.#cancels.push(() => cancel());
  }
}

export function statePath({ room, user, device }: Place): readonly string[] {
  return ["v3", "rooms", room, "state", stateMembershipType, stateKeyOf(user, device)];
}

function eventIn(answer: unknown): EventId {
  const parsed = eventForm.safeParse(answer);
  if (!parsed.success) throw badAnswer("a sent event");
  return eventId(parsed.data.event_id);
}

/** Never rejects: whoever sent it before us did what was to be done. */
export async function cancelDelayed(
  { client, log }: Pick<MembershipParts, "client" | "log">,
  user: UserId,
  delayId: string,
): Promise<void> {
  try {
    const path = [...delayedEventsPath, delayId, "cancel"];
    await client.request(user, { method: "POST", path, body: {} }, delayPatience);
  } catch (cause) {
    log.debug("could not cancel a delayed leave", { user, code: failureOf(cause).error.code });
  }
}

function explained(cause: unknown): never {
  const { error } = failureOf(cause);
  // Whoever is not in the room needs no other power level.
  if (error.code !== "M_FORBIDDEN" || /not in room/i.test(error.message)) throw error;
  const words = `the number may not take part in calls of the room: the power level of ${stateMembershipType} must be 0 there (${error.message})`;
  throw new HomeserverError(error.code, words, false, { cause });
}
