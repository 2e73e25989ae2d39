// Who comes in, and who does not: web pages of other places never; over the port whoever brings the token or is logged in to the
// console; over the socket everybody, because only its owner can open it.
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { addressFamily } from "../../../core/address/ip.ts";
import { parseHostPort } from "../../../core/address/uri.ts";
import type { TokenCheck } from "../../token.ts";
import type { WrongTokens } from "../../wrong-tokens.ts";
import { secretsIn } from "./cookie.ts";
import type { Session, Sessions } from "./sessions.ts";
import { AdminError } from "../wire/admin-error.ts";

export interface Visitor {
  /** For the log of what admins do. */
  readonly who: string;
  /** In which they ask; undefined: in none. */
  readonly session: Session | undefined;
}

export interface Entrance {
  /** Throws AdminError where the request came here under the name of another place. */
  open(request: IncomingMessage): void;
  /** Who it is. Throws AdminError. */
  identify(request: IncomingMessage): Visitor;
}

/** `uid`: of the socket's owner, who alone can open it, with root. */
export function socketEntrance(uid: number): Entrance {
  return {
    open: () => {},
    identify: () => ({ who: `uid ${uid}`, session: undefined }),
  };
}

export interface PortEntranceParts {
  readonly check: TokenCheck;
  readonly wrong: WrongTokens;
  readonly sessions: Pick<Sessions, "use">;
  /** By which the port may be addressed, besides addresses and localhost. */
  readonly hostNames: readonly string[];
}

export function portEntrance({ check, wrong, sessions, hostNames }: PortEntranceParts): Entrance {
  const known = new Set(["localhost", ...hostNames.map((name) => name.toLowerCase())]);
  return {
    open({ headers }) {
      // A page that has its own name lead here sends that name (DNS rebinding).
      const host = parseHostPort(headers.host ?? "")?.host.toLowerCase();
      if (host === undefined || !(known.has(host) || addressFamily(host.replaceAll(/[[\]]/g, "")) !== undefined))
        throw new AdminError("forbidden", "this host name is not one of admin.host_names", { field: "Host" });
    },
    identify(request) {
      const { headers } = request;
      const peer = peerOf(request);
      if (headers.authorization === undefined) {
        for (const secret of secretsIn(headers.cookie)) {
          // Before the count of wrong tokens: behind a proxy, a stranger's guesses come from the same address.
          const session = sessions.use(secret);
          if (session === undefined) continue;
          if (request.method !== "GET" && request.method !== "HEAD") refuseForgeries(headers);
          return { who: session.who, session };
        }
      }
      refuseGuessers(peer, wrong);
      const token = check(headers.authorization);
      if (token === "right") return { who: `token from ${peer}`, session: undefined };
      if (token === "wrong") wrong.add(peer);
      const message = token === "missing" ? "bring the token: Authorization: Bearer TOKEN" : "this is not the token";
      throw new AdminError("unauthorized", message, { headers: { "www-authenticate": "Bearer" } });
    },
  };
}

export function peerOf({ socket }: IncomingMessage): string {
  return socket.remoteAddress ?? "";
}

/** Throws AdminError where too many wrong tokens came from this address. */
export function refuseGuessers(peer: string, wrong: Pick<WrongTokens, "waitMs">): void {
  const waitMs = wrong.waitMs(peer);
  if (waitMs === 0) return;
  const message = "too many wrong tokens came from this address; try again later";
  throw new AdminError("too_many_requests", message, { headers: { "retry-after": String(Math.ceil(waitMs / 1000)) } });
}

/** No form and no link of another page can send this header. */
const consoleHeader = "x-console";

/**
 * A browser brings the cookie by itself, so what changes something has to show that the console asks (CSRF). Gives the page's
 * origin. Throws AdminError.
 */
export function refuseForgeries({ origin, ...headers }: IncomingHttpHeaders): string {
  if (origin === undefined)
    throw new AdminError("forbidden", "only a page of this address may ask this", { field: "Origin" });
  if (headers[consoleHeader] === undefined)
    throw new AdminError("forbidden", `the header ${consoleHeader} is missing`, { field: consoleHeader });
  return origin;
}

/** A browser says from where a page asks. Only pages of this very address may. Throws AdminError. */
export function refusePages({ origin, host, ...headers }: IncomingHttpHeaders): void {
  const site = headers["sec-fetch-site"];
  const isOwn = origin === undefined || origin === `http://${host}` || origin === `https://${host}`;
  if (!isOwn || (site !== undefined && site !== "same-origin" && site !== "none"))
    throw new AdminError("forbidden", "web pages of other places may not ask here", { field: "Origin" });
}
