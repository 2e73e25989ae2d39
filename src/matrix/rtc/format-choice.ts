// In which format we take part in a call: in that of the people whom we meet there, if the homeserver and the token service let
// us. Clients of both formats read room state, so that is what we write where nothing is known.
import type { RoomId, UserId } from "../../core/ids.ts";
import { RecentMap } from "../../core/recent-map.ts";
import type { HomeserverClient } from "../client/homeserver-client.ts";
import type { Features } from "../client/features.ts";
import { failureOf } from "../client/request-failure.ts";
import { askEncrypted } from "../client/room-state.ts";
import type { Encryption } from "../encryption/encryption.ts";
import type { Log } from "../../ports/telemetry.ts";
import type { MembershipFormat, RtcEvent } from "../wire/rtc.ts";
import type { MediaServices } from "./media-services.ts";
import type { Met } from "./tracker/rtc-call.ts";

export interface FormatChoiceParts {
  readonly client: HomeserverClient;
  readonly features: Pick<Features, "has">;
  readonly services: Pick<MediaServices, "servesMembers">;
  /** undefined: nothing is written in encrypted rooms. */
  readonly encryption: Pick<Encryption, "works" | "isEncrypted"> | undefined;
  readonly log: Log;
}

/** A call that we are about to come into. */
export interface Meeting extends Met {
  readonly room: RoomId;
  /** Who of ours comes in. */
  readonly user: UserId;
  /** Whom we ring; undefined: nobody, or all in the room. */
  readonly person?: UserId | undefined;
}

/** People, and people in rooms, of whom it is known what their clients write. */
const mostSeen = 20_000;

export class FormatChoice {
  readonly #parts: FormatChoiceParts;
  readonly #seen = new RecentMap<string, MembershipFormat>(mostSeen);

  constructor(parts: FormatChoiceParts) {
    this.#parts = parts;
  }

  /** What a person's client writes, the older before the newer. */
  note({ room, membership: { user, format } }: Pick<Extract<RtcEvent, { kind: "rtc.joined" }>, "room" | "membership">) {
    this.#seen.set(user, format);
    this.#seen.set(inRoom(user, room), format);
  }

  /** Never rejects. */
  async choose(meeting: Meeting): Promise<MembershipFormat> {
    return this.#wanted(meeting) === "sticky" && (await this.#canStick(meeting)) ? "sticky" : "state";
  }

  #wanted({ room, present, person }: Meeting): MembershipFormat {
    if (present.length > 0) return present.every(({ format }) => format === "sticky") ? "sticky" : "state";
    if (person === undefined) return "state";
    return this.#seen.get(inRoom(person, room)) ?? this.#seen.get(person) ?? "state";
  }

  async #canStick({ room, user, service }: Meeting): Promise<boolean> {
    const { client, features, services, encryption, log } = this.#parts;
    try {
      if ((await features.has("org.matrix.msc4354")) !== true) return false;
      if (service === undefined || !(await services.servesMembers(service))) return false;
      // A membership in the clear would tell less people than see the room's other events: sticky ones are encrypted there.
      if (encryption?.works === true) return true;
      return !(await (encryption?.isEncrypted(room, user) ?? askEncrypted(client, room, user)));
    } catch (cause) {
      log.debug("it is not known whether a number's membership can be sticky", {
        room,
        code: failureOf(cause).error.code,
      });
      return false;
    }
  }
}

function inRoom(user: UserId, room: RoomId): string {
  return `${user} ${room}`;
}
