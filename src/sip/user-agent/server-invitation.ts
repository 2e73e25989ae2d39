// One INVITE of the peer until its final response is acknowledged: provisionals (reliable ones too, RFC 3262), the
// answer, the refusal, and what the caller does meanwhile. Which fact a call hears of it is decided in inbound-call.ts.
import { randomInt } from "node:crypto";
import type { InboundSettings } from "../../ports/sip.ts";
import { sdpOf } from "../headers/sdp-body.ts";
import { Alarm } from "../transport/alarm.ts";
import { parseDigits } from "../wire/fields/grammar.ts";
import { numberHeader, tokensHeader, type HeaderLine } from "../wire/header-builder.ts";
import { header, headerTokens, type SipRequest } from "../wire/message.ts";
import type { OutgoingResponse } from "../wire/outgoing-message.ts";
import { rawRecordRoutes, serverDialog, type DialogFields } from "./dialog.ts";
import { ALLOW_HEADER, sdpBody } from "./requests.ts";
import type { ServerTransaction } from "./server-transaction.ts";
import { Session } from "./session.ts";
import type { Stack } from "./stack.ts";

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
  readonly stack: Stack<ServerTransaction, Session>;
  readonly server: ServerTransaction;
  /** Of every response that makes the dialog. */
  readonly contact: HeaderLine;
  /** Option tags of our Supported. */
  readonly supported: readonly string[];
  readonly reliableProvisionals: InboundSettings["reliableProvisionals"];
}

const RELIABLE = "100rel";
/** RFC 3262 s3: a proxy that hears nothing for three minutes ends the call (RFC 3261 s16.6, timer C). */
const EXTENSION_MS = 150_000;
/** A caller that waits for longer than that waits for ever. */
const MAX_EXPIRES_S = 24 * 3_600;

/**
 * RFC 3262 s3. `sequence`: RSeq of the last reliable provisional.
 *
 * ```
 * free --180, 183 reliably--> unacknowledged --PRACK--> free
 * ```
 */
type Ringing =
  | { readonly phase: "free"; readonly sequence: number }
  /** It goes out again until its PRACK is here, for which `next` waits. */
  | {
      readonly phase: "unacknowledged";
      readonly sequence: number;
      readonly repeat: Alarm;
      readonly next: 180 | 183 | undefined;
    };

export class ServerInvitation {
  readonly request: SipRequest;
  readonly #options: ServerInvitationOptions;
  readonly #rings: "reliably" | "plainly" | "never";
  #events: ServerInvitationEvents | undefined;
  #session: Session | undefined;
  /** The first RSeq is anything from 1 to 2^31 - 1 (RFC 3262 s3). */
  #ringing: Ringing = { phase: "free", sequence: randomInt(0, 2 ** 31 - 1) };
  readonly #stopExpiry: () => void;
  readonly #extension: Alarm;

  constructor(options: ServerInvitationOptions) {
    this.#options = options;
    const { server } = options;
    this.request = server.request;
    this.#rings = this.#howToRing();
    this.#extension = new Alarm(options.stack.options.clock);
    this.#stopExpiry = this.#watchExpiry();
    server.onEnd(() => {
      this.#stopRinging();
      this.#session?.endEarly();
      this.#events?.settled();
    });
    server.trying();
  }

  listen(events: ServerInvitationEvents): void {
    this.#events = events;
  }

  /** Neither answered nor refused. */
  get open(): boolean {
    return this.#options.server.open;
  }

  /** The dialog that our answer will make (RFC 3261 s12.1.1). */
  get fields(): DialogFields {
    return this.#session?.fields ?? serverDialog(this.request, this.#options.server.toTag);
  }

