// One INVITE of the peer until its final response is acknowledged: provisionals (reliable ones too, RFC 3262), the
// answer, the refusal, and what the caller does meanwhile. Which fact a call hears of it is decided in inbound-call.ts.
import { randomInt } from "node:crypto";
import { TransactionState, type InviteUserAgentServer, type Session as SipjsSession } from "sip.js/lib/core/index.js";
import { sipCallId } from "../../core/ids.ts";
import type { Clock } from "../../ports/clock.ts";
import type { InboundSettings } from "../../ports/sip.ts";
import { sdpOf } from "../headers/sdp-body.ts";
import { parseDigits } from "../wire/fields/grammar.ts";
import { numberHeader, tokensHeader, type HeaderLine } from "../wire/header-builder.ts";
import { header, headerTokens, type SipRequest } from "../wire/message.ts";
import { formatUri } from "../wire/fields/uri.ts";
import type { Core } from "./core.ts";
import { rawRecordRoutes } from "./messages.ts";
import { requestOf } from "./peer-request.ts";
import { sdpBody } from "./requests.ts";
import type { DialogFields } from "./dialog-fields.ts";
import type { Session } from "./session.ts";

export interface ServerInvitationEvents {
  /** The caller gave up, or the time that it set (Expires) has passed: 487 is sent. */
  cancelled(cancel: SipRequest | undefined): void;
  /** BYE in the early dialog: answered 200, and the INVITE 487. */
  hungUp(bye: SipRequest): void;
  /** An UPDATE before our answer, which may name another caller; the dialog has its CSeq and target. */
  heard(request: SipRequest): void;
  /** No PRACK came within 64*T1: 504 is sent. */
  unheard(): void;
  /** The refusal has been acknowledged, or nobody waits for that any more. The last event. */
  settled(): void;
}

export interface ServerInvitationOptions {
  readonly core: Core;
  readonly server: InviteUserAgentServer;
  readonly request: SipRequest;
  /** Of every response that makes the dialog. */
  readonly contact: HeaderLine;
  /** To tag of every response. */
  readonly localTag: string;
  /** Option tags of our Supported. */
  readonly supported: readonly string[];
  readonly reliableProvisionals: InboundSettings["reliableProvisionals"];
  readonly sessionOf: (session: SipjsSession) => Session;
  readonly clock: Clock;
  /** 64*T1 in ms. */
  readonly transactionMs: number;
}

const RELIABLE = "100rel";
/** RFC 3262 s3: a proxy that hears nothing for three minutes ends the call (RFC 3261 s16.6, timer C). */
const EXTENSION_MS = 150_000;
/** A caller that waits for longer than that waits for ever. */
const MAX_EXPIRES_S = 24 * 3_600;

interface Unacknowledged {
  readonly sequence: number;
  readonly stop: () => void;
}

export class ServerInvitation {
  readonly request: SipRequest;
  readonly localTag: string;
  readonly #options: ServerInvitationOptions;
  readonly #rings: "reliably" | "plainly" | "never";
  #events: ServerInvitationEvents | undefined;
  #session: Session | undefined;
  /** RSeq of the last reliable provisional; the first is anything from 1 to 2^31 - 1 (RFC 3262 s3). */
  #sequence = randomInt(0, 2 ** 31 - 1);
  #unacknowledged: Unacknowledged | undefined;
  /** Waits for the PRACK of the one before it (RFC 3262 s3). */
  #next: 180 | 183 | undefined;
  readonly #stopExpiry: () => void;
  #stopExtending: () => void = () => {};
  #settled = false;

  constructor(options: ServerInvitationOptions) {
    this.#options = options;
    const { request, server, localTag } = options;
    this.request = request;
    this.localTag = localTag;
    this.#rings = this.#howToRing();
    this.#stopExpiry = this.#watchExpiry();
    Reflect.set(server, "toTag", localTag);
    server.delegate = {
      onCancel: (message) => {
        this.refuse(487);
        this.#events?.cancelled(requestOf(message));
      },
    };
    server.transaction.addStateChangeListener(() => {
      const { state } = server.transaction;
      if (state === TransactionState.Confirmed || state === TransactionState.Terminated) this.#settle();
    });
    server.trying();
  }

  listen(events: ServerInvitationEvents): void {
    this.#events = events;
  }

  /** Neither answered nor refused. */
  get open(): boolean {
    return this.#options.server.transaction.state === TransactionState.Proceeding;
  }

