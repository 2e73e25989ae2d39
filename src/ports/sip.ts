// SIP trunks as the bridge sees them. Orders are fire and forget: what they bring comes back as SipFacts of the call.
import type { SipUri } from "../core/address/uri.ts";
import type { CallId, TrunkName } from "../core/ids.ts";
import type { SipDialogState, SipIncomingState, SipInviteState } from "../core/call/model/dialog-state.ts";
import type { SipFact } from "../core/call/model/fact.ts";
import type { ReferTarget } from "../core/call/model/order.ts";
import type { Diversion, RemoteIdentity, SipAddressee } from "../core/policy/remote-identity.ts";
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
    readonly advertised: { readonly host: string; readonly port?: number | undefined } | undefined;
  };
  readonly tls: {
    /** PEM of the authorities to trust; the system's when undefined. */
    readonly ca: string | undefined;
    readonly certificate: string | undefined;
    readonly key: string | undefined;
    /** Name verified and sent as SNI; the server's host when undefined. */
    readonly serverName: string | undefined;
  };
  readonly credentials:
    | {
        readonly username: string;
        readonly password: string;
        /** Realms that they are for; none: the one that is named first. */
        readonly realms?: readonly string[];
      }
    | undefined;
  /** CIDR networks that may send us requests on this trunk; the servers always may, and inside a call where that led us. */
  readonly peers: readonly string[];
  /** Period of OPTIONS in ms; 0 sends none. */
  readonly optionsIntervalMs: number;
  readonly userAgent: string;
  /** More gateways of the same trunk, tried in this order after `server` where that is down. */
  readonly moreServers: readonly { readonly host: string; readonly port: number | undefined }[];
  /** Undefined: the trunk knows our address, or lets us call only. */
  readonly registration: RegistrationSettings | undefined;
  /** Undefined: requests from the trunk's addresses are trusted. Otherwise they get a digest challenge of ours. */
  readonly challenge: ChallengeSettings | undefined;
  readonly inbound: InboundSettings;
  /** RFC 4028; undefined: no session timer of our own, a peer's is kept to. */
  readonly sessionTimer: { readonly expiresMs: number; readonly minMs: number } | undefined;
  /**
   * Where requests inside a dialog go: where Route and Contact lead (RFC 3261 s12.2.1.1), or where the answer to the
   * INVITE, or the trunk's own INVITE, came from.
   */
  readonly inDialog: "contact" | "source";
  /** Whether a REFER is worth trying (RFC 3515). */
  readonly takesRefer: boolean;
  /** What RTP has to look like: a refused offer is told what it lacks. */
  readonly media: { readonly srtp: "off" | "required"; readonly codecs: readonly string[] };
  /** Whether a REFER of the trunk is followed; otherwise it is refused with 603. */
  readonly followsRefer: boolean;
}

/** REGISTER at the trunk's server (RFC 3261 s10, RFC 3327, RFC 3608). */
interface RegistrationSettings {
  /** User of the address-of-record; the credentials' user name where undefined. */
  readonly user: string | undefined;
  /** Host of the address-of-record and the Request-URI; the server's where undefined. */
  readonly domain: string | undefined;
  readonly expiresMs: number;
}

/** Who may call us on a trunk that is not known by its address (RFC 3261 s22). */
export interface ChallengeSettings {
  /** The best first; every one is offered. */
  readonly algorithms: readonly ("SHA-256" | "MD5")[];
  readonly realm: string;
  readonly username: string;
  readonly password: string;
}

export interface InboundSettings {
  /** Where the called number stands: `request-uri`, `to`, or the name of a header. */
  readonly calledFrom: string;
  /** Provisionals by RFC 3262: `supported` where the caller requires it, `required` in every INVITE that allows it. */
  readonly reliableProvisionals: "off" | "supported" | "required";
  /** A header that has the trunk's verdict on the number in place of `verstat`. */
  readonly verstatHeader?: string | undefined;
  /** A header by which it marks spam. */
  readonly spamHeader?: string | undefined;
}

/** A new INVITE that passed the trunk's own checks; 100 is sent. It waits for `ring`, `accept` or `reject`. */
export interface InviteArrival {
  readonly call: CallId;
  readonly trunk: TrunkName;
  /** The called number or user, from where the trunk says it; unescaped, parameters cut off. */
  readonly called: string;
  readonly identity: RemoteIdentity;
  readonly diversions: readonly Diversion[];
  /** Undefined: the caller wants our offer (late offer). */
  readonly sdp: string | undefined;
  /** With our tag, so that a BYE or a final response can be sent after a restart. */
  readonly dialog: SipDialogState;
  readonly incoming: SipIncomingState;
  /** INVITE with Replaces (RFC 3891): the call of ours whose dialog this one takes over. */
  readonly replaces: CallId | undefined;
}

/** A MESSAGE that came in (RFC 3428). */
export interface MessageArrival {
  readonly trunk: TrunkName;
  readonly called: string;
  readonly identity: RemoteIdentity;
  /** UTF-8 text; of a multipart body its text part, of HTML its text. */
  readonly text: string;
  /** Call-ID, CSeq and From tag: the same for a repetition. */
  readonly id: string;
  /** The call in whose dialog it came: `called` is the number that this call has on the trunk. */
  readonly call?: CallId;
}

/** Message-waiting of an account (RFC 3842). */
export interface MessageWaiting {
  readonly trunk: TrunkName;
  /** The user part of Message-Account, else of the Request-URI. */
  readonly account: string;
  readonly waiting: boolean;
  readonly newMessages: number;
  readonly oldMessages: number;
}

