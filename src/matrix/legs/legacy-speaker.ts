// Speaks with clients of the Matrix VoIP module, in events alone.
import type { LegAddress, LegSignal } from "../../core/call/model/matrix-leg.ts";
import { HomeserverError } from "../../ports/homeserver.ts";
import { legacyEvents } from "./legacy-events.ts";
import { onceName, type Sender, type Speaker } from "./speaker.ts";

/** What is said once in a call: said again, after a restart say, it is no second event. */
const saidOnce: ReadonlySet<string> = new Set([
  "m.call.invite",
  "m.call.answer",
  "m.call.select_answer",
  "m.call.reject",
  "m.call.hangup",
]);

export class LegacySpeaker implements Speaker {
  readonly #outbox: Pick<Sender, "send">;

  constructor(outbox: Pick<Sender, "send">) {
    this.#outbox = outbox;
  }

  async say(leg: LegAddress, signal: LegSignal): Promise<void> {
    const events = legacyEvents(leg, signal);
    if (events === undefined) throw new HomeserverError("UNSUPPORTED", "the client has no way to hear this", false);
    // Queued together, so that nothing comes between them.
    await Promise.all(
      events.map(({ type, content }) =>
        this.#outbox.send(
          leg.room,
          leg.ghost,
          type,
          content,
          saidOnce.has(type) ? { transaction: onceName(leg, type) } : {},
        ),
      ),
    );
  }
}
