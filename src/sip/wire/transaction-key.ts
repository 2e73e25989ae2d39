// By what a message is matched to its transaction (RFC 3261 s17.1.3, s17.2.3). Two messages belong to the same
// transaction exactly when their keys are equal; the text of a key means nothing.
import type { SipRequest, SipResponse } from "./message.ts";
import { formatUri } from "../../core/address/uri.ts";
import { MAGIC_COOKIE, type Via } from "./fields/via.ts";

/** Whether the branch was made to be unique: the bare cookie was not. */
export function hasUniqueBranch(via: Via): boolean {
  return via.branch !== undefined && via.branch.length > MAGIC_COOKIE.length && via.branch.startsWith(MAGIC_COOKIE);
}

/** Of a response we got: the transaction of ours that it answers. */
export function clientTransactionKey(response: SipResponse): string {
  return `${response.vias[0].branch ?? ""} ${response.cseq.method}`;
}

/**
 * Of a request we got: the transaction that it opens or repeats. An ACK has the key of its INVITE where it is
 * hop by hop; a CANCEL has its own (`cancelledTransactionKey` gives that of the request it is about).
 */
export function serverTransactionKey(request: SipRequest): string {
  return key(request, request.method === "ACK" ? "INVITE" : request.method);
}

/** Of a CANCEL: the transaction to be cancelled (RFC 3261 s9.2). */
export function cancelledTransactionKey(cancel: SipRequest): string {
  return key(cancel, "INVITE");
}

function key(request: SipRequest, method: string): string {
  const [via] = request.vias;
  const sentBy = `${via.host}:${via.port ?? ""}`;
  if (hasUniqueBranch(via)) return `${via.branch} ${sentBy} ${method}`;
  // RFC 2543 clients: all that stays the same in a retransmission. The To tag is left out, because the ACK to
  // our refusal has one and the INVITE had not.
  const { uri, fromTag, sipCallId, cseq } = request;
  return JSON.stringify([formatUri(uri), fromTag ?? "", sipCallId, cseq.number, sentBy, via.branch ?? "", method]);
}
