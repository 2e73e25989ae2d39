// A request that the peer waits for an answer to, and what was answered to one of ours.
import type { HeaderLine } from "../wire/header-builder.ts";
import type { SipRequest, SipResponse } from "../wire/message.ts";
import type { ServerTransaction } from "./server-transaction.ts";

/** INFO, REFER, NOTIFY, MESSAGE: everything but INVITE, which is answered in its own way. */
export interface PeerRequest {
  readonly request: SipRequest;
  /** The final response, 200 to 699. The first one counts; one that comes when nobody waits any more is not sent. */
  readonly reply: (status: number, headers?: readonly HeaderLine[]) => void;
}

/** The end of a request outside of dialogs: its final response, or why there is none. */
export type FinalResponse =
  | SipResponse
  | { readonly kind: "none"; readonly fault: "timeout" | "transport"; readonly message: string };

/** How a request inside a dialog ended: a final response, or what stands in for one (RFC 3261 s8.1.3.1). */
export type Outcome = SipResponse | "timeout" | "transport" | DialogGone;

/** The peer has ended the dialog before the request could go out. */
type DialogGone = "gone";

export function peerRequest(server: ServerTransaction): PeerRequest {
  return {
    request: server.request,
    reply: (statusCode, headers = []) => {
      if (server.open) server.reply(statusCode, { headers });
    },
  };
}

/** As a status, where a status is what is asked for: 408 and 503 stand for no response (RFC 3261 s8.1.3.1). */
export function statusOf(outcome: Outcome): number {
  if (outcome === "timeout") return 408;
  if (outcome === "gone") return 481;
  return outcome === "transport" ? 503 : outcome.statusCode;
}
