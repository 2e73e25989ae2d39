// Who is an admin, for logins to the console: those whom the configuration names.
import type { UserId } from "../../core/ids.ts";

export interface AdminLogins {
  /** Now: the configuration may have changed since a login. */
  isAdmin(person: UserId): boolean;
  /** Whose code of a login link it is; it is used up then. Undefined: nobody's, or no longer. */
  byCode(code: string): UserId | undefined;
  /** Whose OpenID token it is, of the homeserver's own people; undefined: no admin's. Rejects with HomeserverError. */
  byOpenId(token: string): Promise<UserId | undefined>;
}