  /** 180, or 183 without a description. */
  ring(status: 180 | 183): void {
    if (!this.open || this.#rings === "never") return;
    const ringing = this.#ringing;
    if (this.#rings === "plainly") this.#progress(status, []);
    else if (ringing.phase === "free") this.#ringReliably(status, ringing.sequence + 1);
    else this.#ringing = { ...ringing, next: status };
  }

  /** 200 with a description; it goes out again until the ACK is here. Only while `open`. */
  accept(sdp: string, headers: readonly HeaderLine[] = []): Session {
    const { server, supported, contact } = this.#options;
    this.#stopRinging();
    const own = [tokensHeader("Supported", supported), ...headers];
    server.reply(200, { headers: [...own, ...this.#recordRoutes(), ALLOW_HEADER, contact], body: sdpBody(sdp) });
    const session = this.#heard();
    session.accepted(server);
    return session;
  }

  /** The peer gave its INVITE up, and has been told that it did. */
  cancelled(cancel: SipRequest): void {
    if (!this.open) return;
    this.refuse(487);
    this.#events?.cancelled(cancel);
  }

  /** A final failure, 400 to 699. */
  refuse(status: number, headers: readonly HeaderLine[] = []): void {
    if (!this.open) return;
    this.#stopRinging();
    const statusCode = status >= 400 && status <= 699 ? status : 500;
    this.#options.server.reply(statusCode, { headers });
  }

  /** No timer goes on. Says nothing to the caller. */
  drop(): void {
    this.#stopRinging();
    this.#events = undefined;
  }

  #howToRing(): "reliably" | "plainly" | "never" {
    const { request } = this;
    const { reliableProvisionals } = this.#options;
    const has = (name: string): boolean =>
      headerTokens(request, name).some((token) => token.toLowerCase() === RELIABLE) && reliableProvisionals !== "off";
    // RFC 3261 s13.2.1: to an INVITE without an offer, the first reliable response must carry ours, which a telephone
    // that only rings does not have yet.
    if (sdpOf(request) === undefined) return has("Require") ? "never" : "plainly";
    return has("Require") || (has("Supported") && reliableProvisionals === "required") ? "reliably" : "plainly";
  }

  #progress(status: 180 | 183, headers: readonly HeaderLine[]): OutgoingResponse {
    const { server, contact } = this.#options;
    const response = server.reply(status, { headers: [...headers, ...this.#recordRoutes(), contact] });
    this.#heard();
    return response;
  }

  /** RFC 3261 s12.1.1: as sent, in their order. */
  #recordRoutes(): readonly string[] {
    return rawRecordRoutes(this.request).map((route) => `Record-Route: ${route}`);
  }

  #ringReliably(status: 180 | 183, sequence: number): void {
    const { server, stack } = this.#options;
    const { clock } = stack.options;
    const response = this.#progress(status, [tokensHeader("Require", [RELIABLE]), numberHeader("RSeq", sequence)]);
    // It would go out every minute with the same RSeq.
    server.stopExtending();
    this.#extension.set(EXTENSION_MS, () => this.ring(status));
    const untilMs = clock.nowMs() + stack.transactionMs;
    const repeat = new Alarm(clock);
    const arm = (afterMs: number): void => {
      const leftMs = untilMs - clock.nowMs();
      repeat.set(Math.min(afterMs, leftMs), () => {
        if (afterMs >= leftMs) {
          this.refuse(504);
          this.#events?.unheard();
          return;
        }
        // Over TCP as well: the PRACK may be what got lost further on.
        server.send(response);
        arm(afterMs * 2);
      });
    };
    arm(stack.transactionMs / 64);
    this.#ringing = { phase: "unacknowledged", sequence, repeat, next: undefined };
  }

  /** RFC 3262 s3. After the final response a PRACK is still waited for. */
  #acknowledges(prack: SipRequest): boolean {
    const match = /^\s*(\d+)\s+(\d+)\s+(\S+)\s*$/.exec(header(prack, "RAck") ?? "");
    const { cseq } = this.request;
    const ringing = this.#ringing;
    if (match === null || ringing.phase === "free") return false;
    const [, sequence, number, method] = match;
    if (Number(sequence) !== ringing.sequence || Number(number) !== cseq.number || method !== "INVITE") return false;
    ringing.repeat.stop();
    this.#ringing = { phase: "free", sequence: ringing.sequence };
    const { next } = ringing;
    // After the PRACK has been answered.
    if (next !== undefined) queueMicrotask(() => this.ring(next));
    return true;
  }

  /** The dialog that our responses make. */
  #heard(): Session {
    if (this.#session !== undefined) return this.#session;
    const exchange = sdpOf(this.request) === undefined ? "none" : "asked";
    const session = new Session(this.#options.stack, this.fields, { phase: "early", ours: false }, exchange);
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
    const { request } = this;
    const seconds = parseDigits(header(request, "Expires")?.trim() ?? "", MAX_EXPIRES_S);
    if (!seconds) return () => {};
    return this.#options.stack.after(seconds * 1_000, () => {
      if (!this.open) return;
      this.refuse(487);
      this.#events?.cancelled(undefined);
    });
  }

  #stopRinging(): void {
    this.#stopExpiry();
    this.#extension.stop();
    if (this.#ringing.phase === "free") return;
    this.#ringing.repeat.stop();
    this.#ringing = { ...this.#ringing, next: undefined };
  }
}
