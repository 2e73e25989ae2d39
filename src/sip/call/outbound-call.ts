// An INVITE of ours until its first final response, on the wire. What each event makes of it is in outbound-state.ts;
// what comes after the answer is in confirmed-call.ts.
import type { SipAddressee } from "../../core/policy/remote-identity.ts";
import type { InviteOrder } from "../../ports/sip.ts";
import { identityHeaders, type IdentityHeaders } from "../headers/identity-headers.ts";
import { q850Header } from "../headers/reason.ts";
import { addresseeOf } from "../headers/remote-identity.ts";
import type { DialogId, DialogPhase } from "../headers/replaces.ts";
import { sessionHeaders } from "../headers/session-expires.ts";
import type { Invitation } from "../user-agent/invitation.ts";
import type { Session } from "../user-agent/session.ts";
import { TransportError } from "../transport/sockets/transport-error.ts";
import type { Trunk } from "../trunk/trunk.ts";
import { userText, type SipUri } from "../../core/address/uri.ts";
import type { HeaderLine } from "../wire/header-builder.ts";
import type { SipResponse } from "../wire/message.ts";
import {
  startOutbound,
  stepOutbound,
  type OutboundEffect,
  type OutboundEvent,
  type OutboundState,
  type OutboundStep,
} from "./outbound-state.ts";
import { RemoteParty } from "./remote-party.ts";
import { SipCall, type Emit } from "./sip-call.ts";

export interface OutboundCallOptions {
  readonly order: InviteOrder;
  readonly trunk: Trunk;
  readonly emit: Emit;
  /** Whether it may become a call to that number or address, where a 3xx leads there. */
  readonly mayReach: (to: SipAddressee) => boolean;
  /** Besides those that make it the call of whom it is: Replaces, Referred-By. */
  readonly headers?: readonly HeaderLine[];
  /** The first 2xx, before its fact is emitted by whoever takes over. */
  readonly confirmed: (session: Session, sdp: string, response: SipResponse, party: RemoteParty) => void;
  /** Nothing more is in flight and nothing more will be emitted. */
  readonly over: () => void;
}

export class OutboundCall extends SipCall {
  readonly #options: OutboundCallOptions;
  readonly #party: RemoteParty;
  #state: OutboundState = { phase: "over" };
  /** The INVITE that is under way, or was last. */
  #invitation: Invitation | undefined;
  #stopWatching: () => void = () => {};
  /** The CANCEL is settled, one way or the other. */
  #settle: () => void = () => {};

  constructor(options: OutboundCallOptions) {
    super();
    this.#options = options;
    this.#party = new RemoteParty(options.order.target);
  }

  start(): void {
    this.#become(startOutbound(this.#options.order.target));
  }

  cancel(q850: number | undefined): void {
    this.#step({ kind: "cancel", q850 });
  }

  bye(q850: number | undefined): void {
    this.cancel(q850);
  }

  override phaseOf({ trunk, sipCallId, localTag, remoteTag }: DialogId): DialogPhase | undefined {
    const state = this.#state;
    const { callId, fromTag } = this.#invitation?.request ?? {};
    const same = callId === sipCallId && fromTag === localTag && trunk === this.#options.order.trunk;
    const early = state.phase === "calling" && state.course.earlyTags.has(remoteTag);
    return same && early ? "early" : undefined;
  }

  drop(): void {
    this.#state = { phase: "over" };
    this.#stopWatching();
    this.#settle();
  }

