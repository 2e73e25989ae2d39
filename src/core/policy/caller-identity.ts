// Who the telephone network is told is calling: From, P-Asserted-Identity, P-Preferred-Identity and Privacy
// (RFC 3261 s8.1.1.3, RFC 3325, RFC 3323), filled from a trunk's templates for one Matrix user.
import { domainOf, localpartOf, type UserId } from "../ids.ts";
import { isHost } from "../address/host.ts";
import { escapeUser, makeSipUri, parseUri, type SipUri, type TelUri } from "../address/uri.ts";
import { oneLine } from "./one-line.ts";

type IdentityUri = SipUri | TelUri;

/** Who the telephone network is told is calling: finished values; the SIP edge escapes them when it writes headers. */
export interface CallerIdentity {
  readonly from: { readonly user: string; readonly host: string | undefined; readonly displayName: string | undefined };
  readonly asserted: readonly IdentityUri[];
  readonly preferred: IdentityUri | undefined;
  /** `id`, `user`, `header`, `session`, `critical`, `none`. */
  readonly privacy: readonly string[];
}

/**
 * Texts in which `{localpart}`, `{domain}`, `{user_id}`, `{displayname}` and `{number}` stand for the caller's own.
 * `{number}` is the caller's telephone number. A text that needs what the caller does not have is left out.
 */
export interface IdentityTemplates {
  readonly fromUser: string;
  /** Used where `fromUser` cannot be filled; `anonymous` if this cannot either. */
  readonly fallbackUser: string | undefined;
  readonly fromHost: string | undefined;
  readonly fromDisplayName: string | undefined;
  readonly asserted: readonly string[];
  readonly preferred: string | undefined;
  readonly privacy: readonly string[];
  /** Telephone numbers by Matrix user id. */
  readonly numbers: ReadonlyMap<string, string>;
  /** For everybody who has none there. */
  readonly defaultNumber: string | undefined;
}

export const identityPlaceholders = ["localpart", "domain", "user_id", "displayname", "number"] as const;
type IdentityPlaceholder = (typeof identityPlaceholders)[number];

const placeholder = /\{([a-z_]*)\}/g;

/** Whether the caller's display name is wanted at all. */
export function showsDisplayName({ fromUser, fallbackUser, fromDisplayName, ...others }: IdentityTemplates): boolean {
  const templates = [fromUser, fallbackUser, fromDisplayName, ...others.asserted, others.preferred];
  return templates.some((template) => template?.includes("{displayname}") === true);
}

/** `displayName` is the caller's Matrix display name, if it is known. `withheld`: for this call the callee is not to see who calls. */
export function callerIdentity(
  person: UserId,
  displayName: string | undefined,
  templates: IdentityTemplates,
  { withheld = false }: { readonly withheld?: boolean } = {},
): CallerIdentity {
  const values: Readonly<Record<IdentityPlaceholder, string | undefined>> = {
    localpart: localpartOf(person),
    domain: domainOf(person),
    user_id: person,
    displayname: displayName === undefined ? localpartOf(person) : displayName,
    number: templates.numbers.get(person) ?? templates.defaultNumber,
  };
  const plain = (template: string | undefined) => oneLine(fill(template, values, (value) => value));
  const uri = (template: string | undefined) => usableUri(fill(template, values, escapeUser));
  const identity: CallerIdentity = {
    from: {
      user: plain(templates.fromUser) ?? plain(templates.fallbackUser) ?? "anonymous",
      host: templates.fromHost,
      displayName: plain(templates.fromDisplayName),
    },
    asserted: templates.asserted.flatMap((template) => uri(template) ?? []),
    preferred: uri(templates.preferred),
    privacy: templates.privacy,
  };
  return withheld ? anonymous(identity) : identity;
}

/**
 * RFC 3323 s4.1.1.3 for From, and RFC 3325 s7 for the trunk, which is still told who calls, and asked not to tell it further:
 * without an identity of its own kind it gets the one that From would have held.
 */
function anonymous({ from, asserted, preferred, privacy }: CallerIdentity): CallerIdentity {
  const isKnown = asserted.length > 0 || preferred !== undefined || from.host === undefined;
  return {
    from: { user: "anonymous", host: "anonymous.invalid", displayName: "Anonymous" },
    asserted,
    preferred: isKnown ? preferred : makeSipUri({ user: from.user, host: from.host }),
    privacy: [...new Set([...privacy.filter((wish) => wish !== "none"), "id"])],
  };
}

function fill(
  template: string | undefined,
  values: Readonly<Record<string, string | undefined>>,
  escape: (value: string) => string,
): string | undefined {
  let complete = true;
  const text = template?.replaceAll(placeholder, (_, name: string) => {
    const value = oneLine(values[name]);
    if (value === undefined) complete = false;
    return escape(value ?? "");
  });
  return complete ? text : undefined;
}

/** A `sip:` or `tel:` URI that a trunk can read; undefined otherwise. The caller's own values add no headers and no password. */
function usableUri(text: string | undefined): IdentityUri | undefined {
  const uri = text === undefined ? undefined : parseUri(text);
  if (uri?.kind === "tel") return /^\+?[\d*#]+$/.test(uri.number) && uri.params.size === 0 ? uri : undefined;
  if (uri?.kind !== "sip" || uri.password !== undefined || uri.headers.length > 0) return undefined;
  return isHost(uri.host) && uri.port !== 0 ? uri : undefined;
}
