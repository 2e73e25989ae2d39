// One call at the gateway: its number's script, its dialog and its session, and what was seen of it.
// Transactions and sockets belong to user-agent.ts.
import { randomInt } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Heard } from "../audio/goertzel.ts";
import type { Keypress } from "../audio/telephone-event.ts";
import { header, headerValues, type SipRequest, type SipResponse } from "../../src/sip/wire/message.ts";
import { formatUri, userText } from "../../src/sip/wire/uri.ts";
import { Dialog } from "./dialog.ts";
import { ALLOW, type Headers } from "./message-text.ts";
import type { GatewayNumber, ScriptStep } from "./numbers.ts";
import type { GatewayCall, GatewayCallEnd, GatewayLog } from "./observation.ts";
import { RtpLeg } from "./rtp-leg.ts";
import type { ServerTransaction } from "./server-transaction.ts";
import { Session } from "./session.ts";
import type { CodecName, Direction } from "./session-description.ts";
import type { SipTransport } from "./sockets.ts";
import { makeSound, type SoundName } from "./sounds.ts";

/** What a call needs of the user agent around it. */
export interface CallSurroundings {
  readonly host: string;
  readonly codecs: readonly CodecName[];
  readonly log: GatewayLog;
  /** Our Contact, for the transport of this call. */
  readonly contact: string;
  /** Sends a request inside the dialog; undefined: no final answer came. */
  request(dialog: Dialog, method: string, headers: Headers, body: string): Promise<SipResponse | undefined>;
  /** Something about this call is new. */
  changed(): void;
}

const GLARE_ATTEMPTS = 4;
const NOT_HEARD: Heard = { hz: undefined, ratio: 0, levelDb: -Infinity };