/** Where the SIP edge delivers what happens. None may throw. Nothing is delivered before `SipTrunks.start`. */
export interface SipSinks {
  invited(arrival: InviteArrival): void;
  /** The final status to answer with: 200 or 202 when it is safely passed on, else why not. */
  messaged(arrival: MessageArrival): Promise<number>;
  messageWaiting(news: MessageWaiting): void;
  /** In a call that there is. */
  heard(call: CallId, fact: SipFact): void;
  /** Whether the call may become one to that number or address, where its trunk sends it there (3xx). */
  mayReach(call: CallId, to: SipAddressee): boolean;
  /** A trunk went up or down, or the reason changed. */
  trunkChanged(health: TrunkHealth): void;
}

export interface MessageOrder {
  readonly trunk: TrunkName;
  readonly target: SipUri;
  readonly identity: CallerIdentity;
  readonly text: string;
}

export type MessageOutcome =
  | { readonly kind: "delivered"; readonly status: number }
  | { readonly kind: "refused"; readonly status: number; readonly phrase: string }
  | { readonly kind: "failed"; readonly fault: "timeout" | "transport" | "resolve" | "credentials" | "internal" };

/** One outgoing INVITE. */
export interface InviteOrder {
  readonly trunk: TrunkName;
  /** Request-URI and To. */
  readonly target: SipUri;
  readonly identity: CallerIdentity;
  readonly sdp: string;
}

export interface TrunkHealth {
  readonly name: TrunkName;
  readonly state: "up" | "down" | "unknown";
  /** Undefined where the trunk does not register. */
  readonly registered?: boolean | undefined;
  /** What made it so: "OPTIONS answered 200", "connection refused". */
  readonly detail: string;
  readonly sinceMs: number;
}

/** How long a trunk took to answer OPTIONS. */
export interface TrunkAnswer {
  /** When it was asked. */
  readonly atMs: number;
  /** Undefined: it did not answer as a server that works. */
  readonly tookMs: number | undefined;
}

/** Trunks that are ready to take the place of others. One of the two is called, once. */
export interface TrunkChange {
  /** Those that go on with their former settings until their last call has ended. */
  readonly waiting: readonly TrunkName[];
  /** A trunk that is not among them any more takes no new call; its calls go on. */
  commit(): void;
  abort(): Promise<void>;
}

export interface SipTrunks {
  /** Binds and connects. A trunk that cannot be reached is reported in `health`, it does not stop the others. Throws on a local address in use. */
  start(sinks: SipSinks): Promise<void>;
  /**
   * Other trunks are to take the place of these: new ones are bound and connected, and take no call yet. Rejects with
   * TransportError on a local address in use; then nothing has changed.
   */
  prepare(trunks: readonly TrunkSettings[]): Promise<TrunkChange>;
  /** `sip.sent` follows when it went out, then exactly one final fact: accepted, rejected or failed. */
  invite(call: CallId, order: InviteOrder): void;
  /** Before the final response. `sip.ended` or, where the 200 was faster, `sip.accepted` follows. `q850` goes into Reason. */
  cancel(call: CallId, q850?: number): void;
  /** Ends a confirmed dialog; `sip.ended` follows, whatever the peer says. `q850` as in `cancel`. */
  bye(call: CallId, q850?: number): void;
  /** re-INVITE with an offer; `sip.reanswered` or `sip.offerRefused` follows. Glare (491) is retried inside (RFC 3261 s14.1). */
  reoffer(call: CallId, sdp: string): void;
  /** 180, or 183 without a description; reliably where the caller requires it (RFC 3262). */
  ring(call: CallId, status: 180 | 183): void;
  /** 200 with our answer, or our offer where the INVITE had none: `sip.reanswered` brings the answer of the ACK. */
  accept(call: CallId, sdp: string): void;
  /** Final failure response to the trunk's INVITE; `sip.ended` follows. */
  reject(call: CallId, status: number, q850?: number, retryAfterS?: number): void;
  /** After a restart: the same for an INVITE of the earlier process, by what was stored of it; `sip.ended` follows. */
  dismiss(call: CallId, incoming: SipIncomingState, status: number): void;
  /** A key in an INFO (`application/dtmf-relay`, or `application/dtmf` to a peer that wants that), in their order. */
  info(call: CallId, digit: string, durationMs: number): void;
  /**
   * REFER inside the dialog; `sip.referRefused` or `sip.referProgressed` up to a final status follow. Refused with 405
   * where the trunk takes none, 408 where it does not answer, 491 while another is under way. The final status is 487
   * where the trunk ended its reports without one, 408 where it made none within a minute or for as long as it had said.
   */
  refer(call: CallId, target: ReferTarget): void;
  /**
   * Answers `sip.referred`: INVITE of ours to its target, NOTIFY to the referrer; then `sip.replaced` (the old dialog is
   * ended) or `sip.replaceFailed`, which `sip.hungUp` follows where the referrer left meanwhile. `bye` ends both.
   */
  replace(call: CallId, order: InviteOrder & { readonly replaces: string | undefined }): void;
  /** The answer to the REFER, or its last NOTIFY where the call took longer than 16 s to decide. */
  refuseRefer(call: CallId, status: number): void;
  /**
   * A text; resolves with what became of it. Never rejects. Those to one target are sent in their order, each once the one
   * before it is settled. 503 where too many wait, 513 for more than 60,000 bytes.
   */
  message(order: MessageOrder): Promise<MessageOutcome>;
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
  /** What came of the last OPTIONS, a hundred at most, the oldest first; empty of a trunk that is not asked. */
  answers(trunk: TrunkName): readonly TrunkAnswer[];
  /** Waits (bounded) for what is still owed, then closes. */
  stop(): Promise<void>;
}
