// The value of From, To, Contact, Route, Record-Route, Refer-To, P-Asserted-Identity and their kind:
// an address with a name and parameters (RFC 3261 s20.10, s25.1 name-addr / addr-spec).
import { closingQuote, parseParams, unquoted, type Params } from "./grammar.ts";
import { parseUri, type Uri } from "../../../core/address/uri.ts";

export type NameAddr = {
  /** Unquoted; empty when there is none. May hold any character but line ends. */
  readonly displayName: string;
  readonly uri: Uri;
  /** Header parameters, those after the angle bracket. */
  readonly params: Params;
};

/** Characters that make an unquoted display name two readings of one header. Wider than `*(token LWS)`,
 * because telephones send bare UTF-8, dots and parentheses. */
const NOT_IN_BARE_NAME = /["<>,;\\]/;
const ONE_TAG = ["tag"];

/** One address; undefined when it is malformed, or a list. */
export function parseNameAddr(value: string): NameAddr | undefined {
  const text = value.trim();
  let displayName = "";
  let open: number;
  if (text.startsWith('"')) {
    const close = closingQuote(text, 0);
    if (close < 0) return undefined;
    displayName = unquoted(text.slice(0, close + 1));
    open = text.indexOf("<", close);
    if (open < 0 || text.slice(close + 1, open).trim() !== "") return undefined;
  } else {
    open = text.indexOf("<");
    if (open < 0) return parseAddrSpec(text);
    displayName = text.slice(0, open).trim();
    if (NOT_IN_BARE_NAME.test(displayName)) return undefined;
  }
  const close = text.indexOf(">", open);
  if (close < 0) return undefined;
  const uri = parseUri(text.slice(open + 1, close));
  if (uri === undefined) return undefined;
  const params = parseParams(text.slice(close + 1).trimStart(), ONE_TAG);
  return params && { displayName, uri, params };
}

/** RFC 3261 s20: without brackets, a semicolon starts header parameters, and commas and question marks may not be. */
function parseAddrSpec(text: string): NameAddr | undefined {
  const semicolon = text.indexOf(";");
  const address = semicolon < 0 ? text : text.slice(0, semicolon).trimEnd();
  if (address.includes(",") || address.includes("?")) return undefined;
  const uri = parseUri(address);
  if (uri === undefined) return undefined;
  const params = parseParams(semicolon < 0 ? "" : text.slice(semicolon), ONE_TAG);
  return params && { displayName: "", uri, params };
}
