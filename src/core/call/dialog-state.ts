// What must outlive the process so that a confirmed SIP dialog can still be ended (RFC 3261 s12).
// Plain JSON: the store keeps it with the call.
import type { SipCallId, TrunkName } from "../ids.ts";

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
