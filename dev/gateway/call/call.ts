// One call at the gateway, whichever side made it: its dialog, its session, and what was seen of it. How it begins is for
// called-call.ts and calling-call.ts; transactions and sockets belong to user-agent.ts.
import { randomInt } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Heard } from "../../audio/goertzel.ts";
import type { Keypress } from "../../audio/telephone-event.ts";
import {
  header,
  headerValues,
  type SipMessage,
  type SipRequest,
  type SipResponse,
} from "../../../src/sip/wire/message.ts";
import { formatUri, type Uri } from "../../../src/core/address/uri.ts";
import type { Dialog } from "../user-agent/dialog.ts";
import { infoBody, readInfo, readSipfrag } from "./call-bodies.ts";
import { ALLOW, type Headers } from "../wire/message-text.ts";
import type { GatewayCall, GatewayCallEnd, GatewayLog } from "../observation.ts";
import { readReference, Referral, type ReferralTarget } from "./referral.ts";
import { RtpLeg } from "../media/rtp-leg.ts";
import type { ServerTransaction } from "../user-agent/server-transaction.ts";
import { Session } from "../media/session.ts";
import type { CodecName, Direction } from "../media/session-description.ts";
import type { SipTransport } from "../wire/sockets.ts";
import { makeSound, type SoundName } from "../media/sounds.ts";

/** What a call needs of the user agent around it. */
export interface CallSurroundings {
  readonly host: string;
  readonly codecs: readonly CodecName[];
  /** Whether keys are taken as RTP events. */
  readonly rtpEvents: boolean;
  /** What a REFER is answered with. */
  readonly referStatus: number;
  /** REFER is accepted, and NOTIFY tells this at once. */
  readonly referFailure: number | undefined;
  readonly log: GatewayLog;
  /** Our Contact, for the transport of this call. */
  readonly contact: string;
  /** A URI of ours for a number of the table. */
  uriOf(number: string): string;
  /** Sends a request inside the dialog; undefined: no final answer came. */
  request(dialog: Dialog, method: string, headers: Headers, body: string): Promise<SipResponse | undefined>;
  /** Calls where a REFER leads, as the number that was called; `happened` at each answer, 0 for none. */
  follow(from: Call, target: ReferralTarget, happened: (status: number) => void): GatewayCall | undefined;
  /** Something about this call is new. */
  changed(): void;
}

const GLARE_ATTEMPTS = 4;
const NOT_HEARD: Heard = { hz: undefined, ratio: 0, levelDb: -Infinity };

export abstract class Call implements GatewayCall {
  abstract readonly direction: "in" | "out";
  abstract readonly number: string;
  abstract readonly requestUri: string;
  abstract readonly transport: SipTransport;
  abstract readonly sipCallId: string;
  abstract readonly from: GatewayCall["from"];
  abstract readonly offer: string;
  abstract readonly statuses: readonly number[];
  abstract readonly dialog: Dialog | undefined;
  readonly user: string | undefined = undefined;
  readonly requests: string[] = [];
  readonly digits: Keypress[] = [];
  readonly infoDigits: Keypress[] = [];
  readonly notified: number[] = [];
  readonly referrals: Referral[] = [];
  state: GatewayCall["state"] = "ringing";
  end: GatewayCallEnd | undefined;
  /** What the gateway lets the peer hear. */
  sound: SoundName = "silence";
  /** Called once, when the call has ended. */
  over: () => void = () => undefined;
  protected readonly surroundings: CallSurroundings;
  protected session: Session | undefined;
  /** The peer's INVITEs that we answered and whose ACK is due, by CSeq. */
  protected readonly awaitingAck = new Map<number, { transaction: ServerTransaction; offered: boolean }>();
  readonly #ending = new AbortController();
  #offering = false;
  #heardAudio = false;
  #last: SipRequest | undefined;

  constructor(surroundings: CallSurroundings) {
    this.surroundings = surroundings;
  }

  /** The first INVITE of the peer's, or its last answer to ours. */
  protected abstract get first(): SipMessage | undefined;
  /** The other side, as the end of a call names it. */
  protected abstract get peer(): "caller" | "callee";
  /** An INVITE of the peer's that is not answered yet: refused, because of a BYE for instance. */
  protected abstract settleInvite(): void;
  /** Ends what rings. */
  protected abstract giveUp(how: GatewayCallEnd["how"]): Promise<void> | void;
  /** Resolves when the call may be changed: its INVITE is answered and acknowledged. */
  protected abstract get confirmed(): Promise<void>;

  headers(name: string): readonly string[] {
    return this.first === undefined ? [] : headerValues(this.first, name);
  }

  lastHeaders(name: string): readonly string[] {
    return this.#last === undefined ? [] : headerValues(this.#last, name);
  }

  get codec(): CodecName | undefined {
    return this.session?.codec;
  }

  get peerDirection(): Direction | undefined {
    return this.session?.peerDirection;
  }

