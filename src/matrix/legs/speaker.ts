// How clients of one kind are told of their legs.
import type { LegAddress, LegSignal } from "../../core/call/model/matrix-leg.ts";
import type { EventId, RoomId, UserId } from "../../core/ids.ts";

export interface Speaker {
  /** In order for one leg. Throws HomeserverError when it gives up, `UNSUPPORTED` where the client has no way to hear it. */
  say(leg: LegAddress, signal: LegSignal): Promise<void>;
}

/** The part of the outbox that speakers use. */
export interface Sender {
  /**
   * Gives the event's id. Whatever is sent under the same `transaction` in the same room by the same user is sent once, over a
   * restart too. Throws HomeserverError.
   */
  send(
    room: RoomId,
    as: UserId,
    type: string,
    content: Readonly<Record<string, unknown>>,
    delivery?: { readonly transaction?: string },
  ): Promise<string>;
  /** Takes back what `as` has sent. Throws HomeserverError. */
  redact(room: RoomId, as: UserId, event: EventId): Promise<void>;
  /** What a number says of its place in the room's call: in order, and it waits for no message. */
  inCall<T>(room: RoomId, work: () => Promise<T>): Promise<T>;
}

/** What is said once on a leg. */
export function onceName({ room, matrixCallId, own }: LegAddress, what: string): string {
  return [room, matrixCallId, own, what].join("\n");
}
