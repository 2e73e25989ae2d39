// Requests of the gateway's own, inside dialogs and outside: Via and branch, the ACK, the answer to a challenge, CANCEL.
// What they mean is for calls and texts; timers and repetition are client-transaction.ts.
import { randomBytes } from "node:crypto";
import { header, type SipResponse } from "../../../src/sip/wire/message.ts";
import { formatUri, type Uri } from "../../../src/core/address/uri.ts";
import { digestAnswer, type Credentials } from "./client-digest.ts";
import { ClientTransaction } from "./client-transaction.ts";
import { requestText, type Headers, type RequestDraft } from "../wire/message-text.ts";
import type { TransactionTimers } from "./server-transaction.ts";
import type { Flow, SipTransport } from "../wire/sockets.ts";

/** The ACK for a 2xx: a request of its own (RFC 3261 s13.2.2.4). */
export interface Acknowledgement {
  readonly uri: Uri;
  readonly routes: readonly string[];
  readonly body: string;
}

export interface RequestOrder {
  readonly flow: Flow;
  /** Called for each attempt: the CSeq goes up, and an answered challenge comes in `headers`. */
  readonly draft: (via: string, headers: Headers) => RequestDraft;
  readonly credentials: Credentials | undefined;
  readonly provisional?: (response: SipResponse) => void;
  /** A 2xx came to an INVITE; called before whatever else arrives is read. */
  readonly accepted?: (response: SipResponse, draft: RequestDraft) => Acknowledgement;
}

export interface Exchange {
  /** The last answer; undefined when none came in 64*T1. Never rejects. */
  readonly final: Promise<SipResponse | undefined>;
  /** CANCEL, as soon as a provisional answer allows it (s9.1). */
  cancel(headers?: Headers): void;
}

export interface RequestsOptions {
  readonly timers: TransactionTimers;
  /** `host:port` of ours. */
  readonly sentBy: (transport: SipTransport) => string;
  readonly sent: (text: string, flow: Flow, again: boolean) => void;
}

/** A challenge, and a stale nonce after it. */
const CHALLENGES_ANSWERED = 2;

export class Requests {
  readonly #options: RequestsOptions;
  readonly #transactions = new Map<string, ClientTransaction>();

  constructor(options: RequestsOptions) {
    this.#options = options;
  }

  receive(response: SipResponse): void {
    this.#transactions.get(`${response.vias[0].branch}|${response.cseq.method}`)?.receive(response);
  }

  end(): void {
    for (const transaction of this.#transactions.values()) transaction.end();
  }

  send(order: RequestOrder): Exchange {
    let current: { draft: RequestDraft; transaction: ClientTransaction } | undefined;
    let provisional = false;
    let cancel: Headers | undefined;
    const sendCancel = (): void => {
      if (current === undefined || cancel === undefined || !provisional) return;
      const draft = { ...current.draft, method: "CANCEL", headers: cancel, body: "" };
      cancel = undefined;
      current.transaction.cancelled();
      this.#open(order.flow, draft, {});
    };
    const attempt = async (headers: Headers, left: number): Promise<SipResponse | undefined> => {
      provisional = false;
      const draft = order.draft(this.#via(order.flow.transport), headers);
      const transaction = this.#open(order.flow, draft, {
        ...order,
        provisional: (response) => {
          provisional = true;
          order.provisional?.(response);
          sendCancel();
        },
      });
      current = { draft, transaction };
      const response = await transaction.final;
      if (response === undefined || order.credentials === undefined || left === 0 || cancel !== undefined) {
        return response;
      }
      const answer = digestAnswer(response, draft.method, formatUri(draft.uri), order.credentials);
      return answer === undefined ? response : await attempt([answer], left - 1);
    };
    return {
      final: attempt([], CHALLENGES_ANSWERED),
      cancel: (headers = []) => {
        cancel = headers;
        sendCancel();
      },
    };
  }

  #open(flow: Flow, draft: RequestDraft, hooks: Pick<RequestOrder, "provisional" | "accepted">): ClientTransaction {
    const key = `${/branch=([^;]+)/.exec(draft.via)?.[1]}|${draft.method}`;
    const transaction = new ClientTransaction({
      method: draft.method,
      text: requestText(draft),
      flow,
      timers: this.#options.timers,
      sent: this.#options.sent,
      provisional: hooks.provisional ?? (() => undefined),
      ack: (response) => this.#ack(flow, draft, response, hooks.accepted),
      gone: () => this.#transactions.delete(key),
    });
    this.#transactions.set(key, transaction);
    return transaction;
  }

  #ack(flow: Flow, draft: RequestDraft, response: SipResponse, accepted: RequestOrder["accepted"]): string {
    const to = header(response, "To") ?? draft.to;
    const whole = { ...draft, method: "ACK", to, headers: [], body: "" };
    if (response.statusCode >= 300 || accepted === undefined) return requestText(whole);
    return requestText({ ...whole, via: this.#via(flow.transport), ...accepted(response, draft) });
  }

  #via(transport: SipTransport): string {
    const branch = `z9hG4bK${randomBytes(12).toString("hex")}`;
    return `SIP/2.0/${transport} ${this.#options.sentBy(transport)};branch=${branch};rport`;
  }
}
