// The SIP edge's door (ports/sip.ts): orders for calls in, facts of calls out. One trunk's inside is in trunk.ts,
// one call's in outbound-call.ts and confirmed-call.ts.
import type { SipDialogState, SipIncomingState, SipInviteState } from "../core/call/model/dialog-state.ts";
import type { SipAddressee, SipFact } from "../core/call/model/fact.ts";
import { callId, type CallId, type TrunkName } from "../core/ids.ts";
import type { Clock } from "../ports/clock.ts";
import type {
  InviteOrder,
  MessageOrder,
  MessageOutcome,
  SipArrivals,
  SipSink,
  SipTrunks,
  TrunkHealth,
  TrunkSettings,
} from "../ports/sip.ts";
import type { Log } from "../ports/telemetry.ts";
import { sdpOf } from "./headers/sdp-body.ts";
import { ConfirmedCall, type ConfirmedCallOptions } from "./call/confirmed-call.ts";
import { inviteArrival } from "./headers/invite-arrival.ts";
import { InboundCall } from "./call/inbound-call.ts";
import { OutboundCall } from "./call/outbound-call.ts";
import { Replacement, type ReplacementEvents } from "./transfer/refer-replacement.ts";
import { RemoteParty } from "./call/remote-party.ts";
import { replacesOf } from "./headers/replaces.ts";
import { scopedClock, type ScopedClock } from "./trunk/scoped-clock.ts";
import type { ReplaceOrder, SipCall } from "./call/sip-call.ts";
import { judgeSession, termsOfAnswer } from "./headers/session-expires.ts";
import { setTimers } from "./sipjs/core.ts";
import type { PeerRequest } from "./sipjs/peer-request.ts";
import type { ServerInvitation } from "./sipjs/server-invitation.ts";
import type { Session } from "./sipjs/session.ts";
import { Texts } from "./messages/messaging.ts";
import { DEFAULT_KEEP_ALIVE_MS } from "./transport/sockets/connection.ts";
import { createDns, familyOf, Resolver, type Dns } from "./transport/resolver.ts";
import { DEFAULT_TIMERS, type SipTimers } from "./transport/retransmit.ts";
import { Trunk } from "./trunk/trunk.ts";
import type { HeaderLine } from "./wire/header-builder.ts";
import type { SipRequest } from "./wire/message.ts";

export interface SipTrunksOptions {
  readonly trunks: readonly TrunkSettings[];
  readonly sink: SipSink;
  /** The door for what trunks begin. */
  readonly arrivals: SipArrivals;
  /** Whether the call may become one to that number or address, where its trunk sends it there (3xx). */
  readonly mayReach: (call: CallId, to: SipAddressee) => boolean;
  readonly log: Log;
  readonly clock: Clock;
  /** Told when a trunk goes up or down, and when the reason changes. */
  readonly onTrunkState?: (health: TrunkHealth) => void;
  /** RFC 3261 T1 and T2; shorter ones are for tests. They hold for the whole process. */
  readonly timers?: SipTimers;
  /** Between pings on TCP, TLS and WebSocket connections; 30 s. */
  readonly keepAliveMs?: number;
  /** The system's resolver unless given. */
  readonly dns?: Dns;
  /** How long `stop` waits for answers to BYE and CANCEL. */
  readonly stopPatienceMs?: number;
}

/** All trunks of the configuration behind one port. */
export function createSipTrunks(options: SipTrunksOptions): SipTrunks {
  return new Trunks(options);
}

class Trunks implements SipTrunks {
  readonly #options: SipTrunksOptions;
  readonly #trunks = new Map<TrunkName, Trunk>();
  readonly #texts = new Map<TrunkName, Texts>();
  readonly #calls = new Map<CallId, SipCall>();
  /** Of the calls: nothing that one waits for outlives the trunks. */
  readonly #clock: ScopedClock;

