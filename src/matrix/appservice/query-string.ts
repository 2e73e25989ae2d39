// A request's query as the homeserver forwarded it: flat, a repeated field as an array, a raw `+` as a space.
// Parsers that build objects out of `a[b]` have no place here: field names come from strangers.

export type QueryFields = Readonly<Record<string, string | readonly string[]>>;

/** `search` without the question mark. */
export function parseQuery(search: string): QueryFields {
  const fields: Record<string, string | string[]> = Object.create(null) as Record<string, string | string[]>;
  for (const [name, value] of new URLSearchParams(search)) {
    const earlier = fields[name];
    if (earlier === undefined) fields[name] = value;
    else if (typeof earlier === "string") fields[name] = [earlier, value];
    else earlier.push(value);
  }
  return fields;
}
