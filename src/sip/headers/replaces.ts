// INVITE with Replaces (RFC 3891): which call of ours it takes over, or why not.
import type { TrunkName } from "../../core/ids.ts";
import { parseParams } from "../wire/fields/grammar.ts";
import { headerValues, type SipRequest } from "../wire/message.ts";

/** As we name it: which tag is ours. */
export interface DialogId {
  readonly trunk: TrunkName;
  readonly sipCallId: string;
  readonly localTag: string;
  /** Empty where a client of RFC 2543 made none. */
  readonly remoteTag: string;
}

/** A dialog of ours: confirmed, or early and of our own INVITE. */
export type DialogPhase = "early" | "confirmed";

export interface Replaces {
  readonly dialog: Omit<DialogId, "trunk">;
  readonly earlyOnly: boolean;
}

/** Undefined where the request replaces nothing. */
export function replacesOf(request: SipRequest): Replaces | "malformed" | undefined {
  const [value, ...more] = headerValues(request, "Replaces");
  if (value === undefined) return undefined;
  // s3: more than one is a 400.
  return more.length > 0 ? "malformed" : (parseReplaces(value) ?? "malformed");
}

/** `call-id;to-tag=ours;from-tag=theirs`, as whoever it is sent to sees the dialog (s6.1). */
export function parseReplaces(value: string): Replaces | undefined {
  const semicolon = value.indexOf(";");
  const sipCallId = value.slice(0, Math.max(semicolon, 0)).trim();
  const params = semicolon < 0 ? undefined : parseParams(value.slice(semicolon), ["to-tag", "from-tag"]);
  const localTag = params?.get("to-tag");
  const remoteTag = params?.get("from-tag");
  if (params === undefined || !/^[^\s,]+$/.test(sipCallId) || !localTag || !remoteTag) return undefined;
  // s3: zero stands for no tag.
  return {
    dialog: { sipCallId, localTag, remoteTag: remoteTag === "0" ? "" : remoteTag },
    earlyOnly: params.has("early-only"),
  };
}
