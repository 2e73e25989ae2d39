// Lets admins in: each way to show who one is gives a session.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { TokenCheck } from "../../token.ts";
import type { WrongTokens } from "../../wrong-tokens.ts";
import { peerOf, refuseForgeries, refuseGuessers } from "./entrance.ts";
import { AdminError } from "../wire/admin-error.ts";
import type { LoginOrder } from "../wire/session.ts";
import { cookieOf } from "./cookie.ts";
import type { Session, Sessions } from "./sessions.ts";

export interface LoginParts {
  readonly check: TokenCheck;
  readonly wrong: WrongTokens;
  readonly sessions: Sessions;
  /** Who has logged in, for the log of what admins do. */
  readonly onLogin: (who: string) => Promise<void>;
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
  refuseGuessers(peer, parts.wrong);
  if (parts.check(`Bearer ${order.token}`) !== "right") {
    parts.wrong.add(peer);
    throw new AdminError("unauthorized", "this is not the token", { field: "token" });
  }
  const { secret, session } = parts.sessions.begin(`token from ${peer}`, undefined);
  response.setHeader("set-cookie", cookieOf(secret, origin));
  await parts.onLogin(session.who);
  return session;
}
