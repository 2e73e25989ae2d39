// An invite arrives: is it still alive, where does it go, may this person call? Gives the call its first step. Turns
// away whoever does the same over and over before it costs anything.
import type { Notices } from "../../core/call/model/notices.ts";
import { beginOutbound, refuseOutbound, type OutboundRequest } from "../../core/call/outbound/outbound.ts";
import type { Step } from "../../core/call/step.ts";
import { callId, domainOf, type DeviceId, type UserId } from "../../core/ids.ts";
import { isEmergency } from "../../core/number/plan/dial-plan.ts";
import type { GhostNumber } from "../../core/number/plan/number-key.ts";
import type { GhostIds } from "../../core/number/ghost/ghost-id.ts";
import { showsDisplayName } from "../../core/policy/caller-identity.ts";
import { judge, mayCall, type Policy } from "../../core/policy/permission.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Homeserver, MatrixFact } from "../../ports/homeserver.ts";
import type { Log } from "../../ports/telemetry.ts";
import type { Closed } from "./call-gate.ts";
import { invitedLeg } from "./invited-leg.ts";
import type { Blocks } from "../blocking/blocks.ts";
import { RateLimit } from "../limits/rate-limit.ts";
import { dialledTrunks, type RoutingParts } from "./routing.ts";
import type { Spending } from "../spending/spending.ts";

export interface Invitation {
  readonly fact: Extract<MatrixFact, { kind: "call.invited" }>;
  readonly ghost: GhostNumber;
  /** As which device we are in the call already, having rung the person; undefined: they have called. */
  readonly own: DeviceId | undefined;
  /** The caller's, if it is wanted and known. */
  readonly displayName: string | undefined;
  /** How many calls there are, for the limits. */
  readonly running: { readonly ofPerson: number; readonly inAll: number };
  /** Why no call is begun now, or not in this room, whatever the number is. */
  readonly closed: Closed | "room-in-call" | undefined;
}

export interface OutboundAdmissionParts extends RoutingParts {
  readonly ids: Pick<GhostIds, "displayName">;
  readonly policy: () => Policy;
  readonly blocks: Pick<Blocks, "bars">;
  readonly homeserver: Pick<Homeserver, "displayName">;
  readonly notices: () => Notices;
  /** How often each person may begin a call; a transfer is one too. */
  readonly callRateLimit: RateLimit;
  readonly spending: Pick<Spending, "begin">;
  readonly clock: Clock;
  readonly log: Log;
}

type Refused = Parameters<typeof refuseOutbound>[0];
type Dialled = NonNullable<ReturnType<typeof dialledTrunks>>;

/** A call this close to the end of its invite's life would be cut off while it is set up. */
const leastRemainingMs = 1_000;
/** More than any person can dial. A program that dials faster is not answered any more. */
const refusalsPerMinute = 300;
/** No invite rings longer than this, whatever lifetime the client gives it. */
const longestLifetimeMs = 5 * 60_000;

export class OutboundAdmission {
  readonly #parts: OutboundAdmissionParts;
  readonly #others: Readonly<Record<"invitation" | "message", RateLimit>>;
  /** Who calls too often reads why once a minute. */
  readonly #tellings: RateLimit;
  /** Refusals cost an event each, so that even those have an end. */
  readonly #refusals: RateLimit;