  constructor(options: SipTrunksOptions) {
    this.#options = options;
    const { clock, log, trunks, timers = DEFAULT_TIMERS, dns = createDns(), onTrunkState } = options;
    const { keepAliveMs = DEFAULT_KEEP_ALIVE_MS } = options;
    setTimers(timers);
    this.#clock = scopedClock(clock);
    for (const settings of trunks) {
      const resolver = new Resolver({ dns, clock, family: familyOf(settings.local.host) });
      const onHealth = (health: TrunkHealth): void => onTrunkState?.(health);
      const onInvited = (trunk: Trunk, invitation: ServerInvitation): void => this.#invited(trunk, invitation);
      const onAsked = (request: PeerRequest): void => this.#texts.get(settings.name)?.asked(request);
      const trunkLog = log.child({ trunk: settings.name });
      const told = { onHealth, onInvited, onAsked };
      const trunk = new Trunk({ settings, resolver, clock, timers, keepAliveMs, log: trunkLog, ...told });
      this.#trunks.set(settings.name, trunk);
      const texts = new Texts({ settings, trunk, arrivals: options.arrivals, clock: this.#clock, log: trunkLog });
      this.#texts.set(settings.name, texts);
    }
  }

  async start(): Promise<void> {
    try {
      await Promise.all([...this.#trunks.values()].map((trunk) => trunk.start()));
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  invite(call: CallId, order: InviteOrder): void {
    const trunk = this.#trunks.get(order.trunk);
    if (trunk === undefined) {
      this.#emit(call, { kind: "sip.failed", fault: "internal", message: `no trunk named ${order.trunk}` });
      return;
    }
    const outbound = new OutboundCall({
      order,
      trunk,
      emit: (fact) => this.#emit(call, fact),
      mayReach: (to) => this.#options.mayReach(call, to),
      confirmed: (session, sdp, response, party) => {
        const confirmed = this.#confirm(call, trunk, session, {
          callIdIsOurs: true,
          party,
          agreed: { local: order.sdp, answers: undefined },
          terms: termsOfAnswer(response, trunk.settings.sessionTimer),
        });
        this.#emit(call, { kind: "sip.accepted", sdp, dialog: confirmed.dialog });
        confirmed.hears(response);
      },
      over: () => this.#calls.delete(call),
    });
    this.#calls.set(call, outbound);
    outbound.start();
  }

  cancel(call: CallId, q850?: number): void {
    this.#farewell(call, (sipCall) => sipCall.cancel(q850));
  }

  bye(call: CallId, q850?: number): void {
    this.#farewell(call, (sipCall) => sipCall.bye(q850));
  }

  reoffer(call: CallId, sdp: string): void {
    this.#order(call, (sipCall) => sipCall.reoffer(sdp));
  }

  ring(call: CallId, status: 180 | 183): void {
    this.#order(call, (sipCall) => sipCall.ring(status));
  }

  accept(call: CallId, sdp: string): void {
    this.#order(call, (sipCall) => sipCall.accept(sdp));
  }

  reject(call: CallId, status: number, q850?: number, retryAfterS?: number): void {
    this.#farewell(call, (sipCall) => sipCall.reject(status, q850, retryAfterS));
  }

  dismiss(call: CallId, incoming: SipIncomingState, status: number): void {
    const trunk = this.#trunks.get(incoming.trunk);
    const ended = (): void => this.#emit(call, { kind: "sip.ended" });
    try {
      if (trunk === undefined) ended();
      else trunk.dismiss(incoming, status, ended);
    } catch (error) {
      this.#options.log.error("could not refuse an INVITE from before the restart", { error });
      ended();
    }
  }

  info(call: CallId, digit: string, durationMs: number): void {
    this.#order(call, (sipCall) => sipCall.info(digit, durationMs));
  }

  refer(call: CallId, target: string, replaces: SipDialogState | undefined): void {
    this.#order(call, (sipCall) => sipCall.refer(target, replaces));
  }

  replace(call: CallId, order: ReplaceOrder): void {
    this.#order(call, (sipCall) => sipCall.replace(order));
  }

  refuseRefer(call: CallId, status: number): void {
    this.#order(call, (sipCall) => sipCall.refuseRefer(status));
  }

  message(order: MessageOrder): Promise<MessageOutcome> {
    const texts = this.#texts.get(order.trunk);
    return texts?.message(order) ?? Promise.resolve({ kind: "failed", fault: "internal" });
  }

  answerReoffer(call: CallId, sdp: string): void {
    this.#order(call, (sipCall) => sipCall.answerReoffer(sdp));
  }

  refuseReoffer(call: CallId, status: number): void {
    this.#order(call, (sipCall) => sipCall.refuseReoffer(status));
  }

  resume(call: CallId, dialog: SipDialogState): void {
    const trunk = this.#trunks.get(dialog.trunk);
    if (trunk === undefined) {
      this.#options.log.warn("a call from before the restart belongs to a trunk that no longer exists", {
        trunk: dialog.trunk,
      });
      return;
    }
    // Who made the Call-ID is not saved; the longer wait after a collision is always allowed to be ours.
    try {
      const party = new RemoteParty(dialog.remoteUri);
      this.#confirm(call, trunk, trunk.restore(dialog), { callIdIsOurs: true, party });
    } catch (error) {
      this.#options.log.error("could not restore a call from before the restart", { error });
    }
  }

  abandon(call: CallId, invite: SipInviteState): void {
    const trunk = this.#trunks.get(invite.trunk);
    const ended = (): void => this.#emit(call, { kind: "sip.ended" });
    try {
      if (trunk === undefined) ended();
      else trunk.abandon(invite, ended);
    } catch (error) {
      this.#options.log.error("could not cancel an INVITE from before the restart", { error });
      ended();
    }
  }

  health(): readonly TrunkHealth[] {
    return [...this.#trunks.values()].map((trunk) => trunk.health);
  }

  async stop(): Promise<void> {
    const { stopPatienceMs = 5_000 } = this.#options;
    for (const trunk of this.#trunks.values()) trunk.close();
    // Nobody can answer them any more; whoever calls hears it now and not after minutes of ringing.
    for (const call of this.#calls.values()) if (call instanceof InboundCall) call.reject(503, undefined);
    await Promise.all([...this.#trunks.values()].map((trunk) => trunk.stop(stopPatienceMs)));
    for (const texts of this.#texts.values()) texts.close();
    this.#clock.close();
    for (const call of this.#calls.values()) call.drop();
    this.#calls.clear();
  }

  #invited(trunk: Trunk, invitation: ServerInvitation): void {
    const { clock, log, arrivals } = this.#options;
    const { request } = invitation;
    const session = judgeSession(request, trunk.settings.sessionTimer);
    if (session.kind === "tooBrief") {
      invitation.refuse(422, session.headers);
      return;
    }
    const replaced = this.#replacedBy(trunk, request);
    if (typeof replaced === "number") {
      invitation.refuse(replaced);
      return;
    }
    const call = callId(`c-${clock.newId()}`);
    const dialog = trunk.stateOf(invitation.fields);
    const { settings } = trunk;
    const arrival = inviteArrival({ call, settings, request, dialog, replaces: replaced?.call, log });
    const party = new RemoteParty(arrival.identity);
    party.hears(request);
    const inbound: InboundCall = new InboundCall({
      invitation,
      emit: (fact) => this.#emit(call, fact),
      sessionTimer: settings.sessionTimer,
      media: settings.media,
      heard: (update) => {
        this.#emit(call, { kind: "sip.dialogChanged", dialog: trunk.stateOf(invitation.fields) });
        const identity = party.hears(update);
        if (identity !== undefined) this.#emit(call, { kind: "sip.identified", identity });
      },
      confirmed: (session, answerInAck, local, terms) => {
        const agreed = { local, answers: sdpOf(request) };
        const known = { callIdIsOurs: false, party, answerInAck, agreed, terms };
        const confirmed = this.#confirm(call, trunk, session, known);
        this.#emit(call, { kind: "sip.dialogChanged", dialog: confirmed.dialog });
      },
      decided: trunk.waits(),
      owe: () => trunk.owe(),
      over: () => {
        if (this.#calls.get(call) === inbound) this.#calls.delete(call);
      },
    });
    this.#calls.set(call, inbound);
    try {
      arrivals.invited(arrival);
    } catch (error) {
      log.error("could not take an INVITE", { error });
      inbound.reject(500, undefined);
    }
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

  #confirm(
    call: CallId,
    trunk: Trunk,
    session: Session,
    known: Pick<ConfirmedCallOptions, "callIdIsOurs" | "party" | "answerInAck" | "agreed" | "terms">,
  ): ConfirmedCall {
    const confirmed: ConfirmedCall = new ConfirmedCall({
      ...known,
      session,
      clock: this.#clock,
      log: this.#options.log,
      emit: (fact) => this.#emit(call, fact),
      stateOf: (fields) => trunk.stateOf(fields),
      takesRefer: trunk.settings.takesRefer,
      media: trunk.settings.media,
      followsRefer: trunk.settings.followsRefer,
      sessionTimer: trunk.settings.sessionTimer,
      replacement: (order, headers, events) => this.#replacement(call, order, headers, events),
      texted: (request) => this.#texts.get(trunk.settings.name)?.inCall(request, call),
      owe: () => trunk.owe(),
      over: () => {
        if (this.#calls.get(call) === confirmed) this.#calls.delete(call);
      },
    });
    this.#calls.set(call, confirmed);
    return confirmed;
  }

  /** An INVITE whose dialog takes the place of the call's (RFC 3515). */
  #replacement(
    call: CallId,
    order: ReplaceOrder,
    headers: readonly HeaderLine[],
    events: ReplacementEvents,
  ): Replacement | undefined {
    const trunk = this.#trunks.get(order.trunk);
    if (trunk === undefined) return undefined;
    return new Replacement({
      order,
      headers,
      trunk,
      events,
      take: (session, sdp, response) => {
        const confirmed = this.#confirm(call, trunk, session, {
          callIdIsOurs: true,
          party: new RemoteParty(order.target),
          agreed: { local: order.sdp, answers: undefined },
          terms: termsOfAnswer(response, trunk.settings.sessionTimer),
        });
        this.#emit(call, { kind: "sip.replaced", sdp, dialog: confirmed.dialog });
        confirmed.hears(response);
      },
    });
  }

  #order(call: CallId, order: (sipCall: SipCall) => void): void {
    const sipCall = this.#calls.get(call);
    if (sipCall === undefined) return;
    try {
      order(sipCall);
    } catch (error) {
      this.#options.log.error("could not carry out an order of a call", { error });
      this.#forget(call);
      this.#emit(call, { kind: "sip.failed", fault: "internal", message: String(error) });
    }
  }

  /** Whoever ends a call must not wait for ever: not for one that is not here, nor for one that we failed to end. */
  #farewell(call: CallId, order: (sipCall: SipCall) => void): void {
    const sipCall = this.#calls.get(call);
    if (sipCall === undefined) {
      this.#emit(call, { kind: "sip.ended" });
      return;
    }
    try {
      order(sipCall);
    } catch (error) {
      this.#options.log.error("could not end a call", { error });
      this.#forget(call);
      this.#emit(call, { kind: "sip.ended" });
    }
  }

  #forget(call: CallId): void {
    this.#calls.get(call)?.drop();
    this.#calls.delete(call);
  }

  #emit(call: CallId, fact: SipFact): void {
    try {
      this.#options.sink(call, fact);
    } catch (error) {
      this.#options.log.error("could not pass on a fact of a call", { fact: fact.kind, error });
    }
  }
}
