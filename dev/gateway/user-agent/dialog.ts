// A dialog, from the side that was called or the side that called (RFC 3261 s12).
// Builds requests inside it and judges those that come; what they mean is for call.ts.
import { header, headerValues, type SipRequest, type SipResponse } from "../../../src/sip/wire/message.ts";
import { splitList } from "../../../src/sip/wire/fields/grammar.ts";
import { parseNameAddr } from "../../../src/sip/wire/fields/name-addr.ts";
import type { Uri } from "../../../src/core/address/uri.ts";
import type { Headers, RequestDraft } from "../wire/message-text.ts";

/** One dialog, whoever sends: tags as seen by us. */
export const dialogKey = (sipCallId: string, localTag: string, remoteTag: string | undefined): string =>
  [sipCallId, localTag, remoteTag ?? ""].join("\n");

export interface Hop {
  readonly host: string;
  readonly port: number;
}

interface DialogParts {
  readonly sipCallId: string;
  readonly localTag: string;
  readonly remoteTag: string | undefined;
  /** From and To of our requests, tags included. */
  readonly local: string;
  readonly remote: string;
  readonly remoteTarget: Uri;
  /** Values of Route, in the order of our requests. */
  readonly routes: readonly string[];
  readonly localCseq: number;
  readonly remoteCseq: number;
}

export class Dialog {
  readonly key: string;
  readonly sipCallId: string;
  readonly localTag: string;
  readonly remoteTag: string | undefined;
  remoteTarget: Uri;
  readonly routes: readonly string[];
  readonly #local: string;
  readonly #remote: string;
  #localCseq: number;
  #remoteCseq: number;

  private constructor(parts: DialogParts) {
    this.sipCallId = parts.sipCallId;
    this.localTag = parts.localTag;
    this.remoteTag = parts.remoteTag;
    this.key = dialogKey(parts.sipCallId, parts.localTag, parts.remoteTag);
    this.remoteTarget = parts.remoteTarget;
    this.routes = parts.routes;
    this.#local = parts.local;
    this.#remote = parts.remote;
    this.#localCseq = parts.localCseq;
    this.#remoteCseq = parts.remoteCseq;
  }

  /** s12.1.1: we were called. */
  static called(invite: SipRequest, localTag: string): Dialog {
    const contact = invite.contacts === "*" ? undefined : invite.contacts[0];
    return new Dialog({
      sipCallId: invite.sipCallId,
      localTag,
      remoteTag: invite.fromTag,
      local: `${header(invite, "To") ?? ""};tag=${localTag}`,
      remote: header(invite, "From") ?? "",
      remoteTarget: contact?.uri ?? invite.from.uri,
      // The side that was called keeps the order of Record-Route.
      routes: recordRoutes(invite),
      localCseq: 0,
      remoteCseq: invite.cseq.number,
    });
  }

  /** s12.1.2: we called, and this is the 2xx. */
  static calling(invite: RequestDraft, localTag: string, accepted: SipResponse): Dialog {
    const contact = accepted.contacts === "*" ? undefined : accepted.contacts[0];
    return new Dialog({
      sipCallId: invite.sipCallId,
      localTag,
      remoteTag: accepted.toTag,
      local: invite.from,
      remote: header(accepted, "To") ?? invite.to,
      remoteTarget: contact?.uri ?? invite.uri,
      // The side that called turns it round.
      routes: recordRoutes(accepted).toReversed(),
      localCseq: invite.cseq,
      remoteCseq: -1,
    });
  }

  /** s12.2.2: false for a request that is older than one we have seen. */
  inOrder(request: SipRequest): boolean {
    if (request.cseq.number <= this.#remoteCseq) return false;
    this.#remoteCseq = request.cseq.number;
    return true;
  }

  /** A re-INVITE or UPDATE moves the remote target (s12.2, RFC 3311 s5.1). */
  refreshTarget(contacts: SipRequest["contacts"]): void {
    const contact = contacts === "*" ? undefined : contacts[0];
    if (contact !== undefined) this.remoteTarget = contact.uri;
  }

  /** The next request; `via` is the transaction's. Routes are taken for loose ones (s16.12), as all are today. */
  request(method: string, via: string, headers: Headers, body: string): RequestDraft {
    this.#localCseq += 1;
    return {
      method,
      uri: this.remoteTarget,
      via,
      routes: this.routes,
      from: this.#local,
      to: this.#remote,
      sipCallId: this.sipCallId,
      cseq: this.#localCseq,
      headers,
      body,
    };
  }

  /** Host and port of the first hop of our requests. */
  get nextHop(): Hop | undefined {
    const [route] = this.routes;
    return hopOf(route === undefined ? this.remoteTarget : parseNameAddr(route)?.uri);
  }
}

const recordRoutes = (message: SipRequest | SipResponse): readonly string[] =>
  headerValues(message, "Record-Route").flatMap((value) => splitList(value) ?? []);

export function hopOf(uri: Uri | undefined): Hop | undefined {
  if (uri?.kind !== "sip") return undefined;
  return { host: uri.host.replace(/^\[|\]$/g, ""), port: uri.port ?? 5060 };
}
