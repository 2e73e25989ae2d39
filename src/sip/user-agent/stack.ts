// What the transactions and dialogs of one trunk share: the way out, the time, and the tables by which a message
// finds whom it belongs to.
import { randomBytes } from "node:crypto";
import type { Log } from "../../ports/telemetry.ts";
import type { Contacts } from "../headers/contact.ts";
import { transactionMs, type SipTimers } from "../transport/retransmit.ts";
import type { Target } from "../transport/sockets/target.ts";
import type { Authorization } from "../wire/digest/digest.ts";
import { MAGIC_COOKIE } from "../wire/fields/via.ts";
import type { SipRequest, SipResponse } from "../wire/message.ts";
import type { OutgoingMessage } from "../wire/outgoing-message.ts";
import type { ScopedClock } from "../transport/scoped-clock.ts";

/** Answers the challenges of one request; undefined when that cannot help. */
export interface DigestClientSession {
  answer(response: SipResponse, request: { method: string; uri: string }): readonly Authorization[] | undefined;
}

/** A client transaction, as responses find it. */
export interface ResponseReader {
  /** `isTrunks`: to a request that went to a server of the trunk. */
  receive(response: SipResponse, isTrunks: boolean): void;
}

/** A subscription of ours, as NOTIFYs find it. */
export interface Subscriber<Server> {
  notified(notify: Server): void;
}

export interface StackOptions {
  /** As Via names it: `UDP`, `TCP`, `TLS`, `WS`, `WSS`. */
  readonly protocol: string;
  /** Sent-by: host, or host and port. */
  readonly viaHost: string;
  readonly userAgent: string;
  readonly contacts: Contacts;
  readonly timers: SipTimers;
  readonly clock: ScopedClock;
  readonly log: Log;
  /** Hands a message to the transport. `target`: where a request outside of dialogs goes; undefined: its choice. */
  readonly send: (message: OutgoingMessage, target?: Target) => Promise<void>;
  readonly newDigestSession: () => DigestClientSession | undefined;
}

/** `Server` and `Dialog` are the classes of server-transaction.ts and session.ts, which know this one. */
export class Stack<Server = unknown, Dialog = unknown> {
  readonly options: StackOptions;
  /** By `clientTransactionKey`. */
  readonly clients = new Map<string, ResponseReader>();
  /** By `serverTransactionKey`. */
  readonly servers = new Map<string, Server>();
  /** By `dialogKey`. */
  readonly dialogs = new Map<string, Dialog>();
  /** Subscriptions that came with requests of ours inside calls, by `subscriptionKey`. */
  readonly subscriptions = new Map<string, Subscriber<Server>>();

  constructor(options: StackOptions) {
    this.options = options;
  }

  /** 64*T1 in ms: timers B, F, H, L and M. */
  get transactionMs(): number {
    return transactionMs(this.options.timers);
  }

  newTag(): string {
    return this.options.clock.newId();
  }

  via(branch: string): string {
    const { protocol, viaHost } = this.options;
    return `SIP/2.0/${protocol} ${viaHost};branch=${branch};rport`;
  }

  /** Gives the function that takes it back. */
  after(ms: number, then: () => void): () => void {
    const { clock } = this.options;
    return clock.at(clock.nowMs() + ms, then);
  }
}

/** RFC 3261 s8.1.1.7: unguessable, so that nobody off the path can answer for the peer. */
export function newBranch(): string {
  return `${MAGIC_COOKIE}${randomBytes(12).toString("hex")}`;
}

/** RFC 3261 s12: an absent tag counts as an empty one. */
export function dialogKey(sipCallId: string, localTag: string, remoteTag: string): string {
  return `${sipCallId}\n${localTag}\n${remoteTag}`;
}

/** The dialog that a request of the peer belongs to. */
export function dialogKeyOf({ sipCallId, toTag = "", fromTag = "" }: SipRequest): string {
  return dialogKey(sipCallId, toTag, fromTag);
}

/** By the event's type alone (RFC 6665 s8.2.1). */
export function subscriptionKey(sipCallId: string, localTag: string, event: string): string {
  return `${sipCallId}\n${localTag}\n${event}`;
}
