// An INVITE of ours until its first final response: which facts the call hears, whatever forks, races and retries
// happen on the wire. What comes after the answer is in confirmed-call.ts.
import { isInfrastructureFailure } from "../../core/call/model/cause.ts";
import type { SipAddressee } from "../../core/call/model/fact.ts";
import type { InviteOrder } from "../../ports/sip.ts";
import { sdpOf } from "../headers/sdp-body.ts";
import { minSeOf, sessionHeaders } from "../headers/session-expires.ts";
import { CallInOneState, type Emit } from "./sip-call.ts";
import { identityHeaders, type IdentityHeaders } from "../headers/identity-headers.ts";
import { q850Header, q850Of } from "../headers/reason.ts";
import { addresseeOf } from "../headers/remote-identity.ts";
import { RemoteParty } from "./remote-party.ts";
import { Redirects } from "./redirects.ts";
import type { DialogId, DialogPhase } from "../headers/replaces.ts";
import { retryAfterMs } from "../headers/retry-after.ts";
import type { GatewayWatch } from "../trunk/gateway-liveness.ts";
import type { Trunk } from "../trunk/trunk.ts";
import type { Invitation, InviteEvents } from "../sipjs/invitation.ts";
import type { Session } from "../sipjs/session.ts";
import { targetKey, type Target } from "../transport/sockets/target.ts";
import { TransportError } from "../transport/sockets/transport-error.ts";
import type { HeaderLine } from "../wire/header-builder.ts";
import type { SipResponse } from "../wire/message.ts";
import { formatUri, parseUri, userText, type SipUri, type Uri } from "../wire/fields/uri.ts";

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
  /** Nothing more is owed and nothing more will be emitted. */
  readonly over: () => void;
}

/** Proxies on the way may each want more; but not for ever. */
const MAX_TOO_BRIEF = 3;

export class OutboundCall extends CallInOneState {
  readonly #options: OutboundCallOptions;
  readonly #tried = new Set<string>();
  /** SDP of provisionals, by the tag of their early dialog: a 2xx may come without its own. */
  readonly #earlySdp = new Map<string, string>();
  /** To tags of the early dialogs. */
  readonly #earlyTags = new Set<string>();
  #invitation: Invitation | undefined;
  #stopWatching: () => void = () => {};
  readonly #redirects: Redirects;
  /** What 422 responses asked for (RFC 4028 s7.3), and how many came. */
  #leastSessionSeconds = 0;
  #tooBrief = 0;
  /** The Request-URI: the order's, until a 3xx leads elsewhere. */
  #uri: string;
  #cancelled = false;
  /** The CANCEL is settled, one way or the other. */
  #settle: () => void = () => {};
  #winner: Session | undefined;
  #over = false;
  #tryingTold = false;
  #ringingTold = false;
  #lastProgress: string | undefined;
  readonly #party: RemoteParty;

  constructor(options: OutboundCallOptions) {
    super();
    this.#options = options;
    this.#uri = options.order.target;
    this.#redirects = new Redirects(this.#uri);
    this.#party = new RemoteParty(options.order.target);
  }

