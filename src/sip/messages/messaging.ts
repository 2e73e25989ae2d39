// What a trunk's peers ask outside of dialogs besides calls, and our texts to them: MESSAGE both ways, and the
// NOTIFYs of message-waiting. Texts inside a call come in here too, from confirmed-call.ts.
import type { CallId } from "../../core/ids.ts";
import type { Clock } from "../../ports/clock.ts";
import type { MessageOrder, MessageOutcome, SipSinks, TrunkSettings } from "../../ports/sip.ts";
import type { Log } from "../../ports/telemetry.ts";
import { MessagesIn } from "./message-in.ts";
import { MessageQueue } from "./message-queue.ts";
import type { Trunk } from "../trunk/trunk.ts";
import { sendMessage } from "./message-out.ts";
import { judgeNotify } from "./message-waiting.ts";
import type { PeerRequest } from "../user-agent/peer-request.ts";

export interface MessagingOptions {
  readonly settings: Pick<TrunkSettings, "name" | "inbound">;
  readonly trunk: Trunk;
  /** Those of the moment: others before the start. */
  readonly sinks: () => Pick<SipSinks, "messaged" | "messageWaiting">;
  readonly clock: Clock;
  readonly log: Log;
}

export class Messaging {
  readonly #options: MessagingOptions;
  readonly #queue: MessageQueue;
  readonly #arrivals: MessagesIn;

  constructor(options: MessagingOptions) {
    this.#options = options;
    const { settings, trunk, sinks, clock, log } = options;
    this.#queue = new MessageQueue((order) => sendMessage(order, trunk, () => clock.newId()));
    this.#arrivals = new MessagesIn({
      trunk: settings.name,
      calledFrom: settings.inbound.calledFrom,
      verdictHeaders: settings.inbound,
      messaged: (arrival) => sinks().messaged(arrival),
      clock,
      log,
    });
  }

  /** Never rejects. */
  message(order: MessageOrder): Promise<MessageOutcome> {
    return this.#queue.message(order);
  }

  /** MESSAGE, NOTIFY or REFER outside of dialogs. */
  asked(request: PeerRequest): void {
    switch (request.request.method) {
      case "MESSAGE":
        this.#arrivals.receive(request);
        return;
      case "NOTIFY":
        this.#notified(request);
        return;
      default:
        // A REFER without a call would have us ring whomever it names (RFC 3515 s5).
        request.reply(403);
    }
  }

  /** A MESSAGE in the dialog of that call. */
  inCall(request: PeerRequest, call: CallId): void {
    this.#arrivals.receive(request, call);
  }

  close(): void {
    this.#queue.close();
  }

  #notified({ request, reply }: PeerRequest): void {
    const { settings, sinks, log } = this.#options;
    const { status, headers, news } = judgeNotify(request, settings.name);
    reply(status, headers);
    if (news === undefined) return;
    try {
      sinks().messageWaiting(news);
    } catch (error) {
      log.error("could not handle news of voice messages", { error });
    }
  }
}
