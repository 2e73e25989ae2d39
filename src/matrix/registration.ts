// The registration that bridge and homeserver share (Matrix application service API, "Registration"), as far as this edge reads it.
import { parseUserId, type UserId } from "../core/ids.ts";

export interface RegistrationDocument {
  readonly id: string;
  readonly url: string | null;
  readonly as_token: string;
  readonly hs_token: string;
  readonly sender_localpart: string;
  readonly rate_limited?: boolean;
  readonly protocols?: readonly string[];
  readonly namespaces: {
    readonly users: readonly { readonly regex: string; readonly exclusive: boolean }[];
  };
}

/** A user of ours. Throws where localpart and domain make no user id. */
export function ownUser(localpart: string, domain: string): UserId {
  const user = parseUserId(`@${localpart}:${domain}`);
  if (user === undefined) throw new TypeError(`${localpart} and the domain make no valid user id`);
  return user;
}
