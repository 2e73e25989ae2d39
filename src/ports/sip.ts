// SIP trunks as the bridge sees them. Orders are fire and forget: what they bring comes back as SipFacts of the call.
import type { CallId, TrunkName } from "../core/ids.ts";
import type { SipDialogState, SipInviteState } from "../core/call/dialog-state.ts";
import type { SipFact } from "../core/call/event.ts";
import type { CallerIdentity } from "../core/policy/caller-identity.ts";

export type SipTransportName = "udp" | "tcp" | "tls" | "ws" | "wss";

/** Everything the SIP edge needs to know of one trunk. */
export interface TrunkSettings {
  readonly name: TrunkName;
  readonly transport: SipTransportName;
  /** The next hop. Without a port: SRV, then the transport's default port (RFC 3263). */
  readonly server: { readonly host: string; readonly port: number | undefined; readonly path: string };
  /** Where we listen. `advertised` replaces it in Via and Contact behind a NAT. Port 0: any free one. */
  readonly local: {
    readonly host: string;
    readonly port: number;
    readonly advertised: { readonly host: string; readonly port: number | undefined } | undefined;
  };
  readonly tls: {
    /** PEM of the authorities to trust; the system's when undefined. */
    readonly ca: string | undefined;
    readonly certificate: string | undefined;
    readonly key: string | undefined;
    /** Name verified and sent as SNI; the server's host when undefined. */
    readonly serverName: string | undefined;
  };
  readonly credentials: { readonly username: string; readonly password: string } | undefined;
  /** CIDR networks that may send us requests on this trunk; the server's own addresses, and where calls led us, always may. */
  readonly peers: readonly string[];
  /** Period of OPTIONS in ms; 0 sends none. */
  readonly optionsIntervalMs: number;
  readonly userAgent: string;
}

/** One outgoing INVITE. */
export interface InviteOrder {
  readonly trunk: TrunkName;
  /** Request-URI and To, a `sip:` or `sips:` URI already escaped. */
  readonly target: string;
  readonly identity: CallerIdentity;
  readonly sdp: string;
}

export interface TrunkHealth {
  readonly name: TrunkName;
  readonly state: "up" | "down" | "unknown";
  /** What made it so: "OPTIONS answered 200", "connection refused". */
  readonly detail: string;
  readonly sinceMs: number;
}

export interface SipTrunks {
  /** Binds and connects. A trunk that cannot be reached is reported in `health`, it does not stop the others. Throws on a local address in use. */
  start(): Promise<void>;
  /** `sip.sent` follows when it went out, then exactly one final fact: accepted, rejected or failed. */
  invite(call: CallId, order: InviteOrder): void;
  /** Before the final response. `sip.ended` or, where the 200 was faster, `sip.accepted` follows. `q850` goes into Reason. */
  cancel(call: CallId, q850?: number): void;
  /** Ends a confirmed dialog; `sip.ended` follows, whatever the peer says. `q850` as in `cancel`. */
  bye(call: CallId, q850?: number): void;
  /** re-INVITE with an offer; `sip.reanswered` or `sip.offerRefused` follows. Glare (491) is retried inside (RFC 3261 s14.1). */
  reoffer(call: CallId, sdp: string): void;
  /** Answers the trunk's pending re-INVITE or UPDATE (or offers, after `sip.offerWanted`). */
  answerReoffer(call: CallId, sdp: string): void;
  refuseReoffer(call: CallId, status: number): void;
  /** After a restart: rebuilds the dialog so that `bye` works and the peer's BYE finds it. */
  resume(call: CallId, dialog: SipDialogState): void;
  /**
   * After a restart: cancels an INVITE whose transaction is gone, by the ids it was sent with, and ends the dialog
   * of a 2xx that still comes. `sip.ended` follows once the peer is done with it, or after 64*T1.
   */
  abandon(call: CallId, invite: SipInviteState): void;
  health(): readonly TrunkHealth[];
  /** Waits (bounded) for what is still owed, then closes. */
  stop(): Promise<void>;
}

/** Where the SIP edge delivers what happens. Must not throw. */
export type SipSink = (call: CallId, fact: SipFact) => void;