  get heardMs(): number {
    return this.session?.leg.reception.heardMs ?? 0;
  }

  heard(lastMs?: number, frequencies?: readonly number[]): Heard {
    return this.session?.leg.reception.heard(lastMs, frequencies) ?? NOT_HEARD;
  }

  get rtp(): GatewayCall["rtp"] {
    const leg = this.session?.leg;
    const { packets = 0, lost = 0, ssrcs = [], payloadTypes = [], strangers = 0 } = leg?.reception ?? {};
    const [sent, rtcp] = [leg?.packetsSent ?? 0, leg?.rtcp ?? []];
    return { received: packets, sent, lost, ssrcs, payloadTypes, strangers, rtcp };
  }

  hold(): Promise<void> {
    return this.#reinvite(true);
  }

  resume(): Promise<void> {
    return this.#reinvite(false);
  }

  async press(digits: string): Promise<void> {
    if (this.session === undefined) throw new Error("there is no session to press keys in");
    await this.session.leg.press(digits);
  }

  info(digit: string, as: "dtmf-relay" | "dtmf" = "dtmf-relay"): Promise<number | undefined> {
    return this.#ask("INFO", [["Content-Type", `application/${as}`]], infoBody(digit, as));
  }

  update(headers: Headers): Promise<number | undefined> {
    return this.#ask("UPDATE", [["Contact", this.surroundings.contact], ...headers], "");
  }

  refer(target: string): Promise<number | undefined> {
    const uri = /^(sips?|tel):/i.test(target) ? target : this.surroundings.uriOf(target);
    const headers: Headers = [
      ["Contact", this.surroundings.contact],
      ["Refer-To", `<${uri}>`],
      ["Referred-By", this.surroundings.contact],
    ];
    return this.#ask("REFER", headers, "");
  }

  /** BYE, or the end of what rings. Resolves when it was answered. */
  async hangUp(how: GatewayCallEnd["how"] = "bye"): Promise<void> {
    if (this.state === "ended") return;
    if (this.state === "ringing") {
      await this.giveUp(how);
      return;
    }
    const { dialog } = this;
    this.finish({ by: "gateway", how, status: undefined, reason: undefined });
    if (dialog !== undefined) await this.surroundings.request(dialog, "BYE", [], "");
  }

  /** A request inside the dialog, in order; the answer goes to `transaction`. */
  receive(request: SipRequest, transaction: ServerTransaction): void {
    this.requests.push(request.method);
    switch (request.method) {
      case "BYE":
        transaction.respond(200, "OK");
        this.settleInvite();
        this.finish({ by: this.peer, how: "bye", status: undefined, reason: header(request, "Reason") });
        break;
      case "INVITE":
      case "UPDATE":
        this.#last = request;
        this.#receiveOffer(request, transaction);
        break;
      case "INFO":
        this.infoDigits.push(...readInfo(request.contentType?.type, request.body));
        transaction.respond(200, "OK");
        break;
      case "REFER":
        this.#receiveRefer(request, transaction);
        break;
      case "NOTIFY": {
        transaction.respond(200, "OK");
        const status = readSipfrag(request.body);
        if (status !== undefined) this.notified.push(status);
        break;
      }
      default:
        transaction.respond(200, "OK", [["Allow", ALLOW]]);
    }
    this.surroundings.changed();
  }

  acknowledge(ack: SipRequest): void {
    const waiting = this.awaitingAck.get(ack.cseq.number);
    if (waiting === undefined) return;
    this.awaitingAck.delete(ack.cseq.number);
    this.requests.push("ACK");
    waiting.transaction.acknowledged();
    this.acknowledged();
    if (waiting.offered && this.session?.accept(ack.body) !== true) {
      this.fault("the answer in the ACK cannot be used", undefined);
      void this.hangUp();
    }
    this.surroundings.changed();
  }

  /** An ACK came. */
  protected acknowledged(): void {}

