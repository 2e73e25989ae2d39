// The INVITE of ours that follows the trunk's REFER, as the call that it is to replace sees it: how it goes, and its
// one outcome. It is an outbound call like any other on the wire (outbound-call.ts).
import type { InviteOrder } from "../../ports/sip.ts";
import { OutboundCall } from "./outbound-call.ts";
import type { SipFact } from "../../core/call/model/fact.ts";
import type { Trunk } from "../trunk/trunk.ts";
import type { Session } from "../user-agent/session.ts";
import type { HeaderLine } from "../wire/header-builder.ts";
import type { SipResponse } from "../wire/message.ts";

export interface ReplacementEvents {
  /** 180 and its like, as a status. */
  progressed(status: number): void;
  /** The new dialog stands and is the call's from now on; the old one is to be ended. */
  accepted(): void;
  /** Nothing came of it. */
  failed(status: number): void;
  /** It was given up, and nothing more is owed for it. */
  ended(): void;
}

export interface ReplacementOptions {
  readonly order: InviteOrder;
  /** Replaces and Referred-By. */
  readonly headers: readonly HeaderLine[];
  readonly trunk: Trunk;
  readonly events: ReplacementEvents;
  /** Makes the new dialog the call's. */
  readonly take: (session: Session, sdp: string, response: SipResponse) => void;
}

export class Replacement {
  readonly #invitation: OutboundCall;
  readonly #options: ReplacementOptions;
  #cancelled = false;
  #over = false;

  constructor(options: ReplacementOptions) {
    this.#options = options;
    const { order, trunk, headers } = options;
    this.#invitation = new OutboundCall({
      order,
      trunk,
      headers,
      // The number was planned and judged; another one was not.
      mayReach: () => false,
      emit: (fact) => this.#happened(fact),
      confirmed: (session, sdp, response) => this.#confirmed(session, sdp, response),
      over: () => {},
    });
  }

  start(): void {
    this.#invitation.start();
  }

  /** `ended` follows. */
  cancel(q850: number | undefined): void {
    if (this.#over) return;
    this.#cancelled = true;
    this.#invitation.cancel(q850);
  }

  drop(): void {
    this.#over = true;
    this.#invitation.drop();
  }

  #confirmed(session: Session, sdp: string, response: SipResponse): void {
    if (this.#over) return;
    this.#over = true;
    const { trunk, events, take } = this.#options;
    // The 200 was faster than our CANCEL (RFC 3261 s9.1).
    if (this.#cancelled) {
      const settle = trunk.pend();
      session.bye(undefined, () => {
        settle();
        events.ended();
      });
      return;
    }
    take(session, sdp, response);
    events.accepted();
  }

  #happened(fact: SipFact): void {
    if (this.#over) return;
    const { events } = this.#options;
    switch (fact.kind) {
      case "sip.ringing":
        events.progressed(180);
        return;
      case "sip.progressed":
        events.progressed(183);
        return;
      case "sip.rejected":
        this.#over = true;
        events.failed(fact.status);
        return;
      case "sip.failed":
        this.#over = true;
        events.failed(FAULT_STATUS[fact.fault]);
        return;
      case "sip.ended":
        this.#over = true;
        events.ended();
        return;
      // The call goes on as it is until the new dialog stands: nothing else of it is for its ears.
      default:
    }
  }
}

/** RFC 3261 s8.1.3.1 for those that are none of our making. */
const FAULT_STATUS = { timeout: 408, transport: 503, resolve: 503, credentials: 403, internal: 500 } as const;