  #step(event: OutboundEvent): void {
    this.#become(stepOutbound(this.#state, event, this.#options.trunk.settings.sessionTimer !== undefined));
  }

  #become({ state, effects }: OutboundStep): void {
    this.#state = state;
    if (state.phase === "answered" || state.phase === "over") this.#settle();
    for (const effect of effects) this.#do(effect);
  }

  #do(effect: OutboundEffect): void {
    const { trunk, emit, confirmed, over } = this.#options;
    switch (effect.kind) {
      case "emit":
        emit(effect.fact);
        return;
      case "hear": {
        const identity = this.#party.hears(effect.response);
        if (identity !== undefined) emit({ kind: "sip.identified", identity });
        return;
      }
      case "pick":
        this.#await(trunk.pickTarget(effect.tried).then((target) => ({ kind: "nextHop", target })));
        return;
      case "follow":
        this.#await(this.#place(effect.places));
        return;
      case "invite":
        this.#invite(effect);
        return;
      case "cancel":
        this.#settle = trunk.pend();
        this.#invitation?.cancel(effect.q850 === undefined ? undefined : q850Header(effect.q850));
        return;
      case "giveUp":
        this.#invitation?.giveUp(effect.fault, effect.message);
        return;
      case "watch":
        this.#stopWatching = this.#watch(effect);
        return;
      case "stopWatching":
        this.#stopWatching();
        return;
      case "targetAnswered":
        trunk.targetAnswered(effect.target);
        return;
      case "targetFailed":
        trunk.targetFailed(effect.target, effect.reason, effect.restMs);
        return;
      case "confirm":
        confirmed(effect.session, effect.sdp, effect.response, this.#party);
        return;
      case "hangUp":
        trunk.hangUp(effect.session);
        return;
      case "over":
        over();
    }
  }

  #await(coming: Promise<OutboundEvent>): void {
    coming
      .then((event) => this.#step(event))
      .catch((error: unknown) => {
        const message = error instanceof Error ? error.message : String(error);
        const ofTransport = error instanceof TransportError;
        const fault = !ofTransport ? "internal" : error.code === "resolve" ? "resolve" : "transport";
        this.#step({ kind: "noNextHop", fault, message });
      });
  }

  #invite({ target, course, again }: Extract<OutboundEffect, { kind: "invite" }>): void {
    const { trunk, order } = this.#options;
    const identity = this.#identity();
    const timing = sessionHeaders(trunk.settings.sessionTimer, course.leastSessionSeconds);
    const headers = [...identity.headers, ...timing];
    const parts = { uri: course.uri, to: order.target, sdp: order.sdp, ...identity, headers };
    this.#invitation = trunk.invite(target, parts, (event) => this.#step(event), again ? this.#invitation : undefined);
  }

  #identity(): IdentityHeaders {
    const { order, trunk, headers = [] } = this.#options;
    const own = identityHeaders(order.identity, trunk.serverHost);
    return { ...own, headers: [...own.headers, ...headers] };
  }

  #watch({ what, target, course: { tried } }: Extract<OutboundEffect, { kind: "watch" }>): () => void {
    const { trunk } = this.#options;
    if (what === "firstResponse") {
      return trunk.watchFirstResponse(target, tried, (fault, message) =>
        this.#step({ kind: "silent", fault, message }),
      );
    }
    const watch = trunk.watchGateway(target, tried, (message) => this.#step({ kind: "gatewayGone", message }));
    return () => watch.end();
  }

  /** RFC 3261 s8.1.3.4: the first of those places that is the trunk's own and may be called. */
  async #place(places: readonly SipUri[]): Promise<OutboundEvent> {
    const { trunk, order } = this.#options;
    for (const [index, uri] of places.entries()) {
      const target = await trunk.gatewayOf(uri, order.target.host);
      if (target !== undefined && this.#mayReach(uri)) {
        return { kind: "place", uri, target, looked: index + 1 };
      }
    }
    return { kind: "nextHop", target: undefined };
  }

  /** A 3xx to another number is another call, which somebody pays: the parameters of a number do not make it another one. */
  #mayReach(uri: SipUri): boolean {
    const { order, mayReach } = this.#options;
    const same = userText(uri)?.split(";")[0] === userText(order.target)?.split(";")[0];
    return same || mayReach(addresseeOf({ displayName: "", uri, params: new Map() }));
  }
}
