// Who is registered where (RFC 3261 s10.3), with the path to it (RFC 3327). Who may is for digest.ts.
import { header, headerTokens, headerValues, type SipRequest } from "../../src/sip/wire/message.ts";
import type { NameAddr } from "../../src/sip/wire/fields/name-addr.ts";
import { formatUri, type Uri } from "../../src/core/address/uri.ts";
import type { Headers } from "./wire/message-text.ts";
import type { GatewayRegistration } from "./observation.ts";
import type { Flow } from "./wire/sockets.ts";

export interface Binding extends GatewayRegistration {
  readonly uri: Uri;
  /** Values of Path, for Route. */
  readonly path: readonly string[];
  readonly flow: Flow;
  readonly cseq: number;
  /** As performance.now(). */
  readonly endsMs: number;
}

export interface RegistrarOptions {
  /** Shorter ones get 423; 60 by default. */
  readonly minExpiresSeconds?: number;
  /** Longer ones are cut; 3,600 by default. */
  readonly maxExpiresSeconds?: number;
}

type Answer = readonly [status: number, reason: string, headers: Headers];

export class Registrar {
  readonly #minSeconds: number;
  readonly #maxSeconds: number;
  #bindings: readonly Binding[] = [];

  constructor({ minExpiresSeconds = 60, maxExpiresSeconds = 3_600 }: RegistrarOptions) {
    this.#minSeconds = minExpiresSeconds;
    this.#maxSeconds = maxExpiresSeconds;
  }

  /** Those that have not run out, in the order of their REGISTERs. */
  get bindings(): readonly Binding[] {
    const nowMs = performance.now();
    return this.#bindings.filter(({ endsMs }) => endsMs > nowMs);
  }

  /** As a registrar that restarts does it. */
  forget(): void {
    this.#bindings = [];
  }

  register(request: SipRequest, user: string | undefined, flow: Flow): Answer {
    const { to, contacts } = request;
    if (to.uri.kind !== "sip") return [404, "Not Found", []];
    const address = `${to.uri.user ?? ""}@${to.uri.host}`;
    const mine = ({ address: other }: Binding): boolean => other === address;
    const others = this.bindings.filter((binding) => !mine(binding));
    if (contacts === "*") {
      // s10.2.2: only to take everything back.
      if (header(request, "Expires")?.trim() !== "0") return [400, "Invalid Request", []];
      this.#bindings = others;
      return this.#listed(address, request);
    }
    const asked = contacts.map((contact) => ({ contact, seconds: this.#secondsOf(contact, request) }));
    if (asked.some(({ seconds }) => seconds > 0 && seconds < this.#minSeconds)) {
      return [423, "Interval Too Brief", [["Min-Expires", String(this.#minSeconds)]]];
    }
    let left = this.bindings.filter(mine);
    for (const { contact, seconds } of asked) {
      const known = left.find((binding) => binding.contact === formatUri(contact.uri));
      // s10.3, step 7: out of order.
      if (known?.sipCallId === request.sipCallId && request.cseq.number <= known.cseq) {
        return [500, "Server Internal Error", []];
      }
      left = left.filter((binding) => binding !== known);
      if (seconds > 0) left = [...left, this.#bind(address, contact, seconds, request, user, flow)];
    }
    this.#bindings = [...others, ...left];
    return this.#listed(address, request);
  }

  #bind(
    address: string,
    contact: NameAddr,
    seconds: number,
    request: SipRequest,
    user: string | undefined,
    flow: Flow,
  ): Binding {
    return {
      address,
      user,
      contact: formatUri(contact.uri),
      uri: contact.uri,
      path: headerValues(request, "Path"),
      expiresSeconds: seconds,
      endsMs: performance.now() + 1_000 * seconds,
      transport: flow.transport,
      flow,
      sipCallId: request.sipCallId,
      cseq: request.cseq.number,
    };
  }

  #secondsOf(contact: NameAddr, request: SipRequest): number {
    const stated = contact.params.get("expires") ?? header(request, "Expires") ?? "";
    return Math.min(/^\d{1,10}$/.test(stated.trim()) ? Number(stated) : Infinity, this.#maxSeconds);
  }

  #listed(address: string, request: SipRequest): Answer {
    const here = this.bindings.filter((binding) => binding.address === address);
    const headers: [string, string][] = here.map(({ contact, expiresSeconds }) => [
      "Contact",
      `<${contact}>;expires=${expiresSeconds}`,
    ]);
    // RFC 3327 s5.3: what was taken in is repeated to whoever understands it.
    if (headerTokens(request, "Supported").includes("path")) {
      headers.push(...headerValues(request, "Path").map((path): [string, string] => ["Path", path]));
    }
    return [200, "OK", headers];
  }
}
