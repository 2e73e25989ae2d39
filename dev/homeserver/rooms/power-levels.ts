// m.room.power_levels: its defaults (client-server API "m.room.power_levels") and reading it.
import type { JsonObject } from "../http/json.ts";
import { isJsonObject } from "../http/json.ts";
import type { Room } from "./room.ts";

export type PowerAction = "invite" | "kick" | "ban" | "redact";

const actionDefaults = { invite: 0, kick: 50, ban: 50, redact: 50 } as const;

export class PowerLevels {
  readonly #content: JsonObject | undefined;
  readonly #creator: string | undefined;

  constructor(room: Room) {
    this.#content = room.state("m.room.power_levels")?.content;
    this.#creator = room.state("m.room.create")?.sender;
  }

  ofUser(userId: string): number {
    // Without the event the creator has 100 and everyone else 0.
    if (!this.#content) return userId === this.#creator ? 100 : 0;
    return numberAt(this.#content["users"], userId) ?? numberAt(this.#content, "users_default") ?? 0;
  }

  toSend(type: string, isState: boolean): number {
    const fallback = isState ? "state_default" : "events_default";
    return (
      numberAt(this.#content?.["events"], type) ??
      numberAt(this.#content, fallback) ??
      (isState && this.#content ? 50 : 0)
    );
  }

  toDo(action: PowerAction): number {
    return numberAt(this.#content, action) ?? actionDefaults[action];
  }
}

function numberAt(object: unknown, key: string): number | undefined {
  const value = isJsonObject(object) && Object.hasOwn(object, key) ? object[key] : undefined;
  return typeof value === "number" ? value : undefined;
}
