// The calls of all trunks: made, found by their id, and let go. Orders for one of them are passed on here; what it
// tells comes out here as facts of ports/sip.ts.
import type { SipDialogState } from "../../core/call/model/dialog-state.ts";
import type { SipFact } from "../../core/call/model/fact.ts";
import { parseUri } from "../../core/address/uri.ts";
import { callId, type CallId, type TrunkName } from "../../core/ids.ts";
import type { Clock } from "../../ports/clock.ts";
import type { InviteOrder, SipSinks } from "../../ports/sip.ts";
import type { Log } from "../../ports/telemetry.ts";
import { inviteArrival } from "../headers/invite-arrival.ts";
import { replacesOf } from "../headers/replaces.ts";
import { sdpOf } from "../headers/sdp-body.ts";
import { judgeSession, termsOfAnswer } from "../headers/session-expires.ts";
import type { Messaging } from "../messages/messaging.ts";
import type { ServerInvitation } from "../user-agent/server-invitation.ts";
import type { Session } from "../user-agent/session.ts";
import type { Trunk } from "../trunk/trunk.ts";
import type { HeaderLine } from "../wire/header-builder.ts";
import type { SipRequest, SipResponse } from "../wire/message.ts";
import { ConfirmedCall, type ConfirmedCallOptions } from "./confirmed-call.ts";
import { InboundCall } from "./inbound-call.ts";
import { OutboundCall } from "./outbound-call.ts";
import { RemoteParty } from "./remote-party.ts";
import { Replacement, type ReplacementEvents } from "./replacement.ts";
import type { ReplaceOrder, SipCall } from "./sip-call.ts";

/** One trunk of the configuration, and what belongs to it alone. */
export interface TrunkRecord {
  readonly trunk: Trunk;
  readonly messaging: Messaging;
}

export interface CallsOptions {
  /** Those of the moment. */
  readonly trunks: () => ReadonlyMap<TrunkName, TrunkRecord>;
  /** Those of the moment: others before the start. */
  readonly sinks: () => Pick<SipSinks, "heard" | "invited" | "mayReach">;
  readonly log: Log;
  readonly clock: Clock;
}

export class Calls {
  readonly #options: CallsOptions;
  readonly #calls = new Map<CallId, SipCall>();
  readonly #records = new WeakMap<SipCall, TrunkRecord>();
  /** What waits for the last call of a trunk. */
  readonly #unused = new Map<TrunkRecord, () => void>();

  constructor(options: CallsOptions) {
    this.#options = options;
  }

  invite(call: CallId, order: InviteOrder): void {
    const record = this.#options.trunks().get(order.trunk);
    if (record === undefined) {
      this.emit(call, { kind: "sip.failed", fault: "internal", message: `no trunk named ${order.trunk}` });
      return;
    }
    const outbound = new OutboundCall({
      order,
      trunk: record.trunk,
      emit: (fact) => this.emit(call, fact),
      mayReach: (to) => this.#options.sinks().mayReach(call, to),
      confirmed: (session, sdp, response, party) => {
        const confirmed = this.#answered(call, record, session, { order, response, party });
        this.emit(call, { kind: "sip.accepted", description: sdp, dialog: confirmed.dialog });
        confirmed.hears(response);
      },
      over: () => this.#delete(call),
    });
    this.#put(call, record, outbound);
    outbound.start();
  }

  /** A new INVITE of the trunk, to which 100 has been sent. */
  invited(record: TrunkRecord, invitation: ServerInvitation): void {
    const { clock, log, sinks } = this.#options;
    const { trunk } = record;
    const { settings } = trunk;
    const { request } = invitation;
    const timer = judgeSession(request, settings.sessionTimer);
    if (timer.kind === "tooBrief") {
      invitation.refuse(422, timer.headers);
      return;
    }
    const replaced = this.#replacedBy(trunk, request);
    if (typeof replaced === "number") {
      invitation.refuse(replaced);
      return;
    }
    const call = callId(`c-${clock.newId()}`);
    const dialog = trunk.stateOf(invitation.fields);
    const arrival = inviteArrival({ call, settings, request, dialog, replaces: replaced?.call, log });
    const party = new RemoteParty(arrival.identity);
    party.hears(request);
    const inbound: InboundCall = new InboundCall({
      invitation,
      emit: (fact) => this.emit(call, fact),
      sessionTimer: settings.sessionTimer,
      media: settings.media,
      heard: (update) => {
        this.emit(call, { kind: "sip.dialogChanged", dialog: trunk.stateOf(invitation.fields) });
        const identity = party.hears(update);
        if (identity !== undefined) this.emit(call, { kind: "sip.identified", identity });
      },
      confirmed: (session, answerInAck, local, terms) => {
        const agreed = { local, answers: sdpOf(request) };
        const known = { callIdIsOurs: false, party, answerInAck, agreed, terms };
        const confirmed = this.#confirm(call, record, session, known);
        this.emit(call, { kind: "sip.dialogChanged", dialog: confirmed.dialog });
      },
      decided: trunk.waits(),
      pend: () => trunk.pend(),
      over: () => this.#over(call, inbound),
    });
    this.#put(call, record, inbound);
    try {
      sinks().invited(arrival);
    } catch (error) {
      log.error("could not take an INVITE", { error });
      inbound.reject(500, undefined);
    }
  }

  /** A confirmed dialog of an earlier process. */
  resume(call: CallId, dialog: SipDialogState): void {
    const record = this.#options.trunks().get(dialog.trunk);
    if (record === undefined) {
      const { trunk } = dialog;
      this.#options.log.warn("a call from before the restart belongs to a trunk that no longer exists", { trunk });
      return;
    }
    // Who made the Call-ID is not saved; the longer wait after a collision is always allowed to be ours.
    try {
      const party = new RemoteParty(parseUri(dialog.remoteUri));
      this.#confirm(call, record, record.trunk.restore(dialog), { callIdIsOurs: true, party });
    } catch (error) {
      this.#options.log.error("could not restore a call from before the restart", { error });
    }
  }

