// Our own membership in the call of one room: made with a leave that the homeserver sends by itself when the bridge is gone
// (MSC4140), kept as long as the call lasts, taken away in the end. How it is written: write-membership.ts.
//
//   enter: delayed leave, membership      every 8 s: the leave is put off      before it expires: the membership is renewed
//   leave: leave, then the delayed leave is cancelled
import type { EventId, UserId } from "../../../core/ids.ts";
import type { Clock } from "../../../ports/clock.ts";
import { HomeserverError } from "../../../ports/homeserver.ts";
import type { Log } from "../../../ports/telemetry.ts";
import type { Patience } from "../../client/homeserver-client.ts";
import { failureOf } from "../../client/request-failure.ts";
import { delayLeave, type Place, termsOf, writeLeave, writeMembership, type WriteParts } from "./write-membership.ts";

export interface MembershipParts extends WriteParts {
  /** The homeserver delays no events: said once. */
  readonly undelayed: (error: HomeserverError) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** How long after the bridge's death people see the number in their call. */
const leaveDelayMs = 24_000;
const putOffMs = 8_000;
const patience: Patience = { again: "repeatable", giveUpAfterMs: 20_000 };
const delayPatience: Patience = { again: "repeatable", giveUpAfterMs: 3_000 };
const oncePatience: Patience = { again: "never", giveUpAfterMs: 5_000 };

export const delayedEventsPath = ["unstable", "org.matrix.msc4140", "delayed_events"];

export class OwnMembership {
  readonly #parts: MembershipParts;
  readonly place: Place;
  #service: string;
  #enteredAtMs = 0;
  #delayId: string | undefined;
  #cancels: (() => void)[] = [];
  #isOver = false;

  constructor(parts: MembershipParts, place: Place, service: string) {
    this.#parts = parts;
    this.place = place;
    this.#service = service;
  }

  /** By which the homeserver knows the leave that waits. */
  get delayId(): string | undefined {
    return this.#delayId;
  }

  /** Gives the event of the membership. Throws HomeserverError. */
  async enter(): Promise<EventId> {
    const { clock } = this.#parts;
    this.#enteredAtMs = clock.wallMs();
    this.#delayId = await this.#delayLeave();
    const { place } = this;
    const said = { service: this.#service, nowMs: this.#enteredAtMs };
    const event = await writeMembership(place, said, patience, this.#parts).catch((cause: unknown) => {
      throw explained(cause, place);
    });
    this.#every(termsOf(place).renewMs, () => this.#renew());
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
    await writeLeave(this.place, patience, this.#parts);
    const delayId = this.#delayId;
    if (delayId !== undefined) await cancelDelayed(this.#parts, this.place.user, delayId);
  }

  /** Nothing is renewed any more. */
  stop(): void {
    this.#isOver = true;
    for (const cancel of this.#cancels.splice(0)) cancel();
  }

  /** The id by which it is put off; undefined where the homeserver delays none. */
  async #delayLeave(): Promise<string | undefined> {
    const { undelayed } = this.#parts;
    try {
      const delayId = await delayLeave(this.place, leaveDelayMs, delayPatience, this.#parts);
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
    const { room, user } = this.place;
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
    const said = { service: this.#service, nowMs: clock.wallMs(), createdAtMs: this.#enteredAtMs };
    try {
      await writeMembership(this.place, said, patience, this.#parts);
    } catch (cause) {
      log.warn("could not renew a number's membership in a call", {
        ...this.place,
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

function explained(cause: unknown, place: Place): HomeserverError {
  const { error } = failureOf(cause);
  // Whoever is not in the room needs no other power level.
  if (error.code !== "M_FORBIDDEN" || /not in room/i.test(error.message)) return error;
  const words = `the number may not take part in calls of the room: the power level of ${termsOf(place).type} must be 0 there (${error.message})`;
  return new HomeserverError(error.code, words, false, { cause });
}