  constructor(parts: OutboundAdmissionParts) {
    const { clock, policy } = parts;
    this.#parts = parts;
    this.#others = {
      invitation: new RateLimit(() => policy().callsPerMinute, clock),
      message: new RateLimit(() => policy().callsPerMinute, clock),
    };
    this.#tellings = new RateLimit(1, clock);
    this.#refusals = new RateLimit(refusalsPerMinute, clock);
  }

  /** Whether one of ours may be made to come into a room, or to answer, once more by this person now. */
  heeds(person: UserId, what: "invitation" | "message"): boolean {
    return this.#others[what].allows(person);
  }

  /**
   * Whether a number comes when this person invites it: nobody who may not call makes one of ours register or join. To an
   * emergency number everybody of this homeserver gets at least the words that help is not to be had here.
   */
  admits(person: UserId, { planned }: GhostNumber): boolean {
    const { policy } = this.#parts;
    return mayCall(person, policy()) || (domainOf(person) === policy().domain && isEmergency(planned));
  }

  /** Asks for the caller's display name only where the trunk is to see it, and nobody's who may not call. Never rejects. */
  async displayNameOf(person: UserId, { user, planned: route }: GhostNumber): Promise<string | undefined> {
    const { homeserver, identities, policy } = this.#parts;
    if (!mayCall(person, policy())) return undefined;
    if (route.kind === "refused" || route.withheld) return undefined;
    if (![route, ...route.alternatives].some(({ trunk }) => showsDisplayName(identities(trunk)))) return undefined;
    return homeserver.displayName(person, user);
  }

  /** Undefined where the invite is dead already, or the person calls too often. */
  receive(invitation: Invitation): Step | undefined {
    const { ids, clock, log, notices } = this.#parts;
    const { fact, ghost, own, displayName, running, closed } = invitation;
    const now = clock.nowMs();
    // Our clock may have been set back since.
    const sentAtMs = Math.min(fact.receivedAtMs, now) - fact.ageMs;
    const answerByMs = sentAtMs + Math.min(fact.lifetimeMs, longestLifetimeMs);
    // Not "less than": NaN compares false, so an invite with a nonsensical time has expired.
    if (!(answerByMs - now >= leastRemainingMs)) {
      log.info("invite had expired", { room: fact.room, matrixCall: fact.matrixCallId });
      return undefined;
    }
    const route = ghost.planned;
    const refused = {
      id: callId(`c-${clock.newId()}`),
      leg: invitedLeg(fact, ghost.user, clock, own),
      number: route.kind === "route" ? route.number : ids.displayName(ghost.target),
      atMs: now,
      notices: notices(),
    };
    if (!isEmergency(route) && !this.#parts.callRateLimit.allows(fact.sender)) return this.#refuseTooOften(refused);
    // Whoever needs help gets it, stored or not, as long as the bridge runs.
    const mayPass = (closed === "cannot-store" || closed === "draining") && isEmergency(route);
    if (closed !== undefined && !mayPass) return refuseOutbound(refused, closed);
    const verdict = judge(
      {
        person: fact.sender,
        plan: route,
        isBlocked: this.#parts.blocks.bars(route),
        callsOfPerson: running.ofPerson,
        callsInAll: running.inAll,
      },
      this.#parts.policy(),
    );
    if (verdict.kind === "refused") return refuseOutbound(refused, verdict.cause);
    if (route.kind === "refused") return refuseOutbound(refused, route.why);
    const dialled = dialledTrunks(route, fact.sender, displayName, this.#parts);
    if (dialled === undefined) return refuseOutbound(refused, "trunk-paused");
    const left = this.#paid(route, dialled, refused, verdict.maxDurationMs);
    if ("refused" in left) return left.refused;
    const { trunk, alternatives } = left;
    // Whoever has been rung is in the call, and listens.
    const earlyMedia = own === undefined ? this.#parts.features(trunk.name).earlyMedia : "join";
    const { description } = fact;
    const request: OutboundRequest = { ...refused, description, answerByMs, alternatives, earlyMedia };
    return beginOutbound(request, trunk, verdict.maxDurationMs);
  }

  /** The trunks over which minutes and money are left for the call: from here on it has its share of them. */
  #paid(
    route: Extract<GhostNumber["planned"], { kind: "route" }>,
    dialled: Dialled,
    refused: Refused,
    longestMs: number,
  ): Dialled | { readonly refused: Step } {
    if (isEmergency(route)) return dialled;
    const all = [dialled.trunk, ...dialled.alternatives];
    const spent = this.#parts.spending.begin({
      person: refused.leg.person,
      leg: refused.id,
      number: route,
      trunks: all.map(({ name }) => name),
      longestMs,
    });
    if (spent.kind === "refused") {
      const { cause, words } = spent;
      return { refused: refuseOutbound(refused, cause, words === undefined ? "say" : { say: words }) };
    }
    const [trunk = dialled.trunk, ...alternatives] = all.filter(({ name }) => spent.trunks.includes(name));
    return { trunk, alternatives };
  }

  /** Each such call is refused at once, or the client would play its ringing tone until it gives up. */
  #refuseTooOften(refused: Refused): Step | undefined {
    const { person, room } = refused.leg;
    const { log, policy } = this.#parts;
    if (!this.#refusals.allows(person)) return undefined;
    const isFirst = this.#tellings.allows(person);
    if (isFirst)
      log.warn("calls beyond calls_per_minute are refused", { person, room, callsPerMinute: policy().callsPerMinute });
    return refuseOutbound(refused, "too-often", isFirst ? "say" : "said-before");
  }
}
