// Who the telephone network is told is calling: From, P-Asserted-Identity, P-Preferred-Identity and Privacy
// (RFC 3261 s8.1.1.3, RFC 3325, RFC 3323), filled from a trunk's templates for one Matrix user.

/** Finished values; the SIP edge escapes them when it writes headers. */
export interface CallerIdentity {
  readonly from: { readonly user: string; readonly host: string | undefined; readonly displayName: string | undefined };
  /** URIs, `sip:` or `tel:`. */
  readonly asserted: readonly string[];
  readonly preferred: string | undefined;
  /** `id`, `user`, `header`, `session`, `critical`, `none`. */
  readonly privacy: readonly string[];
}
