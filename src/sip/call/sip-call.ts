// What the trunks' table of calls holds: a call before its answer (outbound-call.ts, inbound-call.ts) or after
// (confirmed-call.ts).
import type { ReferTarget } from "../../core/call/model/order.ts";
import type { SipFact } from "../../core/call/model/fact.ts";
import type { InviteOrder } from "../../ports/sip.ts";
import type { DialogId, DialogPhase } from "../headers/replaces.ts";

/** An INVITE that answers a REFER; `replaces` as in its Refer-To. */
export type ReplaceOrder = InviteOrder & { readonly replaces: string | undefined };

export type Emit = (fact: SipFact) => void;

/**
 * Orders of ports/sip.ts for one call. Those that do not fit the call's state are ignored: each kind of call overrides
 * those that fit it.
 */
export abstract class SipCall {
  abstract cancel(q850: number | undefined): void;
  abstract bye(q850: number | undefined): void;
  /** The trunk closes: no timer of the call may outlive it. Emits nothing. */
  abstract drop(): void;
  reoffer(_sdp: string): void {}
  answerReoffer(_sdp: string): void {}
  refuseReoffer(_status: number): void {}
  ring(_status: 180 | 183): void {}
  accept(_sdp: string): void {}
  reject(_status: number, _q850: number | undefined, _retryAfterS?: number): void {}
  info(_digit: string, _durationMs: number): void {}
  refer(_target: ReferTarget): void {}
  replace(_order: ReplaceOrder): void {}
  refuseRefer(_status: number): void {}
  /** Whether it has that dialog, as far as an INVITE with Replaces may take it over (RFC 3891 s3). */
  phaseOf(_dialog: DialogId): DialogPhase | undefined {
    return undefined;
  }
}
