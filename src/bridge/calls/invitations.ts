// A client calls in a room: whom it calls, whether it is a call of its own or crosses one of ours, and what of it came
// before. Whether it may be placed is decided in outbound-admission.ts.
import type { UserId } from "../../core/ids.ts";
import { isRunning, legOf } from "../../core/call/model/queries.ts";
import type { Step } from "../../core/call/step.ts";
import type { MatrixFact } from "../../ports/homeserver.ts";
import { StoreError, type CallLedger } from "../../ports/store.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import type { CallGate } from "../admission/call-gate.ts";
import type { Invitation, OutboundAdmission } from "../admission/outbound-admission.ts";
import { keyOf, type CallIndex, type OwnInvite } from "./call-index.ts";
import type { CallRunner } from "./call-runner.ts";
import { isSameDevice } from "./call-signals.ts";
import type { Glare } from "./glare.ts";
import type { HeldFacts } from "./held-facts.ts";
import type { Redial } from "./redial.ts";
import type { RoomFacts } from "./room-facts.ts";

export interface InvitationsParts {
  readonly index: CallIndex;
  readonly held: HeldFacts;
  readonly glare: Pick<Glare, "invited">;
  readonly redial: Pick<Redial, "takes">;
  readonly roomFacts: Pick<RoomFacts, "called" | "calledIn" | "offeredVideo">;
  readonly admission: Pick<OutboundAdmission, "displayNameOf" | "receive">;
  readonly ledger: Pick<CallLedger, "known">;
  readonly gate: Pick<CallGate, "closed">;
  /** Takes the call up. */
  readonly add: (first: Step, invite: OwnInvite | undefined) => CallRunner;
  readonly telemetry: Telemetry;
}

type Invite = Invitation["fact"];

export class Invitations {
  readonly #parts: InvitationsParts;

  constructor(parts: InvitationsParts) {
    this.#parts = parts;
  }

  async take(fact: Invite): Promise<void> {
    const { index, held, glare, roomFacts, admission, telemetry } = this.#parts;
    const { room, matrixCallId } = fact;
    if (index.find(room, matrixCallId) !== undefined) return;
    const known = await this.#isKnown(fact);
    if (known === true) return;
    const ghost = await roomFacts.calledIn(fact);
    if (ghost === undefined) return;
    const displayName = await admission.displayNameOf(fact.sender, ghost);
    // From here on without waiting, or two calls at once would not see each other.
    const before = held
      .take(keyOf(room, matrixCallId))
      .filter((one) => one.sender === fact.sender && isSameDevice(one, fact));
    if (before.some(({ fact: { kind } }) => kind === "matrix.hungUp" || kind === "matrix.selected")) {
      telemetry.log.info("caller hung up before the call began", { room, matrixCall: matrixCallId });
      return;
    }
    const crossed = await glare.invited(fact, ghost.user);
    const closed = crossed === undefined ? await this.#whyClosed(fact, ghost.user, known === "unsure") : undefined;
    const runner = crossed ?? (await this.#receive({ fact, ghost, own: undefined, displayName, closed }));
    for (const one of before) await runner?.post(one.fact);
    if (closed !== "cannot-store") await roomFacts.called(fact, ghost);
    await this.declineVideo(fact);
  }

  /** A person wants a number dialled into a call in which they, or others, are already. False where no call has come of it. */
  async dial(invitation: Pick<Invitation, "fact" | "ghost" | "own">): Promise<boolean> {
    const { fact, ghost } = invitation;
    const displayName = await this.#parts.admission.displayNameOf(fact.sender, ghost);
    const { closed } = this.#parts.gate;
    return (await this.#receive({ ...invitation, displayName, closed })) !== undefined;
  }

  async declineVideo({ room, matrixCallId, video }: Extract<MatrixFact, { readonly video: boolean }>): Promise<void> {
    const { index, roomFacts } = this.#parts;
    const call = video ? index.find(room, matrixCallId)?.call : undefined;
    if (call !== undefined) await roomFacts.offeredVideo(call);
  }

  async #whyClosed(fact: Invite, ghost: UserId, isUnsure: boolean): Promise<Invitation["closed"]> {
    return this.#parts.gate.closed ?? (isUnsure ? "cannot-store" : this.#parts.redial.takes(fact, ghost));
  }

  /** Whether it was a call before: one that the store cannot tell about must not be placed a second time. */
  async #isKnown({ room, matrixCallId }: Invite): Promise<boolean | "unsure"> {
    try {
      return await this.#parts.ledger.known(room, matrixCallId);
    } catch (error) {
      if (error instanceof StoreError) return "unsure";
      throw error;
    }
  }

  #running(person: UserId): Invitation["running"] {
    const { groups } = this.#parts.index;
    const ofPerson = groups.chargedTo(person).filter(({ call }) => isRunning(call)).length;
    return { ofPerson, inAll: groups.running.size };
  }

  async #receive(invitation: Omit<Invitation, "running">): Promise<CallRunner | undefined> {
    const { admission, add, telemetry } = this.#parts;
    const { fact } = invitation;
    const first = admission.receive({ ...invitation, running: this.#running(fact.sender) });
    if (first === undefined) {
      telemetry.factIgnored(fact.kind, "none");
      return undefined;
    }
    const leg = legOf(first.call);
    const runner = add(first, leg && { leg, description: fact.description, candidates: [] });
    await runner.start(first);
    return runner;
  }
}
