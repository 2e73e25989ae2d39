// Who a trunk says is at the other end, parsed by the SIP edge. How far it is believed: caller.ts.
import type { Uri } from "../address/uri.ts";
import type { DialString } from "../ids.ts";
import { contextIn, contextOf } from "../number/dialled.ts";

/** Whose telephone it is at the other end, as the trunk says it: the caller of an inbound call, or whoever is spoken to now. */
export interface RemoteIdentity {
  readonly from: SipAddressee;
  /** P-Asserted-Identity, else Remote-Party-ID with `screen=yes`; empty where the trunk asserts nothing (RFC 3325). */
  readonly asserted: readonly SipAddressee[];
  /** Values of Privacy, or of Remote-Party-ID's `privacy` (RFC 3323). */
  readonly privacy: readonly string[];
  /** STIR/SHAKEN's verdict of the trunk: `TN-Validation-Passed` and its like (ATIS-1000074). */
  readonly verstat: string | undefined;
  /** Values of the header by which the trunk marks spam, where the configuration names one. */
  readonly spamMarks?: readonly string[];
}

/** A name-addr, parsed: `user` is the user part or number of its URI, unescaped. */
export interface SipAddressee {
  readonly displayName: string | undefined;
  readonly uri: Uri;
  readonly user: string | undefined;
  readonly host: string | undefined;
}

/** Where a local number belongs, as its own parameters or those of its URI say (RFC 3966 s5.1.5). */
export function contextOfAddressee({ user = "", uri }: SipAddressee): DialString | undefined {
  const stated = uri.kind === "other" ? undefined : uri.params.get("phone-context");
  return contextOf(user.split(";").slice(1)) ?? contextIn(stated ?? "");
}

/** One diversion on the way to us (RFC 5806, RFC 7044), the latest first. */
export interface Diversion {
  readonly by: SipAddressee;
  /** `unconditional`, `user-busy`, `no-answer` ...; undefined where nothing is said. */
  readonly reason: string | undefined;
}
