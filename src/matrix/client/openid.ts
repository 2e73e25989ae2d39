// Whose OpenID token it is (server-server API, "OpenID"). The homeserver itself is asked, and believed of its own people alone.
import * as z from "zod";
import { domainOf, parseUserId, type UserId } from "../../core/ids.ts";
import { badAnswer, type HomeserverClient } from "./homeserver-client.ts";
import { failureOf } from "./request-failure.ts";

const form = z.object({ sub: z.string() });
const unknownToken: ReadonlySet<string> = new Set(["M_UNKNOWN_TOKEN", "M_MISSING_TOKEN"]);

/** Undefined: nobody's. Throws HomeserverError. */
export async function openIdUser(
  token: string,
  client: Pick<HomeserverClient, "openIdUserInfo">,
  domain: string,
): Promise<UserId | undefined> {
  const answer = await client
    .openIdUserInfo(token, { again: "never", giveUpAfterMs: 5_000 })
    .catch((cause: unknown) => {
      const { error } = failureOf(cause);
      if (unknownToken.has(error.code)) return undefined;
      throw error;
    });
  if (answer === undefined) return undefined;
  const parsed = form.safeParse(answer);
  if (!parsed.success) throw badAnswer("openid/userinfo");
  const user = parseUserId(parsed.data.sub);
  return user !== undefined && domainOf(user) === domain ? user : undefined;
}
