// What is asked of a homeserver to find out what people will meet there, and nothing else: the bridge needs none of it.
import * as z from "zod";
import type { UserId } from "../../core/ids.ts";
import { HomeserverError } from "../../ports/homeserver.ts";
import { badAnswer, type HomeserverClient, type Patience } from "./homeserver-client.ts";

export interface HomeserverQuestions {
  /** The protocols of other networks, as clients are told of them; undefined: it has no such list. Throws HomeserverError. */
  protocols(as: UserId): Promise<readonly string[] | undefined>;
  /** Makes a private room in which `as` invites `user`, and leaves nobody in it. Throws HomeserverError if that is refused. */
  tryInvitation(as: UserId, user: UserId): Promise<void>;
}

const once: Patience = { again: "never", giveUpAfterMs: 4_000 };
const protocolsForm = z.record(z.string(), z.unknown());
const createdForm = z.object({ room_id: z.string().min(1).max(255) });
const noSuchRoute: ReadonlySet<string> = new Set(["M_UNRECOGNIZED", "M_NOT_FOUND", "HTTP_404", "HTTP_405"]);

export function homeserverQuestions(client: Pick<HomeserverClient, "request">): HomeserverQuestions {
  return {
    async protocols(as) {
      try {
        const path = ["v3", "thirdparty", "protocols"];
        const answer = await client.request(as, { method: "GET", path }, once);
        const parsed = protocolsForm.safeParse(answer);
        if (!parsed.success) throw badAnswer("thirdparty/protocols");
        return Object.keys(parsed.data);
      } catch (error) {
        if (error instanceof HomeserverError && noSuchRoute.has(error.code)) return undefined;
        throw error;
      }
    },
    async tryInvitation(as, user) {
      const room = { preset: "private_chat", visibility: "private", creation_content: { "m.federate": false } };
      const made = await client.request(as, { method: "POST", path: ["v3", "createRoom"], body: room }, once);
      const parsed = createdForm.safeParse(made);
      if (!parsed.success) throw badAnswer("createRoom");
      const say = (who: UserId, verb: string, body = {}): Promise<unknown> =>
        client.request(who, { method: "POST", path: ["v3", "rooms", parsed.data.room_id, verb], body }, once);
      const goAway = (who: UserId): Promise<unknown> =>
        say(who, "leave").then(
          () => say(who, "forget").catch(() => undefined),
          () => undefined,
        );
      try {
        await say(as, "invite", { user_id: user });
        await goAway(user);
      } finally {
        await goAway(as);
      }
    },
  };
}