  start(): void {
    const { order, trunk } = this.#options;
    try {
      const target = parseUri(order.target);
      if (target?.kind !== "sip") throw new TypeError("target is no sip URI");
      const own = identityHeaders(order.identity, trunk.serverHost);
      const identity = { ...own, headers: [...own.headers, ...(this.#options.headers ?? [])] };
      this.#attempt(identity, () => this.#fail("transport", "no server of the trunk can be reached"));
    } catch (error) {
      this.#fail("internal", error instanceof Error ? error.message : String(error));
    }
  }

  cancel(q850: number | undefined): void {
    if (this.#over || this.#cancelled || this.#winner !== undefined) return;
    this.#cancelled = true;
    // Without an INVITE on the wire there is nothing to cancel (RFC 3261 s9.1).
    if (this.#invitation === undefined) {
      this.#end();
      return;
    }
    this.#settle = this.#options.trunk.pend();
    this.#invitation.cancel(q850 === undefined ? undefined : q850Header(q850));
  }

  override phaseOf({ trunk, sipCallId, localTag, remoteTag }: DialogId): DialogPhase | undefined {
    const { callId, fromTag } = this.#invitation?.request ?? {};
    const same = callId === sipCallId && fromTag === localTag && this.#earlyTags.has(remoteTag);
    return same && trunk === this.#options.order.trunk && !this.#over && !this.#cancelled ? "early" : undefined;
  }

  bye(q850: number | undefined): void {
    this.cancel(q850);
  }

  drop(): void {
    this.#stopWatching();
    this.#over = true;
    this.#settle();
  }

  /** Tries the next server; `otherwise` when there is none left. */
  #attempt(identity: IdentityHeaders, otherwise: () => void): void {
    const { trunk } = this.#options;
    const inviteAt = (target: Target | undefined): void => {
      if (this.#over) return;
      if (target === undefined) {
        otherwise();
        return;
      }
      this.#inviteAt(target, identity);
    };
    trunk
      .pickTarget(this.#tried)
      .then(inviteAt)
      .catch((error: unknown) => {
        const message = error instanceof Error ? error.message : String(error);
        if (!(error instanceof TransportError)) this.#fail("internal", message);
        else this.#fail(error.code === "resolve" ? "resolve" : "transport", message);
      });
  }

  /** `again`: the INVITE that this one repeats with other headers. */
  #inviteAt(target: Target, identity: IdentityHeaders, again?: Invitation): void {
    const { trunk, order } = this.#options;
    this.#tried.add(targetKey(target));
    const timing = sessionHeaders(trunk.settings.sessionTimer, this.#leastSessionSeconds);
    const headers = [...identity.headers, ...timing];
    const parts = { uri: this.#uri, to: order.target, sdp: order.sdp, ...identity, headers };
    this.#invitation = trunk.invite(target, parts, this.#events(target, identity), again);
  }

  /** RFC 3261 s8.1.3.4: the next place that redirections named and that is the trunk's own; `otherwise` when there is none. */
  async #follow(identity: IdentityHeaders, otherwise: () => void): Promise<void> {
    const { trunk, order } = this.#options;
    const asked = parseUri(order.target);
    for (let uri = this.#redirects.next(); uri !== undefined; uri = this.#redirects.next()) {
      const gateway = await trunk.gatewayOf(uri, asked?.kind === "sip" ? asked.host : "");
      if (this.#over) return;
      if (gateway === undefined || !this.#mayReach(uri, asked)) continue;
      this.#uri = formatUri(uri);
      this.#tried.clear();
      this.#inviteAt(gateway, identity);
      return;
    }
    otherwise();
  }

  /** A 3xx to another number is another call, which somebody pays: the parameters of a number do not make it another one. */
  #mayReach(uri: SipUri, asked: Uri | undefined): boolean {
    const user = (one: Uri | undefined): string | undefined => (one && userText(one))?.split(";")[0];
    return (
      user(uri) === user(asked) || this.#options.mayReach(addresseeOf({ displayName: "", uri, params: new Map() }))
    );
  }

  #events(target: Target, identity: IdentityHeaders): InviteEvents {
    const { trunk, emit } = this.#options;
    let taken = false;
    let gone = false;
    let watch: GatewayWatch | undefined;
    const nextOr = (reason: string, last: () => void, restMs?: number): void => {
      // Whoever gave up first tells nothing about the server.
      if (this.#cancelled) {
        last();
        return;
      }
      trunk.targetFailed(target, reason, restMs);
      // RFC 3263 s4.3: the next server, as long as this one has not taken the call on. A 100 takes nothing on.
      if (taken && !gone) last();
      else {
        this.#invitation = undefined;
        this.#earlySdp.clear();
        this.#attempt(identity, last);
      }
    };
    return {
      sent: (invite) => {
        if (this.#over) return;
        this.#stopWatching();
        watch = undefined;
        this.#stopWatching = trunk.watchFirstResponse(target, this.#tried, (fault, message) => {
          this.#invitation?.giveUp(fault, message);
        });
        emit({ kind: "sip.sent", invite });
      },
      provisional: (response) => {
        taken ||= response.statusCode > 100;
        trunk.targetAnswered(target);
        if (watch === undefined) {
          this.#stopWatching();
          watch = trunk.watchGateway(target, this.#tried, (message) => {
            gone = true;
            this.#invitation?.giveUp("transport", message);
          });
          this.#stopWatching = () => watch?.end();
        }
        this.#provisional(response);
      },
      accepted: (response, session) => {
        this.#stopWatching();
        trunk.targetAnswered(target);
        this.#accepted(response, session);
      },
      refused: (response) => {
        this.#stopWatching();
        // A 503 whose Reason names the far end's cause was no gateway's trouble.
        if (response.statusCode === 503 && isInfrastructureFailure(503, q850Of(response))) {
          nextOr("INVITE answered 503", () => this.#refused(response), retryAfterMs(response));
        } else if (this.#longerSession(response)) {
          this.#inviteAt(target, identity, this.#invitation);
        } else {
          trunk.targetAnswered(target);
          this.#nextPlaceOr(response, identity, () => this.#refused(response));
        }
      },
      failed: (fault, message) => {
        this.#stopWatching();
        if (fault === "internal") this.#fail(fault, message);
        else nextOr(message, () => this.#fail(fault, message));
      },
    };
  }

  /** Whether a 422 can be met: the session is to be refreshed less often. */
  #longerSession(response: SipResponse): boolean {
    if (response.statusCode !== 422 || this.#over || this.#cancelled) return false;
    if (this.#options.trunk.settings.sessionTimer === undefined) return false;
    const leastSeconds = minSeOf(response) ?? 0;
    this.#tooBrief += 1;
    if (leastSeconds <= this.#leastSessionSeconds || this.#tooBrief > MAX_TOO_BRIEF) return false;
    this.#leastSessionSeconds = leastSeconds;
    return true;
  }

  /** 3xx lead on, and where they led a refusal does: the call goes to the next place (RFC 3261 s8.1.3.4). */
  #nextPlaceOr(response: SipResponse, identity: IdentityHeaders, last: () => void): void {
    const { statusCode } = response;
    if (this.#cancelled || this.#over || statusCode >= 600) {
      last();
      return;
    }
    if (statusCode < 400) this.#redirects.take(response);
    this.#invitation = undefined;
    this.#follow(identity, last).catch((error: unknown) => {
      this.#fail("internal", error instanceof Error ? error.message : String(error));
    });
  }

  #provisional(response: SipResponse): void {
    if (this.#over || this.#winner !== undefined) return;
    const { statusCode, toTag } = response;
    const sdp = statusCode > 100 ? sdpOf(response) : undefined;
    if (statusCode > 100 && toTag !== undefined) this.#earlyTags.add(toTag);
    if (sdp !== undefined && toTag !== undefined) this.#earlySdp.set(toTag, sdp);
    if (this.#cancelled) return;
    const { emit } = this.#options;
    if (statusCode === 100) {
      if (!this.#tryingTold) emit({ kind: "sip.trying" });
      this.#tryingTold = true;
      return;
    }
    this.#tryingTold = true;
    // 199 ends one of several early dialogs (RFC 6228): nothing that a caller hears.
    if (statusCode === 199) return;
    if (statusCode !== 183 && !this.#ringingTold) {
      this.#ringingTold = true;
      emit({ kind: "sip.ringing" });
    }
    const identity = this.#party.hears(response);
    if (identity !== undefined) emit({ kind: "sip.identified", identity });
    // The same description again, as in each repetition of a 183, is no news.
    if (sdp !== undefined ? sdp !== this.#lastProgress : statusCode === 183 && this.#lastProgress === undefined) {
      this.#lastProgress = sdp ?? "";
      emit({ kind: "sip.progressed", sdp });
    }
  }

  #accepted(response: SipResponse, session: Session): void {
    const { trunk, confirmed } = this.#options;
    // RFC 3261 s13.2.2.4: of several answers one is kept, the others are acknowledged and ended.
    if (this.#over || this.#winner !== undefined) {
      trunk.hangUp(session);
      return;
    }
    const sdp = sdpOf(response) ?? this.#earlySdp.get(response.toTag ?? "");
    if (sdp === undefined) {
      trunk.hangUp(session);
      if (this.#cancelled) this.#end();
      else this.#fail("internal", "2xx without a session description");
      return;
    }
    this.#winner = session;
    this.#settle();
    confirmed(session, sdp, response, this.#party);
  }

  #refused(response: SipResponse): void {
    if (this.#over || this.#winner !== undefined) return;
    if (this.#cancelled) {
      this.#end();
      return;
    }
    const { statusCode: status, reasonPhrase: phrase } = response;
    if (status === 401 || status === 407) {
      this.#fail("credentials", `${status} ${phrase}: the trunk does not take our credentials`);
      return;
    }
    this.#over = true;
    this.#options.emit({ kind: "sip.rejected", status, phrase, q850: q850Of(response) });
    this.#options.over();
  }

  #fail(fault: "timeout" | "transport" | "resolve" | "credentials" | "internal", message: string): void {
    if (this.#over || this.#winner !== undefined) return;
    if (this.#cancelled) {
      this.#end();
      return;
    }
    this.#over = true;
    this.#options.emit({ kind: "sip.failed", fault, message });
    this.#options.over();
  }

  #end(): void {
    this.#over = true;
    this.#settle();
    this.#options.emit({ kind: "sip.ended" });
    this.#options.over();
  }
}
