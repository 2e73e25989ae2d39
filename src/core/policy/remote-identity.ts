// Who a trunk says is at the other end, parsed by the SIP edge. How far it is believed: caller.ts.

/** Whose telephone it is at the other end, as the trunk says it: the caller of an inbound call, or whoever is spoken to now. */
export interface RemoteIdentity {
  readonly from: SipAddressee;
  /** P-Asserted-Identity, else Remote-Party-ID with `screen=yes`; empty where the trunk asserts nothing (RFC 3325). */
  readonly asserted: readonly SipAddressee[];
  /** Values of Privacy, or of Remote-Party-ID's `privacy` (RFC 3323). */
  readonly privacy: readonly string[];
  /** STIR/SHAKEN's verdict of the trunk: `TN-Validation-Passed` and its like (ATIS-1000074). */
  readonly verstat: string | undefined;
}

/** A name-addr, parsed: `uri` is a `sip:`, `sips:` or `tel:` URI; `user` its user part or number, unescaped. */
export interface SipAddressee {
  readonly displayName: string | undefined;
  readonly uri: string;
  readonly user: string | undefined;
  readonly host: string | undefined;
}

/** One diversion on the way to us (RFC 5806, RFC 7044), the latest first. */
export interface Diversion {
  readonly by: SipAddressee;
  /** `unconditional`, `user-busy`, `no-answer` ...; undefined where nothing is said. */
  readonly reason: string | undefined;
}
