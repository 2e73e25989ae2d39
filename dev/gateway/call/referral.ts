// A REFER that was accepted (RFC 3515): the call that follows it, and the NOTIFYs that tell how that goes, one after the
// other. Whom the call reaches and how is for calling-call.ts.
import { header, type SipRequest } from "../../../src/sip/wire/message.ts";
import { parseNameAddr } from "../../../src/sip/wire/fields/name-addr.ts";
import { formatUri, uriHeader, type SipUri } from "../../../src/core/address/uri.ts";
import { SIPFRAG, sipfrag } from "./call-bodies.ts";
import type { Headers } from "../wire/message-text.ts";
import type { GatewayCall, Referral as SeenReferral } from "../observation.ts";

export interface ReferralTarget {
  /** Without its headers and method: what the INVITE goes to. */
  readonly uri: SipUri;
  /** As it stood in Refer-To. */
  readonly text: string;
  /** The dialog whose place the INVITE takes (RFC 3891). */
  readonly replaces: string | undefined;
  readonly referredBy: string | undefined;
}

/** Undefined where Refer-To cannot be followed by an INVITE. */
export function readReference(refer: SipRequest): ReferralTarget | undefined {
  const uri = parseNameAddr(header(refer, "Refer-To") ?? "")?.uri;
  if (uri?.kind !== "sip") return undefined;
  const params = new Map([...uri.params].filter(([name]) => name !== "method"));
  return {
    uri: { ...uri, params, headers: [] },
    text: formatUri(uri),
    replaces: uriHeader(uri, "Replaces"),
    referredBy: header(refer, "Referred-By"),
  };
}

export interface ReferralParts {
  readonly notify: (headers: Headers, body: string) => Promise<void>;
  /** `happened` at each answer to the INVITE; 0 where none came. */
  readonly follow: (happened: (status: number) => void) => GatewayCall | undefined;
  /** What is told where nothing follows. */
  readonly failure: number;
  readonly changed: () => void;
}

const EXPIRES_SECONDS = 60;

export class Referral implements SeenReferral {
  readonly target: string;
  readonly referredBy: string | undefined;
  readonly notified: number[] = [];
  readonly call: GatewayCall | undefined;
  readonly #parts: ReferralParts;
  readonly #event: string;
  #sending: Promise<void> = Promise.resolve();
  #over = false;

  /** `id`: the CSeq of the REFER where it was not the first of its dialog (RFC 3515 s2.4.6). */
  constructor(target: ReferralTarget, id: number | undefined, parts: ReferralParts) {
    this.target = target.text;
    this.referredBy = target.referredBy;
    this.#parts = parts;
    this.#event = id === undefined ? "refer" : `refer;id=${id}`;
    this.#tell(100);
    this.call = parts.follow((status) => this.#tell(status === 0 ? 408 : status));
    if (this.call === undefined) this.#tell(parts.failure);
  }

  #tell(status: number): void {
    if (this.#over || this.notified.at(-1) === status) return;
    this.#over = status >= 200;
    this.notified.push(status);
    const state = this.#over ? "terminated;reason=noresource" : `active;expires=${EXPIRES_SECONDS}`;
    const headers: Headers = [
      ["Event", this.#event],
      ["Subscription-State", state],
      ["Content-Type", SIPFRAG],
    ];
    this.#sending = this.#sending.then(() => this.#parts.notify(headers, sipfrag(status)));
    this.#parts.changed();
  }
}
