// Who the telephone network is told is calling: From, P-Asserted-Identity, P-Preferred-Identity and Privacy
// (RFC 3261 s8.1.1.3, RFC 3325, RFC 3323), filled from a trunk's templates for one Matrix user.
import { domainOf, localpartOf, type UserId } from "../ids.ts";
import { escapeUser, parseSipUri } from "../number/sip-uri.ts";

/** Finished values; the SIP edge escapes them when it writes headers. */
export interface CallerIdentity {
  readonly from: { readonly user: string; readonly host: string | undefined; readonly displayName: string | undefined };
  /** URIs, `sip:` or `tel:`. */
  readonly asserted: readonly string[];
  readonly preferred: string | undefined;
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
/** Names longer than this are cut: gateways drop messages for less. */
const longestName = 64;

/** Whether the caller's display name is wanted at all. */
export function showsDisplayName({ fromUser, fallbackUser, fromDisplayName, ...others }: IdentityTemplates): boolean {
  const templates = [fromUser, fallbackUser, fromDisplayName, ...others.asserted, others.preferred];
  return templates.some((template) => template?.includes("{displayname}") === true);
}

/** `displayName` is the caller's Matrix display name, if it is known. */
export function callerIdentity(
  person: UserId,
  displayName: string | undefined,
  templates: IdentityTemplates,
): CallerIdentity {
  const values: Readonly<Record<IdentityPlaceholder, string | undefined>> = {
    localpart: localpartOf(person),
    domain: domainOf(person),
    user_id: person,
    displayname: displayName === undefined ? localpartOf(person) : displayName,
    number: templates.numbers.get(person) ?? templates.defaultNumber,
  };
  const plain = (template: string | undefined) => cleaned(fill(template, values, (value) => value));
  const uri = (template: string | undefined) => usableUri(fill(template, values, escapeUser));
  return {
    from: {
      user: plain(templates.fromUser) ?? plain(templates.fallbackUser) ?? "anonymous",
      host: templates.fromHost,
      displayName: plain(templates.fromDisplayName),
    },
    asserted: templates.asserted.flatMap((template) => uri(template) ?? []),
    preferred: uri(templates.preferred),
    privacy: templates.privacy,
  };
}

function fill(
  template: string | undefined,
  values: Readonly<Record<string, string | undefined>>,
  escape: (value: string) => string,
): string | undefined {
  let complete = true;
  const text = template?.replaceAll(placeholder, (_, name: string) => {
    const value = cleaned(values[name]);
    if (value === undefined) complete = false;
    return escape(value ?? "");
  });
  return complete ? text : undefined;
}

/** One line without control, format and surrogate characters; undefined if nothing is left. */
function cleaned(text: string | undefined): string | undefined {
  const line = text
    ?.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ")
    .replaceAll(/[\p{Cf}\p{Cs}]/gu, "")
    .trim();
  return line ? Array.from(line).slice(0, longestName).join("").trimEnd() : undefined;
}

/** A `sip:` or `tel:` URI that a trunk can read; undefined otherwise. */
function usableUri(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  if (/^tel:\+?[\d*#]+$/i.test(text)) return text;
  return parseSipUri(text) ? text : undefined;
}
