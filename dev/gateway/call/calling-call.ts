// A call that the gateway makes: its INVITE, with or without an offer, until it is answered, refused or given up.
// What can happen to any call is in call.ts.
import { randomBytes } from "node:crypto";
import { header, type SipResponse } from "../../../src/sip/wire/message.ts";
import { formatUri, userText, type Uri } from "../../../src/core/address/uri.ts";
import { Call, shownUri, type CallSurroundings } from "./call.ts";
import { Dialog } from "../user-agent/dialog.ts";
import { addressText, ALLOW, type Headers, type RequestDraft } from "../wire/message-text.ts";
import type { GatewayCallEnd } from "../observation.ts";
import type { Acknowledgement, Exchange, RequestOrder } from "../user-agent/requests.ts";
import type { Flow, SipTransport } from "../wire/sockets.ts";
import { makeSound, type SoundName } from "../media/sounds.ts";

export interface CallPlan {
  /** Request-URI. */
  readonly uri: Uri;
  readonly from: { readonly displayName: string; readonly uri: Uri };
  readonly to: Uri;
  /** Values of Route: the path of a registration. */
  readonly routes: readonly string[];
  readonly flow: Flow;
  readonly headers: Headers;
  readonly sound: SoundName;
  readonly lateOffer: boolean;
  /** Given up after so long without an answer; undefined: never. */
  readonly answerTimeoutMs: number | undefined;
  /** Each answer to the INVITE, 0 where none came. */
  readonly happened: (status: number) => void;
}

export interface CallingSurroundings extends CallSurroundings {
  send(order: Omit<RequestOrder, "credentials">): Exchange;
  /** The call's dialog stands: requests inside of it are the call's. */
  stands(call: CallingCall, dialog: Dialog): void;
}

export class CallingCall extends Call {
  readonly direction = "out";
  readonly number: string;
  readonly requestUri: string;
  readonly transport: SipTransport;
  readonly sipCallId = `${randomBytes(12).toString("hex")}@gateway`;
  readonly from: Call["from"];
  readonly statuses: number[] = [];
  offer = "";
  dialog: Dialog | undefined;
  protected first: SipResponse | undefined;
  protected readonly peer = "callee";
  readonly #plan: CallPlan;
  readonly #surroundings: CallingSurroundings;
  readonly #localTag = randomBytes(8).toString("hex");
  #exchange: Exchange | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #cseq = 0;
  #givenUp: GatewayCallEnd["how"] | undefined;
  #stand: () => void = () => undefined;
  /** Also where it never came about: whoever waits finds the call ended. */
  protected readonly confirmed = new Promise<void>((resolve) => {
    this.#stand = resolve;
  });

  constructor(plan: CallPlan, surroundings: CallingSurroundings) {
    super(surroundings);
    this.#plan = plan;
    this.#surroundings = surroundings;
    this.number = userText(plan.uri) ?? "";
    this.requestUri = formatUri(plan.uri);
    this.transport = plan.flow.transport;
    this.from = shownUri(plan.from.displayName, plan.from.uri);
    this.sound = plan.sound;
  }

  /** Sends the INVITE, and resolves when it is out; what comes of it shows in the call. Never rejects. */
  async invite(): Promise<void> {
    const { flow, lateOffer, answerTimeoutMs } = this.#plan;
    try {
      this.session = await this.openSession();
    } catch (error) {
      this.fault("call", error);
      this.#over({ by: "gateway", how: "unanswered", status: undefined, reason: undefined }, 0);
      return;
    }
    // Given up before it began.
    if (this.state === "ended") {
      this.session.leg.close();
      return;
    }
    this.session.leg.play(makeSound(this.sound));
    const body = lateOffer ? "" : this.session.offer(false);
    this.#exchange = this.#surroundings.send({
      flow,
      draft: (via, headers) => this.#draft(via, headers, body),
      provisional: (response) => this.#progressed(response),
      accepted: (response, draft) => this.#accepted(response, draft),
    });
    void this.#exchange.final.then((response) => this.#settled(response));
    if (answerTimeoutMs !== undefined) {
      this.#deadline = setTimeout(() => void this.giveUp("unanswered"), answerTimeoutMs);
    }
  }

  protected settleInvite(): void {}

  /** CANCEL; the call is over when its INVITE is. */
  protected async giveUp(how: GatewayCallEnd["how"]): Promise<void> {
    clearTimeout(this.#deadline);
    this.#givenUp ??= how === "bye" ? "cancel" : how;
    if (this.#exchange === undefined) {
      this.#over({ by: "gateway", how: this.#givenUp, status: undefined, reason: undefined }, 0);
      return;
    }
    this.#exchange.cancel();
    await this.#exchange.final;
  }

  #draft(via: string, headers: Headers, body: string): RequestDraft {
    const { uri, from, to, routes, headers: more } = this.#plan;
    this.#cseq += 1;
    return {
      method: "INVITE",
      uri,
      via,
      routes,
      from: `${addressText(from.uri, from.displayName)};tag=${this.#localTag}`,
      to: addressText(to),
      sipCallId: this.sipCallId,
      cseq: this.#cseq,
      headers: [
        ["Contact", this.surroundings.contact],
        ["Allow", ALLOW],
        ["Supported", "replaces"],
        ...more,
        ...headers,
      ],
      body,
    };
  }

  #progressed(response: SipResponse): void {
    this.#seen(response);
    // Early media: what the answer brings with it.
    if (response.body !== "" && !this.#plan.lateOffer) this.session?.accept(response.body);
    this.surroundings.changed();
  }

  #accepted(response: SipResponse, draft: RequestDraft): Acknowledgement {
    clearTimeout(this.#deadline);
    const dialog = Dialog.calling(draft, this.#localTag, response);
    this.dialog = dialog;
    this.#seen(response);
    const answer = this.#plan.lateOffer ? this.session?.answer(response.body) : "";
    const usable = this.#plan.lateOffer ? answer !== undefined : this.session?.accept(response.body) === true;
    if (this.state === "ringing") this.state = "answered";
    this.#surroundings.stands(this, dialog);
    this.#stand();
    // The 200 was faster than our CANCEL (RFC 3261 s9.1), or brings nothing that can be played.
    if (this.#givenUp !== undefined) queueMicrotask(() => void this.hangUp(this.#givenUp));
    else if (!usable) {
      this.fault("the answer cannot be used", undefined);
      queueMicrotask(() => void this.hangUp());
    }
    this.surroundings.changed();
    return { uri: dialog.remoteTarget, routes: dialog.routes, body: answer ?? "" };
  }

  #settled(response: SipResponse | undefined): void {
    clearTimeout(this.#deadline);
    if (response !== undefined && response.statusCode < 300) return;
    if (response !== undefined) this.#seen(response);
    const refused = { status: response?.statusCode, reason: response && header(response, "Reason") };
    if (this.#givenUp !== undefined) this.#over({ by: "gateway", how: this.#givenUp, ...refused }, 0);
    else if (response === undefined) this.#over({ by: "gateway", how: "unanswered", ...refused }, 0);
    else this.#over({ by: "callee", how: "refused", ...refused }, undefined);
  }

  #seen(response: SipResponse): void {
    this.first = response;
    this.statuses.push(response.statusCode);
    if (this.offer === "") this.offer = response.body;
    this.#plan.happened(response.statusCode);
  }

  #over(end: GatewayCallEnd, told: number | undefined): void {
    this.finish(end);
    this.#stand();
    if (told !== undefined && this.statuses.every((status) => status < 200)) this.#plan.happened(told);
  }
}
