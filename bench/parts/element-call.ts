// The events of one call as Element Web and Synapse were recorded to send them (test/wire/element-web), with ids of its own.
import { readFileSync } from "node:fs";
import { domain } from "./house.ts";
import type { RoomEvent } from "./homeserver-double.ts";

function recorded(name: string): RoomEvent {
  const file = new URL(`../../test/wire/element-web/${name}.json`, import.meta.url);
  const { body } = JSON.parse(readFileSync(file, "utf8")) as { body: { events: RoomEvent[] } };
  const [event] = body.events;
  if (event === undefined) throw new Error(`${name} holds no event`);
  return event;
}

const records = {
  memberInvite: recorded("out-member-invite"),
  memberJoin: recorded("in-user-joined"),
  invite: recorded("out-invite"),
  candidates: recorded("out-candidates"),
  selectAnswer: recorded("out-select_answer"),
  hangup: recorded("out-hangup"),
  answer: recorded("in-answer"),
};

let eventCount = 0;

/** A call of a person who has never called before, to a number that nobody has called before, in a new room. */
export class ElementCall {
  readonly room: string;
  readonly person: string;
  readonly ghost: string;
  readonly matrixCallId: string;
  /** As dialled, if somebody dialled it. */
  readonly number: string | undefined;

  constructor(name: string, ghost: string, person = `@person-${name}:${domain}`, number?: string) {
    this.room = `!room-${name}:${domain}`;
    this.person = person;
    this.ghost = ghost;
    this.matrixCallId = `call-${name}`;
    this.number = number;
  }

  memberInvite(): RoomEvent {
    return this.#event(records.memberInvite, this.person, {}, { state_key: this.ghost });
  }

  /** What the homeserver tells the bridge of its own ghost. */
  ghostJoined(): RoomEvent {
    return this.#event(records.memberJoin, this.ghost, {}, { state_key: this.ghost });
  }

  /** Somebody who is called accepts the invitation into the ghost's room. */
  personJoined(): RoomEvent {
    return this.#event(records.memberJoin, this.person, {}, { state_key: this.person });
  }

  /** Of the bridge's own call. */
  answer(matrixCallId: unknown): RoomEvent {
    return this.#callEvent(records.answer, { call_id: matrixCallId });
  }

  invite(): RoomEvent {
    return this.#callEvent(records.invite);
  }

  candidates(): RoomEvent {
    return this.#callEvent(records.candidates);
  }

  /** The ghost's own event comes back to the bridge. */
  echo(type: string, content: RoomEvent): RoomEvent {
    return this.#event(records.selectAnswer, this.ghost, content, { type, content });
  }

  selectAnswer(party: string): RoomEvent {
    return this.#callEvent(records.selectAnswer, { selected_party_id: party });
  }

  hangup(): RoomEvent {
    return this.#callEvent(records.hangup);
  }

  #callEvent(record: RoomEvent, content: RoomEvent = {}): RoomEvent {
    return this.#event(record, this.person, { call_id: this.matrixCallId, ...content });
  }

  #event(record: RoomEvent, sender: string, content: RoomEvent, more: RoomEvent = {}): RoomEvent {
    return {
      ...record,
      content: { ...(record["content"] as RoomEvent), ...content },
      event_id: `$event${(eventCount += 1)}`,
      origin_server_ts: Date.now(),
      room_id: this.room,
      sender,
      user_id: sender,
      ...more,
    };
  }
}
