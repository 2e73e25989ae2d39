// Where 3xx responses lead a call (RFC 3261 s8.1.3.4): their Contacts by preference, each tried once. Which of them
// are gateways of the trunk is the trunk's to say.
import { parseDigits } from "../wire/fields/grammar.ts";
import type { SipResponse } from "../wire/message.ts";
import { formatUri, type SipUri } from "../wire/fields/uri.ts";

/** So often a call lets itself be sent on. */
const MAX_HOPS = 5;
/** So many Contacts of one response are looked at. */
const MAX_CONTACTS = 10;

export class Redirects {
  #hops = 0;
  #left: SipUri[] = [];
  readonly #seen = new Set<string>();

  /** @param target the Request-URI that the call began with */
  constructor(target: string) {
    this.#seen.add(target);
  }

  /** The Contacts of a 3xx go before those of the earlier ones. */
  take(response: SipResponse): void {
    if (this.#hops >= MAX_HOPS) return;
    this.#hops += 1;
    this.#left = [...contactsByPreference(response), ...this.#left];
  }

  /** The next to try: a Request-URI. */
  next(): SipUri | undefined {
    for (;;) {
      const uri = this.#left.shift();
      if (uri === undefined) return undefined;
      const text = formatUri(uri);
      if (this.#seen.has(text)) continue;
      this.#seen.add(text);
      return uri;
    }
  }
}

/** Highest q first, 1 where none is given (RFC 3261 s20.10); without what no Request-URI may have (s19.1.1, table 1). */
function contactsByPreference({ contacts }: SipResponse): SipUri[] {
  if (contacts === "*") return [];
  return contacts
    .slice(0, MAX_CONTACTS)
    .flatMap(({ uri, params }) => (uri.kind === "sip" ? [{ uri, q: qualityOf(params.get("q")) }] : []))
    .toSorted((a, b) => b.q - a.q)
    .map(({ uri }) => asRequestUri(uri));
}

function asRequestUri(uri: SipUri): SipUri {
  return { ...uri, params: new Map([...uri.params].filter(([name]) => name !== "method")), headers: [] };
}

/** In thousandths. */
function qualityOf(text: string | null | undefined): number {
  const match = /^([01])(?:\.(\d{0,3}))?$/.exec(text ?? "");
  if (match === null) return 1_000;
  const [, whole = "0", fraction = ""] = match;
  return Math.min(1_000, Number(whole) * 1_000 + (parseDigits(fraction.padEnd(3, "0"), 999) ?? 0));
}