export class Call implements GatewayCall {
  readonly number: string;
  readonly requestUri: string;
  readonly transport: SipTransport;
  readonly sipCallId: string;
  readonly from: GatewayCall["from"];
  readonly user: string | undefined;
  readonly offer: string;
  readonly dialog: Dialog;
  readonly requests: string[] = ["INVITE"];
  readonly digits: Keypress[] = [];
  state: GatewayCall["state"] = "ringing";
  end: GatewayCallEnd | undefined;
  /** Called once, when the call has ended. */
  over: () => void = () => undefined;
  readonly #invite: SipRequest;
  readonly #transaction: ServerTransaction;
  readonly #surroundings: CallSurroundings;
  readonly #over = new AbortController();
  #acknowledge: () => void = () => undefined;
  readonly #acknowledged = new Promise<void>((resolve) => {
    this.#acknowledge = resolve;
  });
  #session: Session | undefined;
  #sound: SoundName = "silence";
  /** INVITEs that we answered and whose ACK is due, by CSeq. */
  readonly #awaitingAck = new Map<number, { transaction: ServerTransaction; offered: boolean }>();
  #offering = false;
  /** The answer that went out with 183: the 200 repeats it to the letter (RFC 3261 s13.2.1). */
  #earlyAnswer: string | undefined;
  #heardAudio = false;

  constructor(
    invite: SipRequest,
    transaction: ServerTransaction,
    user: string | undefined,
    surroundings: CallSurroundings,
  ) {
    this.number = userText(invite.uri) ?? "";
    this.requestUri = invite.uriText;
    this.transport = transaction.flow.transport;
    this.sipCallId = invite.sipCallId;
    this.from = { displayName: invite.from.displayName, uri: formatUri(invite.from.uri) };
    this.user = user;
    this.offer = invite.body;
    this.dialog = new Dialog(invite, transaction.toTag ?? "");
    this.#invite = invite;
    this.#transaction = transaction;
    this.#surroundings = surroundings;
    transaction.cancelled = () => {
      if (transaction.finalStatus !== undefined) return;
      this.#refuse(487, "Request Terminated", "caller", "cancel");
    };
  }

  headers(name: string): readonly string[] {
    return headerValues(this.#invite, name);
  }

  get statuses(): readonly number[] {
    return this.#transaction.statuses;
  }

  get codec(): CodecName | undefined {
    return this.#session?.codec;
  }

  get callerDirection(): Direction | undefined {
    return this.#session?.callerDirection;
  }

  get heardMs(): number {
    return this.#session?.leg.reception.heardMs ?? 0;
  }

  heard(lastMs?: number, frequencies?: readonly number[]): Heard {
    return this.#session?.leg.reception.heard(lastMs, frequencies) ?? NOT_HEARD;
  }

  get rtp(): GatewayCall["rtp"] {
    const leg = this.#session?.leg;
    const { packets = 0, lost = 0, ssrcs = [], payloadTypes = [], strangers = 0 } = leg?.reception ?? {};
    return {
      received: packets,
      sent: leg?.packetsSent ?? 0,
      lost,
      ssrcs,
      payloadTypes,
      strangers,
      rtcp: leg?.rtcp ?? [],
    };
  }

  /** Does what the number says, until it is done or the call is over. Never rejects. */
  async run(number: GatewayNumber): Promise<void> {
    try {
      for (const step of number.script) {
        if (this.state === "ended") return;
        await this.#perform(step);
        this.#surroundings.changed();
      }
    } catch (error) {
      if (this.#over.signal.aborted) return;
      this.#fault("script", error);
      this.#refuse(500, "Server Internal Error");
    }
  }

  /** A request inside the dialog, in order; the answer goes to `transaction`. */
  receive(request: SipRequest, transaction: ServerTransaction): void {
    this.requests.push(request.method);
    if (request.method === "BYE") this.#receiveBye(request, transaction);
    else if (request.method === "INVITE") this.#receiveReinvite(request, transaction);
    else transaction.respond(200, "OK", [["Allow", ALLOW]]);
    this.#surroundings.changed();
  }

  acknowledge(ack: SipRequest): void {
    const waiting = this.#awaitingAck.get(ack.cseq.number);
    if (waiting === undefined) return;
    this.#awaitingAck.delete(ack.cseq.number);
    this.requests.push("ACK");
    waiting.transaction.acknowledged();
    this.#acknowledge();
    if (waiting.offered && this.#session?.accept(ack.body) !== true) {
      this.#fault("the answer in the ACK cannot be used", undefined);
      void this.hangUp("bye");
    }
    this.#surroundings.changed();
  }

  /** BYE, or a refusal where nobody answered yet. Resolves when it was answered. */
  async hangUp(how: "bye" | "unacknowledged" | "stopped"): Promise<void> {
    if (this.state === "ended") return;
    if (this.state === "ringing") {
      this.#refuse(480, "Temporarily Unavailable", "gateway", how === "stopped" ? how : "refused");
      return;
    }
    this.#finish({ by: "gateway", how, status: undefined, reason: undefined });
    await this.#surroundings.request(this.dialog, "BYE", [], "");
  }

  async #perform(step: ScriptStep): Promise<void> {
    switch (step.do) {
      case "ring":
        this.#transaction.respond(180, "Ringing", this.#dialogHeaders());
        return;
      case "pause":
        await delay(step.ms, undefined, { signal: this.#over.signal });
        return;
      case "early":
      case "answer":
        await this.#speak(step.do, step.sound);
        return;
      case "hold":
      case "resume":
        await this.#reinvite(step.do === "hold");
        return;
      case "hang up":
        await this.#acknowledged;
        await this.hangUp("bye");
        return;
      case "refuse":
        this.#refuse(step.status, step.reason);
        return;
      default:
        step satisfies never;
    }
  }

  async #speak(how: "early" | "answer", sound: SoundName): Promise<void> {
    this.#session ??= await this.#openSession();
    if (this.state === "ended") {
      this.#session.leg.close();
      return;
    }
    this.#sound = sound;
    this.#session.leg.play(makeSound(sound));
    const offered = this.#invite.body === "";
    // Without an offer ours goes into the 200; before it there is nothing that could be heard.
    const offer = (): string => (how === "early" ? "" : this.#session?.offer(false)) ?? "";
    const sdp = offered ? offer() : (this.#earlyAnswer ?? this.#session.answer(this.#invite.body));
    if (sdp === undefined) {
      this.#refuse(488, "Not Acceptable Here");
      return;
    }
    if (how === "early") {
      this.#earlyAnswer = offered ? undefined : sdp;
      this.#transaction.respond(183, "Session Progress", this.#dialogHeaders(), sdp);
      return;
    }
    this.state = "answered";
    this.#accept(this.#transaction, this.#invite, sdp, offered);
    this.#surroundings.changed();
  }

  async #openSession(): Promise<Session> {
    const { host, codecs, log } = this.#surroundings;
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
        this.#surroundings.changed();
      },
      failed: (error) => this.#fault("RTP", error),
    });
    return new Session(leg, host, codecs);
  }

  /** 200 with SDP, kept until its ACK. `offered`: ours is the offer, the ACK brings the answer. */
  #accept(transaction: ServerTransaction, invite: SipRequest, sdp: string, offered: boolean): void {
    this.#awaitingAck.set(invite.cseq.number, { transaction, offered });
    transaction.unacknowledged = () => {
      // RFC 3261 s13.3.1.4: without an ACK the session is ended.
      this.#awaitingAck.delete(invite.cseq.number);
      void this.hangUp("unacknowledged");
    };
    transaction.respond(200, "OK", [...this.#dialogHeaders(), ["Allow", ALLOW]], sdp);
  }

  #receiveBye(bye: SipRequest, transaction: ServerTransaction): void {
    transaction.respond(200, "OK");
    const reason = header(bye, "Reason");
    // RFC 3261 s15.1.2: an INVITE that is still open is refused with 487.
    if (this.#transaction.finalStatus === undefined) this.#transaction.respond(487, "Request Terminated");
    this.#finish({ by: "caller", how: "bye", status: undefined, reason });
  }

  #receiveReinvite(invite: SipRequest, transaction: ServerTransaction): void {
    if (this.#offering) {
      transaction.respond(491, "Request Pending");
      return;
    }
    if (this.#transaction.finalStatus === undefined || this.#awaitingAck.size > 0) {
      // RFC 3261 s14.2: the offer before this one is not settled.
      transaction.respond(500, "Server Internal Error", [["Retry-After", String(randomInt(0, 11))]]);
      return;
    }
    const offered = invite.body === "";
    const sdp = offered ? this.#session?.offer(false) : this.#session?.answer(invite.body);
    if (sdp === undefined) {
      transaction.respond(488, "Not Acceptable Here");
      return;
    }
    this.dialog.refreshTarget(invite.contacts);
    this.#accept(transaction, invite, sdp, offered);
  }

  async #reinvite(holding: boolean): Promise<void> {
    await this.#acknowledged;
    const session = this.#session;
    if (session === undefined) return;
    for (let attempt = 1; attempt <= GLARE_ATTEMPTS; attempt += 1) {
      const sdp = session.offer(holding);
      this.#offering = true;
      const headers: Headers = [["Contact", this.#surroundings.contact]];
      const response = await this.#surroundings.request(this.dialog, "INVITE", headers, sdp);
      this.#offering = false;
      if (this.#over.signal.aborted) return;
      if (response?.statusCode === 491) {
        // RFC 3261 s14.1: who did not make the Call-ID waits up to two seconds.
        await delay(randomInt(0, 200) * 10, undefined, { signal: this.#over.signal });
        continue;
      }
      if (response === undefined || [408, 481].includes(response.statusCode)) await this.hangUp("bye");
      else if (response.statusCode < 300) {
        this.dialog.refreshTarget(response.contacts);
        session.accept(response.body);
        session.leg.play(makeSound(holding ? "chime" : this.#sound));
      }
      this.#surroundings.changed();
      return;
    }
  }

  #dialogHeaders(): Headers {
    return [
      // RFC 3261 s12.1.1: the route set goes back as it came.
      ...headerValues(this.#invite, "Record-Route").map((value) => ["Record-Route", value] as const),
      ["Contact", this.#surroundings.contact],
    ];
  }

  #refuse(
    status: number,
    reason: string,
    by: GatewayCallEnd["by"] = "gateway",
    how: GatewayCallEnd["how"] = "refused",
  ): void {
    if (this.state === "answered") return;
    this.#transaction.respond(status, reason);
    this.#finish({ by, how, status, reason: undefined });
  }

  #finish(end: GatewayCallEnd): void {
    if (this.state === "ended") return;
    const heard = this.heard();
    this.state = "ended";
    this.end = end;
    this.#session?.leg.close();
    this.#over.abort();
    this.over();
    this.#surroundings.log({ kind: "ended", sipCallId: this.sipCallId, end, heard });
    this.#surroundings.changed();
  }

  #fault(what: string, error: unknown): void {
    const { log } = this.#surroundings;
    log({ kind: "fault", what, error: error instanceof Error ? error : undefined });
  }
}
