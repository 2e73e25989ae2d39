// Where the peer reaches us, as either kind of URI, and which of them a message needs.
import type { HeaderLine } from "../wire/header-builder.ts";

/** Contact header fields. */
export interface Contacts {
  readonly usual: HeaderLine;
  /** A sips URI where the trunk is encrypted; elsewhere nobody reaches us by one. */
  readonly secure: HeaderLine;
}

const SIPS = /^(?:[^<]*<)?\s*sips:/i;

/** `way`: Request-URI and first Route of a request. One sips among them asks for a sips Contact (RFC 3261 s8.1.1.8, s12.1.1). */
export function contactFor({ usual, secure }: Contacts, ...way: readonly (string | undefined)[]): HeaderLine {
  return way.some((uri) => uri !== undefined && SIPS.test(uri)) ? secure : usual;
}
