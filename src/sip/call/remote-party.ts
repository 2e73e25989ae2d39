// What is known of the other end of one dialog: who was last said to be there, and which methods it takes.
import type { RemoteIdentity } from "../../core/policy/remote-identity.ts";
import { remoteIdentityOf } from "../headers/remote-identity.ts";
import { headerTokens, headerValues, type SipMessage } from "../wire/message.ts";
import { formatUri, userText, type Uri } from "../../core/address/uri.ts";

export class RemoteParty {
  #told: string;
  #allowed: ReadonlySet<string> | undefined;

  /** `known`: who is there as far as the call has heard; for a call of ours, the URI that was called. */
  constructor(known: RemoteIdentity | Uri | undefined) {
    this.#told = known === undefined ? "" : "from" in known ? keyOf(known) : (userText(known) ?? formatUri(known));
  }

  /** Takes note of a message from there; gives the identity where it says another than was last told. */
  hears(message: SipMessage): RemoteIdentity | undefined {
    // RFC 3261 s20.5: an empty Allow says that nothing is taken, no Allow says nothing.
    if (headerValues(message, "Allow").length > 0) this.#allowed = new Set(headerTokens(message, "Allow"));
    const identity = remoteIdentityOf(message);
    // To in a response is what we wrote ourselves; only From in a request of theirs is news (RFC 4916 s4.3).
    if (message.kind === "response" && identity.asserted.length === 0) return undefined;
    const key = keyOf(identity);
    if (key === this.#told) return undefined;
    this.#told = key;
    return identity;
  }

  /** Unknown counts as taken. */
  takes(method: string): boolean {
    return this.#allowed?.has(method) ?? true;
  }

  /** Whether it has said so. */
  saysItTakes(method: string): boolean {
    return this.#allowed?.has(method) === true;
  }
}

/** Names count where they are asserted. Gateways write now one host and now another behind the same number. */
function keyOf({ asserted, from, privacy }: RemoteIdentity): string {
  if (asserted.length === 0) return from.user ?? formatUri(from.uri);
  return JSON.stringify([asserted.map(({ uri, displayName }) => [formatUri(uri), displayName]), privacy]);
}
