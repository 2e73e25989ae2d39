// The kinds of clients that the bridge speaks with, by the name that their legs carry.
import type { LegAddress, LegSignal } from "../../core/call/model/matrix-leg.ts";
import { legacyEvents, type OutgoingEvent } from "./legacy-events.ts";
import { legacyKind } from "./legacy-form.ts";

/** In the order of sending; none where it need not be said. Undefined: the client has no way to hear it. */
type EventsOf = (leg: LegAddress, signal: LegSignal) => readonly OutgoingEvent[] | undefined;

const kinds: ReadonlyMap<string, EventsOf> = new Map([[legacyKind, legacyEvents]]);

/** What says the signal to the leg's client. Undefined also for a leg that another release has made. */
export function eventsOf(leg: LegAddress, signal: LegSignal): readonly OutgoingEvent[] | undefined {
  return kinds.get(leg.form.kind)?.(leg, signal);
}
