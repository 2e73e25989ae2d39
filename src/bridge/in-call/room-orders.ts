// What a person writes and taps in the room of a call that a client without a keypad has: keys for the telephone, and whom
// to transfer it to. Everything else is a text, as always.
import { isIn } from "../../core/call/model/call.ts";
import { isRunning, legOf } from "../../core/call/model/queries.ts";
import { parseUserId, type UserId } from "../../core/ids.ts";
import type { GhostIds } from "../../core/number/ghost/ghost-id.ts";
import { attempt } from "../../ports/attempt.ts";
import type { Homeserver, MatrixFact } from "../../ports/homeserver.ts";
import type { Log } from "../../ports/telemetry.ts";
import type { CallIndex } from "../calls/call-index.ts";
import type { CallRunner } from "../calls/call-runner.ts";
import type { Keypads, Tap } from "./keypads.ts";

export interface RoomOrdersParts {
  readonly index: CallIndex;
  readonly ids: Pick<GhostIds, "forDialled">;
  readonly keypads: Pick<Keypads, "moved" | "open" | "take">;
  readonly homeserver: Pick<Homeserver, "bot" | "markRead" | "notice">;
  readonly log: Log;
}

/** More than any menu asks for: a card's number and its code, say. */
const keysForm = /^[0-9*#]{1,64}$/;
const keypadForm = /^!?key(?:pad|s)$/i;
const transferForm = /^!?transfer(?:\s+(?:to\s+)?(.*))?$/is;

const helpWords = "To whom? Write a number or a Matrix user. Example: transfer +44 1632 960123";

type Message = Extract<MatrixFact, { kind: "message.received" }>;

/** A call, and as whom we are in its room. */
interface Talking {
  readonly runner: CallRunner;
  readonly ghost: UserId;
}

export class RoomOrders {
  readonly #parts: RoomOrdersParts;

  constructor(parts: RoomOrdersParts) {
    this.#parts = parts;
  }

  /** True if it was an order, which has been carried out or refused in words. Never rejects for the homeserver. */
  async take(message: Message, where: "the bot's room" | "a number's room"): Promise<boolean> {
    const { index, homeserver, keypads } = this.#parts;
    const { room, sender, form, edits, eventId } = message;
    if (form !== "text" || edits) return false;
    const here = talkingIn(index.groups.inRoom(room), sender);
    const keys = message.body.replaceAll(/[\s-]/g, "");
    if (here !== undefined && keysForm.test(keys)) {
      await here.runner.post({ kind: "matrix.keyed", keys });
      void homeserver.markRead(room, here.ghost, eventId);
      return true;
    }
    if (here !== undefined && keypadForm.test(message.body.trim())) {
      void homeserver.markRead(room, here.ghost, eventId);
      // Its keys come one by one, and what the person does next does not wait for them.
      void keypads.open({ call: here.runner.id, room, ghost: here.ghost, person: sender });
      return true;
    }
    const transfer = transferForm.exec(message.body.trim());
    // The bot hears it of a call in another room too.
    const talking =
      here ?? (where === "the bot's room" ? talkingIn(index.groups.chargedTo(sender), sender) : undefined);
    if (transfer === null || talking === undefined) return false;
    await this.#transfer(message, { ...talking, ghost: here?.ghost ?? homeserver.bot }, transfer[1] ?? "");
    return true;
  }

  /** A reaction of somebody's, or one that they took back: mostly nothing. Never rejects. */
  async tapped(tap: Tap, isLate: boolean): Promise<void> {
    const { index, keypads } = this.#parts;
    // What is too late for a key still says what the next tap takes back.
    const pressed = keypads.take(tap);
    if (pressed === undefined || isLate) return;
    await index.get(pressed.call)?.post({ kind: "matrix.keyed", keys: pressed.key });
  }

  /** A call is somewhere else than before, or over. */
  changed({ id, call }: CallRunner): void {
    this.#parts.keypads.moved(id, isRunning(call) ? legOf(call)?.room : undefined);
  }

  async #transfer({ room, eventId }: Message, { runner, ghost }: Talking, to: string): Promise<void> {
    const { ids, homeserver, log } = this.#parts;
    const found = ids.forDialled(to);
    const target = parseUserId(to) ?? (found.kind === "ghost" ? found.user : undefined);
    if (target !== undefined) await runner.post({ kind: "matrix.replaced", order: { kind: "blind", target } });
    else await attempt(homeserver.notice(room, ghost, helpWords, eventId), log, "could not answer a person", { room });
  }
}

/** The person's own call among these, if their client has no keypad. */
function talkingIn(runners: readonly CallRunner[], writer: UserId): Talking | undefined {
  for (const runner of runners) {
    if (!isIn(runner.call, "connected")) continue;
    const { person, ghost, abilities } = runner.call.phase.leg;
    if (person === writer && !abilities.hasKeypad) return { runner, ghost };
  }
  return undefined;
}
