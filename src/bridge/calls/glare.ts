// Two parties call each other at the same moment. One call remains: the one in which the person's own invite is
// answered, because most clients ignore an invite while they are calling (Matrix spec, VoIP module, glare).
import { isIn, type Call } from "../../core/call/model/call.ts";
import type { MatrixLeg } from "../../core/call/model/matrix-leg.ts";
import type { UserId } from "../../core/ids.ts";
import { legOf, rings } from "../../core/call/model/queries.ts";
import type { Clock } from "../../ports/clock.ts";
import { attempt } from "../../ports/attempt.ts";
import type { Homeserver, MatrixFact } from "../../ports/homeserver.ts";
import type { Log } from "../../ports/telemetry.ts";
import { type CallIndex, type OwnInvite } from "./call-index.ts";
import { invitedLeg } from "../admission/invited-leg.ts";
import type { CallRunner } from "./call-runner.ts";

export interface GlareParts {
  readonly index: CallIndex;
  /** Whether two ghosts stand for the same telephone. */
  readonly sameNumber: (one: UserId, other: UserId) => boolean;
  readonly homeserver: Pick<Homeserver, "signal">;
  readonly clock: Clock;
  readonly log: Log;
}

export class Glare {
  readonly #parts: GlareParts;

  constructor(parts: GlareParts) {
    this.#parts = parts;
  }

  /** A person calls a number: gives the call of that number which rings them, if it took the invite. */
  async invited(fact: Extract<MatrixFact, { kind: "call.invited" }>, ghost: UserId): Promise<CallRunner | undefined> {
    const { index, sameNumber, clock } = this.#parts;
    const ringing = [...index.groups.ringing].find(
      ({ call }) =>
        isIn(call, "arriving", "alerting") &&
        rings(call, fact.sender, fact.room) &&
        sameNumber(call.phase.ghost, ghost),
    );
    if (ringing === undefined) return undefined;
    const leg = invitedLeg(fact, ghost, clock);
    return (await this.#cross(ringing, { leg, description: fact.description, candidates: [] })) ? ringing : undefined;
  }

  /** A number calls while somebody whom it would ring is calling it: that call yields. */
  async arrived(arriving: CallRunner): Promise<void> {
    const { index, sameNumber } = this.#parts;
    const { call } = arriving;
    if (!isIn(call, "arriving")) return;
    // Those of this moment: waiting below lets others begin.
    const dialling = [...index.groups.dialling];
    for (const calling of dialling) {
      const own = index.inviteOf(calling);
      if (own === undefined) continue;
      if (!rings(call, own.leg.person, own.leg.room) || !sameNumber(call.phase.ghost, own.leg.ghost)) continue;
      await calling.post({ kind: "call.yielded" });
      // It may have been answered in this very moment.
      if (!hasYielded(calling.call)) continue;
      if (await this.#cross(arriving, own)) return;
      // The caller was gone meanwhile, and the person's own call is over, which they must hear.
      return this.#refuse(own.leg);
    }
  }

  async #refuse(leg: MatrixLeg): Promise<void> {
    const { homeserver, log } = this.#parts;
    const told = homeserver.signal(leg, { kind: "reject", cause: "unavailable" });
    await attempt(told, log, "could not tell a person", { room: leg.room });
  }

  async #cross(runner: CallRunner, { leg, description, candidates }: OwnInvite): Promise<boolean> {
    const { index, log } = this.#parts;
    await runner.post({ kind: "matrix.glareDetected", leg, description });
    if (legOf(runner.call)?.matrixCallId !== leg.matrixCallId) return false;
    index.move(leg, runner);
    log.info("person and number called each other: the person's own call is answered", {
      call: runner.id,
      room: leg.room,
      matrixCall: leg.matrixCallId,
    });
    if (candidates.length > 0) await runner.post({ kind: "matrix.candidates", candidates });
    return true;
  }
}

function hasYielded({ phase }: Call): boolean {
  return phase.kind === "ending"
    ? phase.cause === "crossed"
    : phase.kind === "ended" && phase.record.cause === "crossed";
}
