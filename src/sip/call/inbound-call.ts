// An INVITE of the trunk until it is answered or refused: which facts the call hears, whatever the caller does
// meanwhile. What comes after the answer is in confirmed-call.ts.
import { sdpOf } from "../headers/sdp-body.ts";
import type { TrunkSettings } from "../../ports/sip.ts";
import { refusalHeaders } from "./not-acceptable.ts";
import { answeredElsewhere, q850Header, q850Of } from "../headers/reason.ts";
import { judgeSession, type SessionTerms, type SessionTimerSettings } from "../headers/session-expires.ts";
import { SipCall, type Emit } from "./sip-call.ts";
import type { ServerInvitation } from "../user-agent/server-invitation.ts";
import type { Session } from "../user-agent/session.ts";
import { numberHeader, type HeaderLine } from "../wire/header-builder.ts";
import type { SipRequest } from "../wire/message.ts";

export interface InboundCallOptions {
  readonly invitation: ServerInvitation;
  readonly emit: Emit;
  /** A request in the early dialog: who calls may have changed. */
  readonly heard: (request: SipRequest) => void;
  /** Our 200 is sent. `answerInAck`: it held our offer. */
  readonly confirmed: (session: Session, answerInAck: boolean, sdp: string, terms: SessionTerms | undefined) => void;
  readonly sessionTimer: SessionTimerSettings;
  readonly media: TrunkSettings["media"];
  /** It waits for nobody any more. */
  readonly decided: () => void;
  /** A refusal waits for its ACK until the returned function is called. */
  readonly pend: () => () => void;
  /** Nothing more will be emitted. */
  readonly over: () => void;
}

/**
 * ```
 * waiting --accepted--> over
 *    |----rejected by us--> rejected --ACK--> over
 *    '----CANCEL, BYE, no PRACK--> gone --ACK--> over
 * ```
 */
type State =
  | { readonly phase: "waiting" }
  /** Refused: its ACK is still to come. Of one that is `rejected` the call hears then that it ended. */
  | { readonly phase: "rejected" | "gone"; readonly settle: () => void }
  | { readonly phase: "over" };

export class InboundCall extends SipCall {
  readonly #options: InboundCallOptions;
  #state: State = { phase: "waiting" };

  constructor(options: InboundCallOptions) {
    super();
    this.#options = options;
    const { invitation, emit, over } = options;
    const gone = (tell: () => void): void => {
      if (this.#state.phase !== "waiting") return;
      this.#decide("gone");
      over();
      tell();
    };
    invitation.listen({
      cancelled: (cancel) => {
        const elsewhere = cancel !== undefined && answeredElsewhere(cancel);
        gone(() => emit({ kind: "sip.cancelled", elsewhere }));
      },
      hungUp: (bye) => gone(() => emit({ kind: "sip.hungUp", q850: q850Of(bye) })),
      heard: (request) => {
        if (this.#state.phase === "waiting") options.heard(request);
      },
      // Whoever does not hear that it rings has gone.
      unheard: () => gone(() => emit({ kind: "sip.cancelled", elsewhere: false })),
      settled: () => {
        const state = this.#state;
        if (state.phase !== "rejected" && state.phase !== "gone") return;
        this.#state = { phase: "over" };
        state.settle();
        if (state.phase === "gone") return;
        over();
        emit({ kind: "sip.ended" });
      },
    });
  }

  override ring(status: 180 | 183): void {
    if (this.#state.phase === "waiting") this.#options.invitation.ring(status);
  }

  override accept(sdp: string): void {
    const { invitation, confirmed, decided, sessionTimer } = this.#options;
    if (this.#state.phase !== "waiting" || !invitation.open) return;
    const verdict = judgeSession(invitation.request, sessionTimer);
    const session = this.#answer(sdp, verdict.kind === "agreed" ? verdict.headers : []);
    this.#state = { phase: "over" };
    decided();
    const terms = verdict.kind === "agreed" ? verdict.terms : undefined;
    confirmed(session, sdpOf(invitation.request) === undefined, sdp, terms);
  }

  #answer(sdp: string, headers: readonly HeaderLine[]): Session {
    const { invitation } = this.#options;
    try {
      return invitation.accept(sdp, headers);
    } catch (error) {
      // Whoever calls is not left to listen to nothing.
      invitation.refuse(500);
      throw error;
    }
  }

  override reject(status: number, q850: number | undefined, retryAfterS?: number): void {
    if (this.#state.phase !== "waiting") return;
    const { invitation, media } = this.#options;
    const retry = retryAfterS === undefined ? [] : [numberHeader("Retry-After", retryAfterS)];
    const warning = refusalHeaders(status, sdpOf(invitation.request), media);
    invitation.refuse(status, [...warning, ...(q850 === undefined ? [] : [q850Header(q850)]), ...retry]);
    this.#decide("rejected");
  }

  /** Not answered yet, so that it is refused (RFC 3261 s15). */
  bye(q850: number | undefined): void {
    this.reject(480, q850);
  }
  cancel(q850: number | undefined): void {
    this.reject(480, q850);
  }

  drop(): void {
    this.#options.invitation.drop();
    const state = this.#state;
    this.#state = { phase: "over" };
    if (state.phase === "waiting") this.#options.decided();
    else if (state.phase !== "over") state.settle();
  }

  #decide(phase: "rejected" | "gone"): void {
    this.#state = { phase, settle: this.#options.pend() };
    this.#options.decided();
  }
}
