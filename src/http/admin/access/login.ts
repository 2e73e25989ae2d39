// Lets admins in: each way to show who one is gives a session.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { UserId } from "../../../core/ids.ts";
import type { AdminLogins } from "../../../ports/admin/admin-logins.ts";
import { HomeserverError } from "../../../ports/homeserver.ts";
import type { TokenCheck } from "../../token.ts";
import type { WrongTokens } from "../../wrong-tokens.ts";
import { AdminError } from "../wire/admin-error.ts";
import type { LoginOrder } from "../wire/session.ts";
import { cookieOf } from "./cookie.ts";
import { peerOf, refuseForgeries, refuseGuessers } from "./entrance.ts";
import type { Session, Sessions } from "./sessions.ts";

export interface LoginParts {
  readonly check: TokenCheck;
  readonly wrong: WrongTokens;
  readonly sessions: Sessions;
  readonly logins: Omit<AdminLogins, "isAdmin">;
  /** Who has logged in, and how, for the log of what admins do. */
  readonly onLogin: (who: string, way: "token" | "link" | "OpenID") => Promise<void>;
}

/** Throws AdminError. */
export async function logIn(
  order: LoginOrder,
  request: IncomingMessage,
  response: ServerResponse,
  parts: LoginParts,
): Promise<Session> {
  const origin = refuseForgeries(request.headers);
  const peer = peerOf(request);
  // A code cannot be guessed, so it is a way in for admins behind a proxy that a stranger has had closed.
  if (!("code" in order)) refuseGuessers(peer, parts.wrong);
  const { person, way } = await identified(order, peer, parts);
  const { secret, session } = parts.sessions.begin(person ?? `token from ${peer}`, person);
  response.setHeader("set-cookie", cookieOf(secret, origin));
  await parts.onLogin(session.who, way);
  return session;
}

type Identified =
  | { readonly way: "token"; readonly person: undefined }
  | { readonly way: "link" | "OpenID"; readonly person: UserId };

async function identified(order: LoginOrder, peer: string, parts: LoginParts): Promise<Identified> {
  const { check, wrong, logins } = parts;
  const refused = (field: string, message: string): AdminError => {
    wrong.add(peer);
    return new AdminError("unauthorized", message, { field });
  };
  if ("token" in order) {
    if (check(`Bearer ${order.token}`) !== "right") throw refused("token", "this is not the token");
    return { way: "token", person: undefined };
  }
  if ("code" in order) {
    const person = logins.byCode(order.code);
    if (person === undefined)
      throw refused("code", "this link is used up or too old: write console to the bot for another one");
    return { way: "link", person };
  }
  const person = await logins.byOpenId(order.openid.access_token).catch((cause: unknown) => {
    if (!(cause instanceof HomeserverError)) throw cause;
    throw new AdminError("unavailable", `the homeserver does not say whose OpenID token this is: ${cause.message}`);
  });
  if (person === undefined)
    throw refused("openid", "this OpenID token is none of an admin of the bridge (admin.users)");
  return { way: "OpenID", person };
}
