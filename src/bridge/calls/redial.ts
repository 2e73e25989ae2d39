// A person dials in a room that has a running call. Clients know one call per room, so two calls must never meet there.
import { isIn, type Call } from "../../core/call/model/call.ts";
import type { UserId } from "../../core/ids.ts";
import { isRunning, legOf } from "../../core/call/model/queries.ts";
import type { MatrixFact } from "../../ports/homeserver.ts";
import type { Log } from "../../ports/telemetry.ts";
import { type CallIndex } from "./call-index.ts";

export interface RedialParts {
  readonly index: CallIndex;
  readonly sameNumber: (one: UserId, other: UserId) => boolean;
  readonly log: Log;
}

export class Redial {
  readonly #parts: RedialParts;

  constructor(parts: RedialParts) {
    this.#parts = parts;
  }

  /**
   * Why the call must be refused; undefined where it need not be. A device that dials again while its call still rings has
   * forgotten that call, after a reload for example: it is hung up. Calls of other people to other numbers do not count.
   */
  async takes(fact: Extract<MatrixFact, { kind: "call.invited" }>, ghost: UserId): Promise<"room-in-call" | undefined> {
    const { index, sameNumber, log } = this.#parts;
    const { room, sender, device, matrixCallId } = fact;
    const others = index.groups.inRoom(room).flatMap((runner) => {
      const leg = legOf(runner.call);
      if (leg === undefined || !isRunning(runner.call)) return [];
      return leg.person === sender || sameNumber(leg.ghost, ghost) ? [{ runner, leg }] : [];
    });
    const own = others.filter(
      ({ runner, leg }) =>
        leg.person === sender && device !== undefined && leg.device === device && !isAnswered(runner.call),
    );
    if (own.length < others.length) return "room-in-call";
    for (const { runner } of own) {
      log.info("client called again in the room of its own call: hanging up the earlier one", {
        room,
        call: runner.id,
        matrixCallId,
      });
      await runner.post({ kind: "matrix.hungUp", said: undefined });
    }
    return undefined;
  }
}

function isAnswered(call: Call): boolean {
  return !isIn(call, "offering", "inviting", "early");
}
