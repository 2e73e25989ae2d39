// Who comes in, and who does not: web pages never, whoever comes over the port with the token alone, whoever opens the socket
// because only its owner can.
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { addressFamily } from "../../core/address/ip.ts";
import { parseHostPort } from "../../core/address/uri.ts";
import type { TokenCheck } from "../token.ts";
import type { WrongTokens } from "../wrong-tokens.ts";
import { AdminError } from "./wire/admin-error.ts";

/** Throws AdminError; gives who it is, for the log of what admins do. */
export type Entrance = (request: IncomingMessage) => string;

/** `uid`: of the socket's owner, who alone can open it, with root. */
export function socketEntrance(uid: number): Entrance {
  return ({ headers }) => {
    refusePages(headers);
    return `uid ${uid}`;
  };
}

export interface PortEntranceParts {
  readonly check: TokenCheck;
  readonly wrong: WrongTokens;
  /** By which the port may be addressed, besides addresses and localhost. */
  readonly hostNames: readonly string[];
}

export function portEntrance({ check, wrong, hostNames }: PortEntranceParts): Entrance {
  const known = new Set(["localhost", ...hostNames.map((name) => name.toLowerCase())]);
  return ({ headers, socket }) => {
    // A page that has its own name lead here sends that name (DNS rebinding).
    const host = parseHostPort(headers.host ?? "")?.host.toLowerCase();
    if (host === undefined || !(known.has(host) || addressFamily(host.replaceAll(/[[\]]/g, "")) !== undefined))
      throw new AdminError("forbidden", "this host name is not one of admin.host_names", { field: "Host" });
    refusePages(headers);
    const peer = socket.remoteAddress ?? "";
    const waitMs = wrong.waitMs(peer);
    if (waitMs > 0) {
      const message = "too many wrong tokens came from this address; try again later";
      throw new AdminError("too_many_requests", message, {
        headers: { "retry-after": String(Math.ceil(waitMs / 1000)) },
      });
    }
    const token = check(headers.authorization);
    if (token === "right") return `token from ${peer}`;
    if (token === "wrong") wrong.add(peer);
    const message = token === "missing" ? "bring the token: Authorization: Bearer TOKEN" : "this is not the token";
    throw new AdminError("unauthorized", message, { headers: { "www-authenticate": "Bearer" } });
  };
}

/** A browser says from where a page asks. Only pages of this very address may. */
function refusePages({ origin, host, ...headers }: IncomingHttpHeaders): void {
  const site = headers["sec-fetch-site"];
  const isOwn = origin === undefined || origin === `http://${host}` || origin === `https://${host}`;
  if (!isOwn || (site !== undefined && site !== "same-origin" && site !== "none"))
    throw new AdminError("forbidden", "web pages of other places may not ask here", { field: "Origin" });
}
