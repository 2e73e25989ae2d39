// The Via header field (RFC 3261 s20.42, RFC 3581 rport): parsed, written, and stamped with where a request came from.
import { hostText, paramsText, tokenText } from "./escaping.ts";
import { parseDigits, parseParams, type Params } from "./grammar.ts";
import { parseHostPort } from "../../../core/address/uri.ts";

export type Via = {
  /** The SIP version of that hop, `2.0` in every message that is not refused. */
  readonly version: string;
  /** Upper case: UDP, TCP, TLS, WS, WSS, or one we do not know. */
  readonly transport: string;
  /** sent-by, lower case; IPv6 in brackets. */
  readonly host: string;
  readonly port: number | undefined;
  /** Absent in requests of RFC 2543 clients. */
  readonly branch: string | undefined;
  /** Address that the peer saw the request come from, without brackets. */
  readonly received: string | undefined;
  /** `null` asks for the port to be filled in (RFC 3581 s3). */
  readonly rport: number | null | undefined;
  /** All parameters as sent, those above included. */
  readonly params: Params;
};

/** RFC 3261 s18.1.1 and s17.2.3: a branch that starts so was made to be unique. */
export const MAGIC_COOKIE = "z9hG4bK";

const SENT_PROTOCOL = /^SIP\s*\/\s*(\d+\.\d+)\s*\/\s*([A-Za-z0-9\-.!%*_+`'~]+)\s+/i;
const SENT_BY = /^((?:\[[^\]]*\]|[^\s:;[\]]+))(?:\s*:\s*(\d{1,5}))?\s*(?=;|$)/;

const ONCE = ["branch", "received", "rport"];

/** One via-parm; undefined when it is malformed. */
export function parseVia(value: string): Via | undefined {
  const text = value.trim();
  const protocol = SENT_PROTOCOL.exec(text);
  if (protocol === null) return undefined;
  const [start, version = "", transport = ""] = protocol;
  const rest = text.slice(start.length);
  const sentBy = SENT_BY.exec(rest);
  if (sentBy === null) return undefined;
  const [whole, hostText, portText] = sentBy;
  const address = parseHostPort(portText === undefined ? `${hostText}` : `${hostText}:${portText}`);
  const params = parseParams(rest.slice(whole.length), ONCE);
  if (address === undefined || params === undefined) return undefined;
  const rport = parseRport(params.get("rport"));
  if (rport === "malformed") return undefined;
  return {
    version,
    transport: transport.toUpperCase(),
    host: address.host,
    port: address.port,
    branch: params.get("branch") || undefined,
    received: unbracketed(params.get("received") ?? "") || undefined,
    rport,
    params,
  };
}

function parseRport(value: string | null | undefined): number | null | undefined | "malformed" {
  if (value === undefined) return undefined;
  if (value === null || value === "") return null;
  return parseDigits(value, 65_535) ?? "malformed";
}

/** RFC 5118 s4.5: received is met with and without brackets around IPv6. */
function unbracketed(address: string): string {
  return address.startsWith("[") && address.endsWith("]") ? address.slice(1, -1) : address;
}

/**
 * The topmost Via of a request as a server transport must leave it: `received` where the source is not
 * the sent-by host (RFC 3261 s18.2.1), `received` and `rport` where rport was asked for (RFC 3581 s4).
 * `address` is the source without brackets, `port` the source port.
 */
export function withSource(via: Via, address: string, port: number): Via {
  const asked = via.rport !== undefined;
  const sentBy = unbracketed(via.host);
  // A `received` that the peer wrote itself would send our answers to whom it likes.
  if (!asked && sentBy === address.toLowerCase() && via.received === undefined) return via;
  const params = new Map(via.params);
  params.set("received", address);
  if (asked) params.set("rport", String(port));
  return { ...via, received: address, rport: asked ? port : undefined, params };
}

/**
 * Where a response goes (RFC 3261 s18.2.2, RFC 3581 s4); `port` undefined means the transport's default. Of a Via that
 * was stamped this is always the address that the request came from: `maddr` is not followed, because no trunk is
 * multicast and whoever writes it would choose who gets our answers.
 */
export function responseTarget(via: Via): { readonly host: string; readonly port: number | undefined } {
  return { host: via.received ?? unbracketed(via.host), port: via.rport ?? via.port };
}

/** Via as it goes on the wire. */
export function formatVia(via: Via): string {
  const port = via.port === undefined ? "" : `:${via.port}`;
  return `SIP/${via.version}/${tokenText(via.transport)} ${hostText(via.host)}${port}${paramsText(via.params)}`;
}
