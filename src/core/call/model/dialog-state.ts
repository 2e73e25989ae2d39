// What must outlive the process so that the trunk's side of a call can still be ended (RFC 3261 s9.1, s12).
// Plain JSON: the store keeps it with the call.
import type { SipCallId, TrunkName } from "../../ids.ts";

/** An INVITE on its way: enough to cancel it, or to end the dialog that a late 2xx makes. */
export interface SipInviteState {
  readonly trunk: TrunkName;
  readonly sipCallId: SipCallId;
  readonly localTag: string;
  /** From and To values as sent, without tag parameters. */
  readonly from: string;
  readonly to: string;
  /** Top Via value and branch, Request-URI, Route values and CSeq of the INVITE last sent. */
  readonly via: string;
  readonly branch: string;
  readonly requestUri: string;
  readonly routes: readonly string[];
  readonly cseq: number;
  readonly localAddress: { readonly host: string; readonly port: number };
}

export interface SipDialogState {
  readonly trunk: TrunkName;
  readonly sipCallId: SipCallId;
  readonly localTag: string;
  readonly remoteTag: string;
  readonly localUri: string;
  readonly remoteUri: string;
  readonly remoteTarget: string;
  /** Route set in the order requests carry it. */
  readonly routeSet: readonly string[];
  readonly localCSeq: number;
  readonly remoteCSeq: number | undefined;
  readonly secure: boolean;
  /** The address the dialog was made from, to be bound again. */
  readonly localAddress: { readonly host: string; readonly port: number };
}

/** An INVITE that came to us: enough to answer it, or to refuse it after a restart (RFC 3261 s8.2.6). */
export interface SipIncomingState {
  readonly trunk: TrunkName;
  /** All Via values from the top, From, To with our tag, Call-ID and CSeq of the INVITE, as they go into a response. */
  readonly vias: readonly string[];
  readonly from: string;
  readonly to: string;
  readonly sipCallId: SipCallId;
  readonly cseq: number;
  readonly localAddress: { readonly host: string; readonly port: number };
}
