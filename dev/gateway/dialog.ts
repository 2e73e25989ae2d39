// The dialog that an INVITE made, from the side that was called (RFC 3261 s12).
// Builds requests inside it and judges those that come; what they mean is for call.ts.
import type { NameAddr } from "../../src/sip/wire/name-addr.ts";
import { header, headerValues, type SipRequest } from "../../src/sip/wire/message.ts";
import { splitList } from "../../src/sip/wire/grammar.ts";
import type { Uri } from "../../src/sip/wire/uri.ts";
import type { Headers, RequestDraft } from "./message-text.ts";

/** One dialog, whoever sends: tags as seen by us. */
export const dialogKey = (sipCallId: string, localTag: string, remoteTag: string | undefined): string =>
  [sipCallId, localTag, remoteTag ?? ""].join("\n");

export class Dialog {
  readonly key: string;
  readonly sipCallId: string;
  readonly localTag: string;
  remoteTarget: Uri;
  readonly #routes: readonly string[];
  readonly #nextHop: NameAddr | undefined;
  readonly #local: string;
  readonly #remote: string;
  #localCseq = 0;
  #remoteCseq: number;

  constructor(invite: SipRequest, localTag: string) {
    this.sipCallId = invite.sipCallId;
    this.localTag = localTag;
    this.key = dialogKey(invite.sipCallId, localTag, invite.fromTag);
    const contact = invite.contacts === "*" ? undefined : invite.contacts[0];
    this.remoteTarget = contact?.uri ?? invite.from.uri;
    // s12.1.1: the side that was called keeps the order of Record-Route.
    this.#routes = headerValues(invite, "Record-Route").flatMap((value) => splitList(value) ?? []);
    this.#nextHop = invite.recordRoutes[0];
    this.#remote = header(invite, "From") ?? "";
    this.#local = `${header(invite, "To") ?? ""};tag=${localTag}`;
    this.#remoteCseq = invite.cseq.number;
  }

  /** s12.2.2: false for a request that is older than one we have seen. */
  inOrder(request: SipRequest): boolean {
    if (request.cseq.number <= this.#remoteCseq) return false;
    this.#remoteCseq = request.cseq.number;
    return true;
  }

  /** A re-INVITE moves the remote target (s12.2). */
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
      routes: this.#routes,
      from: this.#local,
      to: this.#remote,
      sipCallId: this.sipCallId,
      cseq: this.#localCseq,
      headers,
      body,
    };
  }

  /** Host and port of the first hop of our requests. */
  get nextHop(): { readonly host: string; readonly port: number } | undefined {
    const uri = this.#nextHop?.uri ?? this.remoteTarget;
    if (uri.kind !== "sip") return undefined;
    return { host: uri.host.replace(/^\[|\]$/g, ""), port: uri.port ?? 5060 };
  }
}
