// A caller identity as header fields: From, P-Asserted-Identity, P-Preferred-Identity, Privacy (RFC 3325, RFC 3323).
// Which identity a caller has was decided before; here it is only made safe to send.
import type { CallerIdentity } from "../../core/policy/caller-identity.ts";
import {
  assertedIdentityHeader,
  formatAddress,
  preferredIdentityHeader,
  privacyHeader,
  sipUri,
  type HeaderLine,
  type PrivacyValue,
} from "../wire/header-builder.ts";
import { formatUri } from "../../core/address/uri.ts";

export interface IdentityHeaders {
  /** From without the tag, and its URI. */
  readonly from: string;
  readonly fromUri: string;
  readonly headers: readonly HeaderLine[];
}

const PRIVACY_VALUES: readonly string[] = ["id", "user", "header", "session", "history", "critical", "none"];

function isPrivacyValue(value: string): value is PrivacyValue {
  return PRIVACY_VALUES.includes(value);
}

/** `trunkHost` stands in From where the identity names no host. Throws HeaderBuildError for what no header can hold. */
export function identityHeaders(identity: CallerIdentity, trunkHost: string): IdentityHeaders {
  const { from, asserted, preferred, privacy } = identity;
  const uri = sipUri({ user: from.user, host: from.host ?? trunkHost });
  const headers: HeaderLine[] = [];
  if (asserted.length > 0) headers.push(assertedIdentityHeader(...asserted.map((uri) => ({ uri }))));
  if (preferred !== undefined) headers.push(preferredIdentityHeader({ uri: preferred }));
  const values = privacy.map((value) => value.toLowerCase()).filter(isPrivacyValue);
  if (values.length > 0) headers.push(privacyHeader(...values));
  const displayName = from.displayName ?? "";
  return { from: formatAddress({ displayName, uri }), fromUri: formatUri(uri), headers };
}
