// Requests of ours as they are made, and how each ends: challenges are answered on the way (RFC 3261 s8.1.3.5).
import type { Target } from "../transport/sockets/target.ts";
import { lineText } from "../wire/fields/escaping.ts";
import type { OutgoingBody, OutgoingRequest } from "../wire/outgoing-message.ts";
import type { SipResponse } from "../wire/message.ts";
import { ClientTransaction } from "./client-transaction.ts";
import { newBranch, type DigestClientSession, type Stack } from "./stack.ts";

/** What a peer may ask of us (RFC 3261 s20.5). All else is refused before anybody reads it (wire/screening.ts). */
export const ALLOWED_METHODS = [
  "INVITE",
  "ACK",
  "CANCEL",
  "BYE",
  "OPTIONS",
  "INFO",
  "PRACK",
  "UPDATE",
  "REFER",
  "NOTIFY",
  "MESSAGE",
] as const;

export const ALLOW_HEADER = `Allow: ${ALLOWED_METHODS.join(", ")}`;

/** What a request is made of; the rest is the same for all. */
export interface RequestParts {
  readonly method: string;
  readonly uri: string;
  /** Values without their tags. */
  readonly from: string;
  readonly to: string;
  readonly fromTag: string;
  readonly toTag?: string | undefined;
  readonly callId: string;
  readonly cseq: number;
  readonly routes: readonly string[];
  readonly credentials?: readonly string[];
  readonly headers: readonly string[];
  readonly body?: OutgoingBody | undefined;
}

export function requestOf(stack: Stack, parts: RequestParts): OutgoingRequest {
  const { method, from, to, fromTag, toTag, headers, credentials = [], body } = parts;
  const branch = newBranch();
  // RFC 3262 s4: in the INVITE that starts a dialog only, where PRACK is ours to send.
  const supported = method === "INVITE" && toTag === undefined ? ["Supported: 100rel, replaces, timer"] : [];
  return {
    ...parts,
    kind: "request",
    via: stack.via(branch),
    branch,
    from: `${from};tag=${fromTag}`,
    to: toTag === undefined ? to : `${to};tag=${toTag}`,
    toTag,
    credentials,
    headers: [...headers, ...supported, ...userAgentLines(stack)],
    body,
  };
}

export function userAgentLines({ options: { userAgent } }: Stack): readonly string[] {
  return userAgent === "" ? [] : [`User-Agent: ${lineText(userAgent)}`];
}

/** What a request inside a dialog takes its CSeq from when it is sent again. */
interface Sequence {
  /** The next CSeq of the dialog; undefined where it has ended, and the request's own is counted on. */
  next(): number | undefined;
}

export interface ClientOptions {
  readonly request: OutgoingRequest;
  /** Undefined: an INVITE of ours has no dialog yet, nor has what stands outside of all. */
  readonly sequence?: Sequence;
  readonly target?: Target | undefined;
  /** It has been sent again with credentials, as `client.request`. */
  readonly sentAgain?: () => void;
  /** Provisional or final, but no challenge that was answered. */
  readonly response: (response: SipResponse) => void;
  readonly failed: (fault: "timeout" | "transport", message: string) => void;
  readonly terminated?: () => void;
}

/** One request of ours, sent again as often as challenges want credentials. */
export class Client {
  readonly #stack: Stack;
  readonly #options: ClientOptions;
  readonly #session: DigestClientSession | undefined;
  #request: OutgoingRequest;
  #transaction: ClientTransaction;
  #abandoned = false;

  constructor(stack: Stack, options: ClientOptions) {
    this.#stack = stack;
    this.#options = options;
    this.#session = stack.options.newDigestSession();
    this.#request = options.request;
    this.#transaction = this.#send();
  }

  get request(): OutgoingRequest {
    return this.#request;
  }

  get transaction(): ClientTransaction {
    return this.#transaction;
  }

  /** Whoever gave it up answers no challenge any more: that ends it. */
  abandon(): void {
    this.#abandoned = true;
  }

  #send(): ClientTransaction {
    const { response, failed, target, terminated } = this.#options;
    const transaction: ClientTransaction = new ClientTransaction(
      this.#stack,
      this.#request,
      {
        response: (received, isTrunks) => {
          if (!isTrunks || !this.#answersChallenge(received)) response(received);
        },
        failed,
        terminated: () => {
          // One that credentials followed has not ended anything.
          if (transaction === this.#transaction) terminated?.();
        },
      },
      target,
    );
    return transaction;
  }

  /** Whoever a Contact led to is not to have a digest of the trunk's password: that is known by `isTrunks`. */
  #answersChallenge(response: SipResponse): boolean {
    const { statusCode } = response;
    if (statusCode !== 401 && statusCode !== 407) return false;
    const { method, uri, cseq, headers } = this.#request;
    // RFC 3261 s22.1: a CANCEL cannot be sent again, its CSeq is that of the INVITE.
    if (this.#abandoned || method === "CANCEL") return false;
    const answers = this.#session?.answer(response, { method, uri });
    if (answers === undefined) return false;
    const branch = newBranch();
    this.#request = {
      ...this.#request,
      branch,
      via: this.#stack.via(branch),
      cseq: this.#options.sequence?.next() ?? cseq + 1,
      credentials: answers.map(({ name, value }) => `${name}: ${value}`),
      headers,
    };
    this.#transaction = this.#send();
    this.#options.sentAgain?.();
    return true;
  }
}

/** SDP as a body. */
export function sdpBody(content: string): OutgoingBody {
  return { contentType: "application/sdp", content };
}
