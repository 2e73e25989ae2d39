// A request outside of dialogs, and how it ended.
import { UserAgentClient, type IncomingResponseMessage, type TransportError } from "sip.js/lib/core/index.js";
import type { SipResponse } from "../wire/message.ts";
import { wireOf } from "./messages.ts";

/** The end of a request outside of dialogs: its final response, or why there is none. */
export type FinalResponse =
  | SipResponse
  | { readonly kind: "none"; readonly fault: "timeout" | "transport"; message: string };

/** Keeps the transport's own words, which the core drops. */
export class OutOfDialogRequest extends UserAgentClient {
  #transportFault: string | undefined;

  answerOf(message: IncomingResponseMessage): FinalResponse {
    const response = wireOf(message);
    if (response !== undefined) return response;
    const fault = this.#transportFault;
    return fault === undefined
      ? { kind: "none", fault: "timeout", message: "no answer" }
      : { kind: "none", fault: "transport", message: fault };
  }

  protected override onTransportError(error: TransportError): void {
    this.#transportFault = error.message;
    super.onTransportError(error);
  }
}
