// What makes a dialog, as data (RFC 3261 s12): how it begins on either side, what changes it, and the requests in it.
import type { SipDialogState } from "../../core/call/model/dialog-state.ts";
import { sipCallId } from "../../core/ids.ts";
import { splitList } from "../wire/fields/grammar.ts";
import { formatUri } from "../../core/address/uri.ts";
import { headerValues, type SipMessage, type SipRequest, type SipResponse } from "../wire/message.ts";
import type { OutgoingBody, OutgoingRequest } from "../wire/outgoing-message.ts";
import { requestOf } from "./requests.ts";
import type { Stack } from "./stack.ts";

/** As it is stored. Which trunk and which address of ours it runs over is known above. */
export type DialogFields = Omit<SipDialogState, "trunk" | "localAddress">;

/** Stands for the tag of a gateway that gives none in its 1xx: the early dialog has to be called something. */
const NO_TAG = "none";

/** Of an INVITE of ours and a response to it (s12.1.2). Where Contact is missing, the Request-URI led there before. */
export function clientDialog(
  invite: OutgoingRequest,
  { localUri, remoteUri }: Pick<DialogFields, "localUri" | "remoteUri">,
  response: SipResponse,
): DialogFields {
  return {
    sipCallId: sipCallId(invite.callId),
    localTag: invite.fromTag,
    remoteTag: response.toTag || NO_TAG,
    localUri,
    remoteUri,
    remoteTarget: contactOf(response) ?? invite.uri,
    routeSet: rawRecordRoutes(response).toReversed(),
    localCSeq: invite.cseq,
    remoteCSeq: undefined,
    secure: false,
  };
}

/** Of an INVITE of the peer (s12.1.1). RFC 2543 s6.13: clients of its time without Contact are reached at From. */
export function serverDialog(invite: SipRequest, localTag: string): DialogFields {
  return {
    sipCallId: sipCallId(invite.sipCallId),
    localTag,
    remoteTag: invite.fromTag ?? "",
    localUri: formatUri(invite.to.uri),
    remoteUri: formatUri(invite.from.uri),
    remoteTarget: contactOf(invite) ?? formatUri(invite.from.uri),
    routeSet: rawRecordRoutes(invite),
    localCSeq: 0,
    remoteCSeq: invite.cseq.number,
    secure: false,
  };
}

/** A target refresh: the Contact of the message replaces the remote target (s12.2.1.2, s12.2.2). */
export function refreshed(fields: DialogFields, message: SipMessage): DialogFields {
  return { ...fields, remoteTarget: contactOf(message) ?? fields.remoteTarget };
}

export interface DialogRequest {
  readonly method: string;
  readonly cseq: number;
  readonly headers: readonly string[];
  readonly credentials?: readonly string[];
  readonly body?: OutgoingBody | undefined;
}

/** s12.2.1.1. */
export function dialogRequest(stack: Stack, fields: DialogFields, request: DialogRequest): OutgoingRequest {
  const { sipCallId: callId, localTag, remoteTag, localUri, remoteUri, remoteTarget, routeSet } = fields;
  return requestOf(stack, {
    ...request,
    uri: remoteTarget,
    from: `<${localUri}>`,
    to: `<${remoteUri}>`,
    fromTag: localTag,
    toTag: remoteTag,
    callId,
    routes: routeSet,
  });
}

/** Whether it repeats or overtook one that was read already (s12.2.2). */
export function isOutOfOrder({ remoteCSeq }: DialogFields, { cseq }: SipRequest): boolean {
  return remoteCSeq !== undefined && remoteCSeq > 0 && cseq.number <= remoteCSeq;
}

/** As sent, in the order of the wire; none where they could not be read. */
export function rawRecordRoutes(message: SipMessage): string[] {
  if (message.recordRoutes.length === 0) return [];
  return headerValues(message, "Record-Route").flatMap((value) => splitList(value) ?? []);
}

function contactOf({ contacts }: SipMessage): string | undefined {
  const contact = contacts === "*" ? undefined : contacts[0];
  return contact && formatUri(contact.uri);
}
