// Where in the console somebody is, as the part of the address behind #. Pure.
export const pages = ["calls", "trunks", "history", "numbers", "limits", "bridge"] as const;
export type PageName = (typeof pages)[number];

export interface Place {
  readonly page: PageName;
  /** Of the call that is shown. */
  readonly id: string | undefined;
  readonly query: Readonly<Record<string, string>>;
}

/** What leads nowhere leads to the calls. */
export function placeOf(hash: string): Place {
  const [path = "", query = ""] = hash.replace(/^#?\/?/, "").split("?");
  const [name = "", id] = path.split("/");
  const page = pages.find((one) => one === name) ?? "calls";
  return { page, id: id ? decoded(id) : undefined, query: Object.fromEntries(new URLSearchParams(query)) };
}

export function hrefOf(page: PageName, id?: string, query: Readonly<Record<string, string | undefined>> = {}): string {
  const given = Object.entries(query).flatMap(([name, value]) => (value ? [[name, value] as const] : []));
  const search = new URLSearchParams(Object.fromEntries(given)).toString();
  return `#/${page}${id === undefined ? "" : `/${encodeURIComponent(id)}`}${search === "" ? "" : `?${search}`}`;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