  order(call: CallId, order: (sipCall: SipCall) => void): void {
    const sipCall = this.#calls.get(call);
    if (sipCall === undefined) return;
    try {
      order(sipCall);
    } catch (error) {
      this.#options.log.error("could not carry out an order of a call", { error });
      this.#forget(call);
      this.emit(call, { kind: "sip.failed", fault: "internal", message: String(error) });
    }
  }

  /** As `order`. Whoever ends a call hears that it is over, even if it is not here, or if we failed to end it. */
  end(call: CallId, order: (sipCall: SipCall) => void): void {
    const sipCall = this.#calls.get(call);
    if (sipCall === undefined) {
      this.emit(call, { kind: "sip.ended" });
      return;
    }
    try {
      order(sipCall);
    } catch (error) {
      this.#options.log.error("could not end a call", { error });
      this.#forget(call);
      this.emit(call, { kind: "sip.ended" });
    }
  }

  emit(call: CallId, fact: SipFact): void {
    try {
      this.#options.sinks().heard(call, fact);
    } catch (error) {
      this.#options.log.error("could not pass on a fact of a call", { fact: fact.kind, error });
    }
  }

  isUsed(record: TrunkRecord): boolean {
    return [...this.#calls.values()].some((sipCall) => this.#records.get(sipCall) === record);
  }

  /** Once the trunk has no call any more; at once where it has none. Replaces what waited for that before. */
  whenUnused(record: TrunkRecord, then: () => void): void {
    if (this.isUsed(record)) this.#unused.set(record, then);
    else then();
  }

  /** Nobody can answer those that ring here any more: whoever calls hears it now and not after minutes of ringing. */
  refuseWaiting(): void {
    for (const call of this.#calls.values()) if (call instanceof InboundCall) call.reject(503, undefined);
  }

  drop(): void {
    for (const call of this.#calls.values()) call.drop();
    this.#calls.clear();
  }

  /** The call that an INVITE with Replaces takes over, or the status to refuse it with (RFC 3891 s3). */
  #replacedBy(trunk: Trunk, request: SipRequest): { readonly call: CallId } | number | undefined {
    const replaces = replacesOf(request);
    if (replaces === undefined) return undefined;
    if (replaces === "malformed") return 400;
    for (const [call, sipCall] of this.#calls) {
      const phase = sipCall.phaseOf({ ...replaces.dialog, trunk: trunk.settings.name });
      if (phase === undefined) continue;
      return phase === "confirmed" && replaces.earlyOnly ? 486 : { call };
    }
    return 481;
  }

  /** The dialog that the answer to an INVITE of ours made. */
  #answered(
    call: CallId,
    record: TrunkRecord,
    session: Session,
    { order, response, party }: { order: InviteOrder; response: SipResponse; party: RemoteParty },
  ): ConfirmedCall {
    return this.#confirm(call, record, session, {
      callIdIsOurs: true,
      party,
      agreed: { local: order.sdp, answers: undefined },
      terms: termsOfAnswer(response, record.trunk.settings.sessionTimer),
    });
  }

  #confirm(
    call: CallId,
    record: TrunkRecord,
    session: Session,
    known: Pick<ConfirmedCallOptions, "callIdIsOurs" | "party" | "answerInAck" | "agreed" | "terms">,
  ): ConfirmedCall {
    const { trunk, messaging } = record;
    const { takesRefer, media, followsRefer, sessionTimer } = trunk.settings;
    const confirmed: ConfirmedCall = new ConfirmedCall({
      ...known,
      session,
      clock: this.#options.clock,
      log: this.#options.log,
      emit: (fact) => this.emit(call, fact),
      stateOf: (fields) => trunk.stateOf(fields),
      takesRefer,
      media,
      followsRefer,
      sessionTimer,
      replacement: (order, headers, events) => this.#replacement(call, order, headers, events),
      messaged: (request) => messaging.inCall(request, call),
      pend: () => trunk.pend(),
      over: () => this.#over(call, confirmed),
    });
    this.#put(call, record, confirmed);
    return confirmed;
  }

  /** An INVITE whose dialog takes the place of the call's (RFC 3515). */
  #replacement(
    call: CallId,
    order: ReplaceOrder,
    headers: readonly HeaderLine[],
    events: ReplacementEvents,
  ): Replacement | undefined {
    const record = this.#options.trunks().get(order.trunk);
    if (record === undefined) return undefined;
    return new Replacement({
      order,
      headers,
      trunk: record.trunk,
      events,
      take: (session, sdp, response) => {
        const party = new RemoteParty(order.target);
        const confirmed = this.#answered(call, record, session, { order, response, party });
        this.emit(call, { kind: "sip.replaced", description: sdp, dialog: confirmed.dialog });
        confirmed.hears(response);
      },
    });
  }

  /** Another one may have taken its place. */
  #over(call: CallId, sipCall: SipCall): void {
    if (this.#calls.get(call) === sipCall) this.#delete(call);
  }

  #forget(call: CallId): void {
    this.#calls.get(call)?.drop();
    this.#delete(call);
  }

  #put(call: CallId, record: TrunkRecord, sipCall: SipCall): void {
    this.#calls.set(call, sipCall);
    this.#records.set(sipCall, record);
  }

  #delete(call: CallId): void {
    this.#calls.delete(call);
    for (const [record, then] of this.#unused) {
      if (this.isUsed(record)) continue;
      this.#unused.delete(record);
      then();
    }
  }
}
