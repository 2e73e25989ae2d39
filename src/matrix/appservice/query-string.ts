// A request's query as the homeserver forwarded it: flat, a repeated field as an array, a raw `+` as a space.
// Parsers that build objects out of `a[b]` have no place here: field names come from strangers.
import { parse } from "node:querystring";

/** Without a prototype. */
export type QueryFields = Readonly<Record<string, string | readonly string[] | undefined>>;

/** `search` without the question mark; its length is the limit on what is in it. */
export function parseQuery(search: string): Record<string, string | readonly string[] | undefined> {
  return parse(search, "&", "=", { maxKeys: 0 });
}
