// Our parser's messages as the objects that sip.js's core reads, and back. Only what the core looks at is filled in.
import { IncomingRequestMessage, IncomingResponseMessage, NameAddrHeader, URI } from "sip.js/lib/core/index.js";
import { sdpOf } from "../headers/sdp-body.ts";
import { parseDigits, splitList } from "../wire/fields/grammar.ts";
import {
  header,
  headerTokens,
  headerValues,
  type SipMessage,
  type SipRequest,
  type SipResponse,
} from "../wire/message.ts";
import type { NameAddr } from "../wire/fields/name-addr.ts";
import { cancelledTransactionKey, serverTransactionKey } from "../wire/transaction-key.ts";
import { formatUri, userText, type Uri } from "../wire/fields/uri.ts";
import { formatVia } from "../wire/fields/via.ts";

/**
 * A URI that goes out exactly as it came in. The core's own class un-escapes and re-escapes the user part,
 * throws on a lone `%` and cannot hold `tel:`.
 */
export class ExactUri extends URI {
  readonly text: string;

  constructor(text: string, user: string | undefined) {
    // The scheme is always "sip" to the core, which refuses any other; the text keeps the real one.
    super("sip", user ?? "", "uri.invalid");
    this.text = text;
  }
  override clone(): ExactUri {
    return new ExactUri(this.text, this.user);
  }
  override toString(): string {
    return this.text;
  }
  override toRaw(): string {
    return this.text;
  }
}

function exactUri(uri: Uri): ExactUri {
  return new ExactUri(formatUri(uri), userText(uri));
}

export class IncomingRequest extends IncomingRequestMessage {
  readonly wire: SipRequest;

  constructor(request: SipRequest) {
    super();
    this.wire = request;
    this.method = request.method;
    this.ruri = exactUri(request.uri);
    fill(this, request);
    this.viaBranch = transactionKey(request);
  }
}

export class IncomingResponse extends IncomingResponseMessage {
  readonly wire: SipResponse;
  /** To a request that went to a server of the trunk. */
  readonly isTrunks: boolean;

  constructor(response: SipResponse, isTrunks: boolean) {
    super();
    this.isTrunks = isTrunks;
    this.wire = response;
    this.statusCode = response.statusCode;
    this.reasonPhrase = response.reasonPhrase;
    this.method = response.cseq.method;
    fill(this, response);
    this.viaBranch = response.vias[0].branch ?? "";
  }
}

/** The parsed response; undefined for the ones the core makes up itself (timeout, transport error). */
export function wireOf(message: IncomingResponseMessage): SipResponse | undefined {
  return message instanceof IncomingResponse ? message.wire : undefined;
}

/** The core finds the INVITE of an ACK or CANCEL by the same key. */
function transactionKey(request: SipRequest): string {
  return request.method === "CANCEL" ? cancelledTransactionKey(request) : serverTransactionKey(request);
}

function fill(target: IncomingRequestMessage | IncomingResponseMessage, message: SipMessage): void {
  const { vias, from, to, fromTag, toTag, contacts } = message;
  target.from = nameAddr(from);
  target.to = nameAddr(to);
  // The core treats an absent tag as an empty one throughout.
  target.fromTag = fromTag ?? "";
  target.toTag = toTag ?? "";
  target.callId = message.sipCallId;
  target.cseq = message.cseq.number;
  target.via = { host: vias[0].host, port: vias[0].port ?? 5060 };
  const headers = target.headers;
  headers["Via"] = vias.map((via) => ({ raw: formatVia(via) }));
  headers["From"] = [{ raw: header(message, "From") ?? "", parsed: target.from }];
  headers["To"] = [{ raw: header(message, "To") ?? "", parsed: target.to }];
  const contact = contacts === "*" ? undefined : contacts[0];
  if (contact !== undefined) headers["Contact"] = [{ raw: formatUri(contact.uri), parsed: nameAddr(contact) }];
  const recordRoutes = rawRecordRoutes(message);
  if (recordRoutes.length > 0) headers["Record-Route"] = recordRoutes.map((raw) => ({ raw }));
  const require = headerValues(message, "Require");
  if (require.length > 0) headers["Require"] = [{ raw: require.join(",") }];
  const sequence = reliableSequence(message);
  if (sequence !== undefined) headers["RSeq"] = [{ raw: String(sequence) }];
  const event = header(message, "Event");
  // The core finds the subscription of a NOTIFY by the type alone (RFC 6665 s8.2.1).
  const eventType = event?.split(";", 1)[0]?.trim().toLowerCase();
  if (event !== undefined && eventType) headers["Event"] = [{ raw: event, parsed: { event: eventType } }];
  const sdp = sdpOf(message);
  if (sdp === undefined) return;
  target.body = sdp;
  headers["Content-Type"] = [{ raw: "application/sdp", parsed: "application/sdp" }];
  headers["Content-Disposition"] = [{ raw: "session", parsed: { type: "session" } }];
}

/** RSeq of a provisional response that wants PRACK (RFC 3262 s4, s7.1). */
export function reliableSequence(message: SipMessage): number | undefined {
  if (message.kind !== "response" || !headerTokens(message, "Require").includes("100rel")) return undefined;
  return parseDigits(header(message, "RSeq") ?? "", 0xffff_ffff) || undefined;
}

/** As sent, in the order of the wire; none where they could not be read. */
export function rawRecordRoutes(message: SipMessage): string[] {
  if (message.recordRoutes.length === 0) return [];
  return headerValues(message, "Record-Route").flatMap((value) => splitList(value) ?? []);
}

function nameAddr(address: NameAddr): NameAddrHeader {
  const params: Record<string, string> = {};
  const tag = address.params.get("tag");
  if (tag) params["tag"] = tag;
  return new NameAddrHeader(exactUri(address.uri), address.displayName, params);
}