  /** The dialog that our answer will make (RFC 3261 s12.1.1). */
  get fields(): DialogFields {
    if (this.#session !== undefined) return this.#session.fields;
    const { request, localTag } = this;
    const contact = request.contacts === "*" ? undefined : request.contacts[0];
    return {
      sipCallId: sipCallId(request.sipCallId),
      localTag,
      remoteTag: request.fromTag ?? "",
      localUri: formatUri(request.to.uri),
      remoteUri: formatUri(request.from.uri),
      remoteTarget: formatUri((contact ?? request.from).uri),
      routeSet: rawRecordRoutes(request),
      localCSeq: 0,
      remoteCSeq: request.cseq.number,
      secure: false,
    };
  }

  /** 180, or 183 without a description. */
  ring(status: 180 | 183): void {
    if (!this.open || this.#rings === "never") return;
    if (this.#rings === "plainly") this.#progress(status, []);
    else if (this.#unacknowledged === undefined) this.#ringReliably(status);
    else this.#next = status;
  }

  /** 200 with a description; it goes out again until the ACK is here. Only while `open`. */
  accept(sdp: string, headers: readonly HeaderLine[] = []): Session {
    const { core, server, supported, contact } = this.#options;
    this.#stopRinging();
    const extraHeaders = [tokensHeader("Supported", supported), ...headers];
    const options = { statusCode: 200, body: sdpBody(sdp), extraHeaders };
    const { session } = core.withContact(contact, () => server.accept(options));
    return this.#heard(session);
  }

  /** A final failure, 400 to 699. */
  refuse(status: number, headers: readonly HeaderLine[] = []): void {
    if (!this.open) return;
    this.#stopRinging();
    const statusCode = status >= 400 && status <= 699 ? status : 500;
    this.#options.server.reject({ statusCode, extraHeaders: [...headers] });
  }

  /** No timer goes on. Says nothing to the caller. */
  drop(): void {
    this.#stopRinging();
    this.#events = undefined;
  }

  #howToRing(): "reliably" | "plainly" | "never" {
    const { request, reliableProvisionals } = this.#options;
    const has = (name: string): boolean =>
      headerTokens(request, name).some((token) => token.toLowerCase() === RELIABLE) && reliableProvisionals !== "off";
    // RFC 3261 s13.2.1: to an INVITE without an offer, the first reliable response must carry ours, which a telephone
    // that only rings does not have yet.
    if (sdpOf(request) === undefined) return has("Require") ? "never" : "plainly";
    return has("Require") || (has("Supported") && reliableProvisionals === "required") ? "reliably" : "plainly";
  }

  #progress(status: 180 | 183, headers: readonly HeaderLine[]): string {
    const { core, server, contact } = this.#options;
    const options = { statusCode: status, extraHeaders: [...headers] };
    const { message, session } = core.withContact(contact, () => server.progress(options));
    this.#heard(session);
    return message;
  }

  #ringReliably(status: 180 | 183): void {
    const { core, server, clock, transactionMs } = this.#options;
    const sequence = (this.#sequence += 1);
    const text = this.#progress(status, [tokensHeader("Require", [RELIABLE]), numberHeader("RSeq", sequence)]);
    // The core repeats the last provisional every minute, whatever its RSeq.
    (server.transaction as unknown as { stopProgressExtensionTimer(): void }).stopProgressExtensionTimer();
    this.#stopExtending();
    this.#stopExtending = clock.at(clock.nowMs() + EXTENSION_MS, () => this.ring(status));
    const untilMs = clock.nowMs() + transactionMs;
    const unacknowledged = { sequence, stop: (): void => stopTimer() };
    let intervalMs = transactionMs / 64;
    let stopTimer = (): void => {};
    const arm = (): void => {
      const atMs = Math.min(clock.nowMs() + intervalMs, untilMs);
      intervalMs *= 2;
      stopTimer = clock.at(atMs, () => {
        if (atMs >= untilMs) {
          this.refuse(504);
          this.#events?.unheard();
          return;
        }
        // Over TCP as well: the PRACK may be what got lost further on.
        core.transport.send(text).catch(() => {});
        arm();
      });
    };
    arm();
    this.#unacknowledged = unacknowledged;
  }

  /** RFC 3262 s3. After the final response a PRACK is still waited for. */
  #acknowledges(prack: SipRequest): boolean {
    const match = /^\s*(\d+)\s+(\d+)\s+(\S+)\s*$/.exec(header(prack, "RAck") ?? "");
    const { cseq } = this.request;
    const unacknowledged = this.#unacknowledged;
    if (match === null || unacknowledged === undefined) return false;
    const [, sequence, number, method] = match;
    if (Number(sequence) !== unacknowledged.sequence || Number(number) !== cseq.number || method !== "INVITE")
      return false;
    unacknowledged.stop();
    this.#unacknowledged = undefined;
    const next = this.#next;
    this.#next = undefined;
    // After the PRACK has been answered.
    if (next !== undefined) queueMicrotask(() => this.ring(next));
    return true;
  }

  #heard(sipjsSession: SipjsSession): Session {
    const session = this.#options.sessionOf(sipjsSession);
    if (this.#session === session) return session;
    this.#session = session;
    session.whileEarly({
      bye: (request) => {
        this.refuse(487);
        this.#events?.hungUp(request);
      },
      acknowledges: (prack) => this.#acknowledges(prack),
      heard: (request) => this.#events?.heard(request),
    });
    return session;
  }

  /** RFC 3261 s13.3.1. */
  #watchExpiry(): () => void {
    const { clock, request } = this.#options;
    const seconds = parseDigits(header(request, "Expires")?.trim() ?? "", MAX_EXPIRES_S);
    if (!seconds) return () => {};
    return clock.at(clock.nowMs() + seconds * 1_000, () => {
      if (!this.open) return;
      this.refuse(487);
      this.#events?.cancelled(undefined);
    });
  }

  #stopRinging(): void {
    this.#stopExpiry();
    this.#stopExtending();
    this.#unacknowledged?.stop();
    this.#next = undefined;
  }

  #settle(): void {
    this.#stopRinging();
    if (this.#settled) return;
    this.#settled = true;
    this.#events?.settled();
  }
}
