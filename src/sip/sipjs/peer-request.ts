// A request that the peer waits for an answer to, and what was answered to one of ours: sip.js's servers and
// messages as plain values.
import {
  TransactionState,
  type IncomingRequestMessage,
  type IncomingResponseMessage,
  type UserAgentServer,
} from "sip.js/lib/core/index.js";
import type { HeaderLine } from "../wire/header-builder.ts";
import type { SipRequest, SipResponse } from "../wire/message.ts";
import { IncomingRequest, wireOf } from "./messages.ts";

/** INFO, REFER, NOTIFY, MESSAGE: everything but INVITE, which is answered in its own way. */
export interface PeerRequest {
  readonly request: SipRequest;
  /** The final response, 200 to 699. The first one counts; one that comes when nobody waits any more is not sent. */
  readonly reply: (status: number, headers?: readonly HeaderLine[]) => void;
}

/** How a request inside a dialog ended: a final response, or what stands in for one (RFC 3261 s8.1.3.1). */
export type Outcome = SipResponse | "timeout" | "transport" | DialogGone;

/** The peer has ended the dialog before the request could go out. */
type DialogGone = "gone";

export function peerRequest(server: UserAgentServer): PeerRequest {
  return {
    request: requestOf(server.message),
    reply: (statusCode, headers = []) => {
      const { state } = server.transaction;
      if (state !== TransactionState.Trying && state !== TransactionState.Proceeding) return;
      const options = { statusCode, extraHeaders: [...headers] };
      if (statusCode < 300) server.accept(options);
      else server.reject(options);
    },
  };
}

/** The core makes up a 408 or a 503 where nothing came. */
export function outcomeOf(message: IncomingResponseMessage): Outcome {
  return wireOf(message) ?? (message.statusCode === 503 ? "transport" : "timeout");
}

/** As a status, where a status is what is asked for: 408 and 503 stand for no response (RFC 3261 s8.1.3.1). */
export function statusOf(outcome: Outcome): number {
  if (outcome === "timeout") return 408;
  if (outcome === "gone") return 481;
  return outcome === "transport" ? 503 : outcome.statusCode;
}

export function requestOf(message: IncomingRequestMessage): SipRequest {
  if (!(message instanceof IncomingRequest)) throw new TypeError("a request that did not come through the parser");
  return message.wire;
}