  protected pause(ms: number): Promise<void> {
    return delay(ms, undefined, { signal: this.#ending.signal });
  }

  protected get isOver(): boolean {
    return this.#ending.signal.aborted;
  }

  protected async openSession(): Promise<Session> {
    const { host, codecs, log, rtpEvents } = this.surroundings;
    const leg = await RtpLeg.open(host, {
      pressed: ({ digit, durationMs }) => {
        this.digits.push({ digit, durationMs });
        log({ kind: "digit", sipCallId: this.sipCallId, digit, durationMs });
      },
      changed: () => {
        if (!this.#heardAudio && this.heardMs > 0 && this.codec !== undefined) {
          this.#heardAudio = true;
          log({ kind: "audio", sipCallId: this.sipCallId, codec: this.codec });
        }
        this.surroundings.changed();
      },
      failed: (error) => this.fault("RTP", error),
    });
    return new Session(leg, host, codecs, rtpEvents);
  }

  /** 200 with SDP, kept until its ACK. `offered`: ours is the offer, the ACK brings the answer. */
  protected accept(
    transaction: ServerTransaction,
    invite: SipRequest,
    sdp: string,
    offered: boolean,
    headers: Headers,
  ): void {
    this.awaitingAck.set(invite.cseq.number, { transaction, offered });
    transaction.unacknowledged = () => {
      // RFC 3261 s13.3.1.4: without an ACK the session is ended.
      this.awaitingAck.delete(invite.cseq.number);
      void this.hangUp("unacknowledged");
    };
    transaction.respond(200, "OK", [...headers, ["Allow", ALLOW]], sdp);
  }

  protected finish(end: GatewayCallEnd): void {
    if (this.state === "ended") return;
    const heard = this.heard();
    this.state = "ended";
    this.end = end;
    this.session?.leg.close();
    this.#ending.abort();
    this.over();
    this.surroundings.log({ kind: "ended", sipCallId: this.sipCallId, end, heard });
    this.surroundings.changed();
  }

  protected fault(what: string, error: unknown): void {
    this.surroundings.log({ kind: "fault", what, error: error instanceof Error ? error : undefined });
  }

  /** A re-INVITE, or an UPDATE, which may have no offer at all (RFC 3311 s5.2). */
  #receiveOffer(request: SipRequest, transaction: ServerTransaction): void {
    const isUpdate = request.method === "UPDATE";
    const contact: Headers = [["Contact", this.surroundings.contact]];
    if (isUpdate && request.body === "") {
      this.dialog?.refreshTarget(request.contacts);
      transaction.respond(200, "OK", contact);
      return;
    }
    if (this.#offering) {
      transaction.respond(491, "Request Pending");
      return;
    }
    if (this.state === "ringing" || this.awaitingAck.size > 0) {
      // RFC 3261 s14.2: the offer before this one is not settled.
      transaction.respond(500, "Server Internal Error", [["Retry-After", String(randomInt(0, 11))]]);
      return;
    }
    const offered = request.body === "";
    const sdp = offered ? this.session?.offer(false) : this.session?.answer(request.body);
    if (sdp === undefined) {
      transaction.respond(488, "Not Acceptable Here");
      return;
    }
    this.dialog?.refreshTarget(request.contacts);
    if (isUpdate) transaction.respond(200, "OK", contact, sdp);
    else this.accept(transaction, request, sdp, offered, contact);
  }

  #receiveRefer(request: SipRequest, transaction: ServerTransaction): void {
    const { surroundings, dialog } = this;
    const target = readReference(request);
    const { referStatus, referFailure } = surroundings;
    if (target === undefined || dialog === undefined) transaction.respond(400, "Bad Request");
    else if (referStatus >= 300) transaction.respond(referStatus, "Not Followed");
    else {
      transaction.respond(202, "Accepted", [["Contact", surroundings.contact]]);
      const id = this.referrals.length === 0 ? undefined : request.cseq.number;
      this.referrals.push(
        new Referral(target, id, {
          notify: async (headers, body) => {
            const all: Headers = [["Contact", surroundings.contact], ...headers];
            await surroundings.request(dialog, "NOTIFY", all, body);
          },
          follow: (happened) => (referFailure === undefined ? surroundings.follow(this, target, happened) : undefined),
          failure: referFailure ?? 503,
          changed: () => surroundings.changed(),
        }),
      );
    }
  }

  async #ask(method: string, headers: Headers, body: string): Promise<number | undefined> {
    await this.confirmed;
    if (this.dialog === undefined || this.state === "ended") return undefined;
    const response = await this.surroundings.request(this.dialog, method, headers, body);
    this.surroundings.changed();
    return response?.statusCode;
  }

  async #reinvite(holding: boolean): Promise<void> {
    await this.confirmed;
    const { session, dialog } = this;
    if (session === undefined || dialog === undefined) return;
    for (let attempt = 1; attempt <= GLARE_ATTEMPTS && !this.isOver; attempt += 1) {
      const sdp = session.offer(holding);
      this.#offering = true;
      const headers: Headers = [["Contact", this.surroundings.contact]];
      const response = await this.surroundings.request(dialog, "INVITE", headers, sdp);
      this.#offering = false;
      if (this.isOver) return;
      if (response?.statusCode === 491) {
        // RFC 3261 s14.1: who made the Call-ID waits 2.1 to 4 seconds, the other up to two.
        const steps = this.direction === "out" ? randomInt(210, 401) : randomInt(0, 200);
        await this.pause(steps * 10).catch(() => undefined);
        continue;
      }
      if (response === undefined || [408, 481].includes(response.statusCode)) await this.hangUp();
      else if (response.statusCode < 300) {
        session.accept(response.body);
        session.leg.play(makeSound(holding ? "chime" : this.sound));
      }
      this.surroundings.changed();
      return;
    }
  }
}

export const shownUri = (displayName: string, uri: Uri): GatewayCall["from"] => ({ displayName, uri: formatUri(uri) });
