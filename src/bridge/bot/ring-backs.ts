// Somebody asks the bot for a number, with a client that has no way to dial: the bot rings them in their room, and dials when
// they answer. Until then there is no call: what a crash leaves is taken back by the homeserver.
import type { Cause } from "../../core/call/model/cause.ts";
import type { LegAddress } from "../../core/call/model/matrix-leg.ts";
import type { MatrixCallId, RoomId, UserId } from "../../core/ids.ts";
import type { GhostNumber } from "../../core/number/plan/number-key.ts";
import { attempt } from "../../ports/attempt.ts";
import type { Clock } from "../../ports/clock.ts";
import type { CallReference, Homeserver, MatrixFact } from "../../ports/homeserver.ts";
import type { Log } from "../../ports/telemetry.ts";
import type { ClientKinds } from "../admission/client-kinds.ts";
import type { Invitation } from "../admission/outbound-admission.ts";
import type { OccupiedRooms } from "../rooms/occupied-rooms.ts";

export interface RingBacksParts {
  readonly homeserver: Pick<Homeserver, "bot" | "ownSide" | "signal">;
  readonly clientKinds: Pick<ClientKinds, "of">;
  readonly occupied: Pick<OccupiedRooms, "callsIn">;
  /** The person has answered: dials the number. False where no call has come of it. */
  readonly place: (invitation: Pick<Invitation, "fact" | "ghost" | "own">) => Promise<boolean>;
  readonly clock: Clock;
  readonly log: Log;
}

interface Ringing {
  readonly leg: LegAddress;
  readonly person: UserId;
  readonly number: GhostNumber;
  readonly cancel: () => void;
}

/** Who has just asked for it is there. */
const ringMs = 45_000;
/** How long the other telephone may ring: the person hears it do so. */
const dialMs = 120_000;

type Signal = Extract<MatrixFact, CallReference>;

export class RingBacks {
  readonly #parts: RingBacksParts;
  readonly #ringing = new Map<MatrixCallId, Ringing>();

  constructor(parts: RingBacksParts) {
    this.#parts = parts;
  }

  /** False where it cannot be done: the person has other clients, or a call in that room. Never rejects for the homeserver. */
  async begin(room: RoomId, person: UserId, number: GhostNumber): Promise<boolean> {
    const { homeserver, clientKinds, occupied, clock, log } = this.#parts;
    const side = clientKinds
      .of(person)
      .map((kind) => homeserver.ownSide([kind]))
      // Others would have to be offered media before it is known where to.
      .find(({ form }) => form.media === "own");
    if (side === undefined || occupied.callsIn(room).length > 0 || this.#isRinging(room)) return false;
    const leg: LegAddress = { ...side, room, ghost: homeserver.bot };
    const cancel = clock.at(clock.nowMs() + ringMs, () => void this.#end(leg.matrixCallId, "no-answer"));
    this.#ringing.set(leg.matrixCallId, { leg, person, number, cancel });
    const invite = { kind: "invite", description: "", lifetimeMs: ringMs, invitee: person } as const;
    const rung = attempt(
      homeserver.signal(leg, invite).then(() => true),
      log,
      "could not ring a person who wants to call",
      { room },
    );
    if ((await rung) === true) return true;
    await this.#end(leg.matrixCallId, "unavailable");
    return false;
  }

  /** Whether what a client says is about a call that the bot rings with. Never rejects for the homeserver. */
  async take(signal: Signal): Promise<boolean> {
    const ringing = this.#ringing.get(signal.matrixCallId);
    if (ringing === undefined || ringing.leg.room !== signal.room || ringing.person !== signal.sender) return false;
    if (signal.kind === "call.answered") await this.#answered(ringing, signal);
    else if (signal.kind === "call.rejected" || signal.kind === "call.hungUp")
      await this.#end(signal.matrixCallId, "declined");
    return true;
  }

  /** Whoever is being rung is not any more. */
  async stop(): Promise<void> {
    await Promise.all([...this.#ringing.keys()].map((id) => this.#end(id, "restarting")));
  }

  #isRinging(room: RoomId): boolean {
    return [...this.#ringing.values()].some(({ leg }) => leg.room === room);
  }

  async #answered(ringing: Ringing, answer: Extract<Signal, { kind: "call.answered" }>): Promise<void> {
    const { leg, number, cancel } = ringing;
    cancel();
    this.#ringing.delete(leg.matrixCallId);
    const { homeserver, log } = this.#parts;
    const { device } = answer;
    // The person's other devices ring no longer.
    if (device !== undefined)
      void attempt(homeserver.signal(leg, { kind: "select", device }), log, "could not stop ringing", {
        room: leg.room,
      });
    let isPlaced = false;
    try {
      isPlaced = await this.#parts.place({
        fact: { ...answer, kind: "call.invited", video: false, lifetimeMs: dialMs, invitee: leg.ghost },
        ghost: { ...number, user: leg.ghost },
        own: leg.own,
      });
    } finally {
      if (!isPlaced) await this.#hangUp(leg, "unavailable");
    }
  }

  async #end(id: MatrixCallId, cause: Cause): Promise<void> {
    const ringing = this.#ringing.get(id);
    if (ringing === undefined) return;
    ringing.cancel();
    this.#ringing.delete(id);
    await this.#hangUp(ringing.leg, cause);
  }

  async #hangUp(leg: LegAddress, cause: Cause): Promise<void> {
    const { homeserver, log } = this.#parts;
    await attempt(homeserver.signal(leg, { kind: "hangup", cause }), log, "could not stop ringing", { room: leg.room });
  }
}
