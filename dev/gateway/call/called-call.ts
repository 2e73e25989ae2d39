// A call that came to the gateway: its number's script, until that is done and the call goes on by itself.
// What can happen to any call is in call.ts.
import { headerValues, type SipRequest } from "../../../src/sip/wire/message.ts";
import { userText, type Uri } from "../../../src/core/address/uri.ts";
import { Call, shownUri, type CallSurroundings } from "./call.ts";
import { Dialog } from "../user-agent/dialog.ts";
import type { Headers } from "../wire/message-text.ts";
import type { ScriptStep } from "../numbers.ts";
import type { GatewayCallEnd } from "../observation.ts";
import type { ServerTransaction } from "../user-agent/server-transaction.ts";
import type { SipTransport } from "../wire/sockets.ts";
import { makeSound, type SoundName } from "../media/sounds.ts";

export interface CalledSurroundings extends CallSurroundings {
  /** Writes to whoever is at the other end of the call. */
  text(call: CalledCall, text: string): void;
}

export class CalledCall extends Call {
  readonly direction = "in";
  readonly number: string;
  readonly requestUri: string;
  readonly transport: SipTransport;
  readonly sipCallId: string;
  readonly from: Call["from"];
  override readonly user: string | undefined;
  /** The URI of From. */
  readonly caller: Uri;
  readonly offer: string;
  readonly dialog: Dialog;
  override readonly requests: string[] = ["INVITE"];
  protected readonly first: SipRequest;
  protected readonly peer = "caller";
  readonly #transaction: ServerTransaction;
  readonly #surroundings: CalledSurroundings;
  #acknowledge: () => void = () => undefined;
  protected readonly confirmed = new Promise<void>((resolve) => {
    this.#acknowledge = resolve;
  });
  /** The answer that went out with 183: the 200 repeats it to the letter (RFC 3261 s13.2.1). */
  #earlyAnswer: string | undefined;

  constructor(
    invite: SipRequest,
    transaction: ServerTransaction,
    user: string | undefined,
    surroundings: CalledSurroundings,
  ) {
    super(surroundings);
    this.number = userText(invite.uri) ?? "";
    this.requestUri = invite.uriText;
    this.transport = transaction.flow.transport;
    this.sipCallId = invite.sipCallId;
    this.from = shownUri(invite.from.displayName, invite.from.uri);
    this.caller = invite.from.uri;
    this.user = user;
    this.offer = invite.body;
    this.dialog = Dialog.called(invite, transaction.toTag ?? "");
    this.first = invite;
    this.#transaction = transaction;
    this.#surroundings = surroundings;
    transaction.cancelled = () => {
      if (transaction.finalStatus !== undefined) return;
      this.#refuse(487, "Request Terminated", "caller", "cancel");
    };
  }

  get statuses(): readonly number[] {
    return this.#transaction.statuses;
  }

  /** Does what the number says, until it is done or the call is over. Never rejects. */
  async run(script: readonly ScriptStep[]): Promise<void> {
    try {
      for (const step of script) {
        if (this.state === "ended") return;
        await this.#perform(step);
        this.surroundings.changed();
      }
    } catch (error) {
      if (this.isOver) return;
      this.fault("script", error);
      this.#refuse(500, "Server Internal Error");
    }
  }

  protected override acknowledged(): void {
    this.#acknowledge();
  }

  /** RFC 3261 s15.1.2: a BYE refuses an INVITE that is still open with 487. */
  protected settleInvite(): void {
    if (this.#transaction.finalStatus === undefined) this.#transaction.respond(487, "Request Terminated");
  }

  protected giveUp(how: GatewayCallEnd["how"]): void {
    this.#refuse(480, "Temporarily Unavailable", "gateway", how === "stopped" ? how : "refused");
  }

  async #perform(step: ScriptStep): Promise<void> {
    switch (step.do) {
      case "ring":
        this.#transaction.respond(180, "Ringing", this.#dialogHeaders());
        return;
      case "pause":
        await this.pause(step.ms);
        return;
      case "early":
      case "answer":
        await this.#speak(step.do, step.sound);
        return;
      case "hold":
        await this.hold();
        return;
      case "resume":
        await this.resume();
        return;
      case "refer":
        await this.refer(step.to);
        return;
      case "text":
        this.#surroundings.text(this, step.text);
        return;
      case "hang up":
        await this.confirmed;
        await this.hangUp();
        return;
      case "refuse":
        this.#refuse(step.status, step.reason);
        return;
      default:
        step satisfies never;
    }
  }

  async #speak(how: "early" | "answer", sound: SoundName): Promise<void> {
    this.session ??= await this.openSession();
    if (this.state === "ended") {
      this.session.leg.close();
      return;
    }
    this.sound = sound;
    this.session.leg.play(makeSound(sound));
    const offered = this.first.body === "";
    // Without an offer ours goes into the 200; before it there is nothing that could be heard.
    const offer = (): string => (how === "early" ? "" : this.session?.offer(false)) ?? "";
    const sdp = offered ? offer() : (this.#earlyAnswer ?? this.session.answer(this.first.body));
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
    this.accept(this.#transaction, this.first, sdp, offered, this.#dialogHeaders());
    this.surroundings.changed();
  }

  #dialogHeaders(): Headers {
    return [
      // RFC 3261 s12.1.1: the route set goes back as it came.
      ...headerValues(this.first, "Record-Route").map((value) => ["Record-Route", value] as const),
      ["Contact", this.surroundings.contact],
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
    this.finish({ by, how, status, reason: undefined });
  }
}
