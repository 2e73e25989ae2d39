// What the trunks' table of calls holds: a call before its answer (outbound-call.ts) or after (confirmed-call.ts).
import type { SipFact } from "../core/call/event.ts";

/** Orders of ports/sip.ts for one call. Those that do not fit the call's state are ignored. */
export interface SipCall {
  cancel(q850: number | undefined): void;
  bye(q850: number | undefined): void;
  reoffer(sdp: string): void;
  answerReoffer(sdp: string): void;
  refuseReoffer(status: number): void;
  /** The trunk closes: no timer of the call may outlive it. Emits nothing. */
  drop(): void;
}

export type Emit = (fact: SipFact) => void;
