// Sends one text over the trunks that may carry it: in parts of the trunk's length, and over the next trunk if the
// first certainly did not deliver it. Who may write to whom is decided in outbound-messages.ts.
import type { TrunkName, UserId } from "../../core/ids.ts";
import type { PlannedCall, PlannedTrunk } from "../../core/number/plan/dial-plan.ts";
import { callerIdentity, showsDisplayName, type IdentityTemplates } from "../../core/policy/caller-identity.ts";
import type { TrunkFeatures } from "../../core/policy/trunk-features.ts";
import type { Homeserver } from "../../ports/homeserver.ts";
import type { MessageOrder, MessageOutcome, SipTrunks } from "../../ports/sip.ts";
import type { Log } from "../../ports/telemetry.ts";
import { partsOf } from "./message-parts.ts";
import { mayGoElsewhere, wordsOfFailure } from "./message-notices.ts";

export interface MessageRoutingParts {
  readonly identities: (trunk: TrunkName) => IdentityTemplates;
  /** Without `messages` a trunk carries no texts. */
  readonly features: (trunk: TrunkName) => Pick<TrunkFeatures, "messages">;
  readonly homeserver: Pick<Homeserver, "displayName">;
  readonly sip: Pick<SipTrunks, "message">;
  readonly log: Log;
}

/** Each part costs what a text costs, and one event could make hundreds of them. */
const mostParts = 99;

type Route = Extract<PlannedCall, { kind: "route" }>;

export type MessageDelivery =
  | { readonly kind: "delivered" }
  /** None of the trunks takes texts. */
  | { readonly kind: "not-carried" }
  /** `begun`: a part of it has been delivered. */
  | { readonly kind: "failed"; readonly words: string; readonly begun: boolean };

export class MessageRouting {
  readonly #parts: MessageRoutingParts;
  #stopped = false;

  constructor(parts: MessageRoutingParts) {
    this.#parts = parts;
  }

  /** Never rejects for what trunks do. */
  async send(text: string, route: Route, person: UserId, ghost: UserId): Promise<MessageDelivery> {
    let delivery: MessageDelivery = { kind: "not-carried" };
    for (const carrier of [route, ...route.alternatives]) {
      const { messages } = this.#parts.features(carrier.trunk);
      if (messages === undefined) continue;
      const parts = partsOf(text, messages.maxLength);
      if (parts.length > mostParts) {
        const tooLong: MessageOutcome = { kind: "refused", status: 413, phrase: "" };
        delivery = { kind: "failed", words: wordsOfFailure(tooLong, 0, parts.length), begun: false };
        continue;
      }
      const identity = await this.#identity(carrier.trunk, person, ghost, route.withheld);
      const { delivered, outcome } = await this.#sendAll(parts, carrier, identity);
      if (outcome.kind === "delivered") return { kind: "delivered" };
      const { trunk } = carrier;
      this.#parts.log.info("text could not be delivered", { trunk, person, ...outcome, delivered, of: parts.length });
      delivery = {
        kind: "failed",
        words: wordsOfFailure(outcome, delivered, parts.length),
        begun: delivered > 0,
      };
      if (delivered > 0 || this.#stopped || !mayGoElsewhere(outcome)) break;
    }
    return delivery;
  }

  /** What fails from now on is not tried elsewhere. */
  stop(): void {
    this.#stopped = true;
  }

  /** One after the other: telephones show them in the order in which they come. */
  async #sendAll(
    texts: readonly string[],
    { trunk, uri }: PlannedTrunk,
    identity: MessageOrder["identity"],
  ): Promise<{ readonly delivered: number; readonly outcome: MessageOutcome }> {
    let outcome: MessageOutcome = { kind: "delivered", status: 200 };
    for (const [delivered, text] of texts.entries()) {
      outcome = await this.#parts.sip.message({ trunk, target: uri, identity, text });
      if (outcome.kind !== "delivered") return { delivered, outcome };
    }
    return { delivered: texts.length, outcome };
  }

  async #identity(
    trunk: TrunkName,
    person: UserId,
    ghost: UserId,
    withheld: boolean,
  ): Promise<MessageOrder["identity"]> {
    const { identities, homeserver } = this.#parts;
    const templates = identities(trunk);
    const displayName = showsDisplayName(templates) ? await homeserver.displayName(person, ghost) : undefined;
    return callerIdentity(person, displayName, templates, { withheld });
  }
}
