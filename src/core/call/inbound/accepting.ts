// Somebody took a call from the telephone: the others stop ringing, and the trunk's answer is made. Also call glare: the
// person was calling the caller at that moment, and their own call is the one that both have.
import { clientEnd, trunkEnd } from "../../media-end.ts";
import type { MediaDescription } from "../../media-description.ts";
import type { Accepting, Alerting, Arriving, CallIn, Connected, Farewell } from "../model/call.ts";
import { causeOfMediaFault } from "../model/cause.ts";
import { connect, mediaAnswerMs } from "../established/connecting.ts";
import { offersLate, stepEarlyDialog } from "./early-dialog.ts";
import type { CallOrder } from "../model/order.ts";
import { end, endIfOver } from "../ending/ending.ts";
import type { TimedFact } from "../model/fact.ts";
import { farewell, farewellSignals, owing } from "../ending/farewell.ts";
import { answeredByOtherLine, notice } from "../ending/room-notices.ts";
import type { MatrixLeg, RingingLeg } from "../model/matrix-leg.ts";
import { legAddress } from "../model/queries.ts";
import { isRinging, wasRung } from "../model/ringing.ts";
import { amend, enter, ignored, to, unchanged, type Step } from "../model/transition.ts";
import { confirmed, type ConfirmedLeg } from "../model/trunk-leg.ts";

/** The first answer wins; the device is told, and so are those who were too late. */
export function accept(call: CallIn<Alerting>, fact: Extract<TimedFact, { kind: "matrix.answered" }>): Step {
  const { room, person, device, form, abilities, description, atMs } = fact;
  const ghost = call.phase.legs.find((one) => one.room === room)?.ghost ?? call.phase.ghost;
  const leg: MatrixLeg = { ...legAddress(call.phase, { room, ghost }), form, person, device, abilities };
  const select: readonly CallOrder[] =
    device !== undefined ? [{ kind: "matrix.signal", leg, signal: { kind: "select", device } }] : [];
  return take(
    call,
    { leg, acceptance: { kind: "answered" } },
    hangUp(call.phase, (one) => one.room !== room),
    (one) => one.room !== room,
    atMs,
    select,
    [{ kind: "media.answer", from: clientEnd, description }],
  );
}

/**
 * The person's own call to the ghost that calls them takes this one over. Their client drops our invite or does not show
 * it, so that theirs is the call to keep (Matrix spec, VoIP module, glare).
 */
export function takeGlare(
  call: CallIn<Arriving | Alerting>,
  fact: Extract<TimedFact, { kind: "matrix.glareDetected" }>,
): Step {
  const { leg, description, atMs } = fact;
  const isOther = ({ room, target }: RingingLeg): boolean =>
    room !== leg.room && !(target.kind === "person" && target.person === leg.person);
  const farewells = call.phase.kind === "alerting" ? hangUp(call.phase, () => true) : [];
  if (!offersLate(call.phase.origin))
    return take(
      call,
      { leg, acceptance: { kind: "glare" } },
      farewells,
      isOther,
      atMs,
      [],
      [{ kind: "media.answerGlare", from: clientEnd, description }],
    );
  // The trunk has offered nothing yet, so that the person's offer can go to it as it is, in a session of its own.
  const { outstanding } = call;
  const released = { ...call, outstanding: { ...outstanding, releases: outstanding.releases + 1 } };
  return take(
    released,
    { leg, acceptance: { kind: "late-glare", awaiting: "offer" } },
    farewells,
    isOther,
    atMs,
    [],
    [
      { kind: "media.handOver", end: trunkEnd },
      { kind: "media.release" },
      { kind: "media.offer", from: clientEnd, description },
    ],
  );
}

function hangUp(phase: Alerting, isLoser: (leg: RingingLeg) => boolean): readonly Farewell[] {
  return phase.legs
    .filter(isRinging)
    .filter(isLoser)
    .map((leg) => farewell(legAddress(phase, leg), "hangup", "answered-elsewhere"));
}

function take(
  call: CallIn<Arriving | Alerting>,
  taker: Pick<Accepting, "leg" | "acceptance">,
  farewells: readonly Farewell[],
  isOther: (leg: RingingLeg) => boolean,
  atMs: number,
  first: readonly CallOrder[],
  media: readonly CallOrder[],
): Step {
  const { phase } = call;
  const { origin, trunk, ghost, ring } = phase;
  const accepting = enter<Accepting>(owing(call, farewells), {
    kind: "accepting",
    origin,
    trunk,
    ghost,
    ring,
    ...taker,
    ringingAtMs: phase.kind === "alerting" ? phase.ringingAtMs : undefined,
    mediaUp: false,
  });
  const others = phase.kind === "alerting" && call.notices.history ? phase.legs.filter(wasRung).filter(isOther) : [];
  return to(
    accepting,
    { kind: "deadline.clear", name: "stage" },
    ...first,
    ...farewells.flatMap(farewellSignals),
    ...others.map((leg) => notice(legAddress(phase, leg), answeredByOtherLine)),
    { kind: "deadline.set", name: "answer", atMs: atMs + mediaAnswerMs },
    ...media,
  );
}

export function stepAccepting(call: CallIn<Accepting>, fact: TimedFact): Step {
  const { acceptance } = call.phase;
  const awaits = acceptance.kind === "late-glare" ? acceptance.awaiting : acceptance.kind;
  switch (fact.kind) {
    case "matrix.candidates":
      return to(call, { kind: "media.candidates", candidates: fact.candidates });
    case "media.answered":
      return answered(call, fact);
    case "media.glareAnswered": {
      if (awaits !== "glare") return ignored(call, fact);
      const { trunk, order } = answerTrunk(call.phase, fact[trunkEnd], fact.atMs);
      return connectCaller(call, trunk, fact, [order, answerPerson(call.phase, fact[clientEnd])]);
    }
    case "media.offered": {
      // What was offered to the rooms has no use any more.
      if (awaits !== "offer" || fact.from !== clientEnd) return unchanged(call);
      const { trunk, order } = answerTrunk(call.phase, fact.description, fact.atMs);
      return to(
        amend(call, { trunk, acceptance: { kind: "late-glare", awaiting: "trunk" } }),
        { kind: "deadline.set", name: "answer", atMs: fact.atMs + mediaAnswerMs },
        order,
      );
    }
    case "sip.reanswered":
      if (awaits !== "trunk") return ignored(call, fact);
      return to(amend(call, { acceptance: { kind: "late-glare", awaiting: "reply" } }), {
        kind: "media.answer",
        from: trunkEnd,
        description: fact.description,
      });
    case "sip.offerRefused":
      return awaits === "trunk" ? end(call, "incompatible", fact.atMs, {}) : ignored(call, fact);
    case "media.refused":
      return end(call, causeOfMediaFault(fact.fault, fact.from === clientEnd ? "client" : "trunk"), fact.atMs, {});
    case "media.described":
    case "media.dtmf":
    case "matrix.unreachable":
      // Of an invite that is over, or of the selection, which a client that has the call can do without.
      return unchanged(call);
    case "media.connected":
      return to(amend(call, { mediaUp: true }));
    case "matrix.selected":
      return endIfOver(call, fact) ?? unchanged(call);
    case "deadline.passed":
      return fact.name === "answer" ? end(call, "media-lost", fact.atMs, {}) : ignored(call, fact);
    default:
      return stepEarlyDialog(call, fact);
  }
}

function answered(call: CallIn<Accepting>, fact: Extract<TimedFact, { kind: "media.answered" }>): Step {
  const { acceptance, origin, trunk: before, mediaUp } = call.phase;
  if (acceptance.kind === "answered" && fact.from === clientEnd) {
    const { trunk, order } = answerTrunk(call.phase, fact.description, fact.atMs);
    return connect(
      call,
      {
        trunk,
        takenAtMs: fact.atMs,
        mediaUp,
        untold: fact.untold,
        inviter: "bridge",
        answer: "told",
        renegotiation: offersLate(origin)
          ? { by: "trunk-first", awaiting: "trunk", queued: undefined }
          : { by: "nobody" },
      },
      [order],
    );
  }
  const isReply = acceptance.kind === "late-glare" && acceptance.awaiting === "reply";
  if (!isReply || fact.from !== trunkEnd || before.state !== "confirmed") return ignored(call, fact);
  return connectCaller(call, before, fact, [answerPerson(call.phase, fact.description)]);
}

/** The person's own call is the one that goes on. */
function connectCaller(
  call: CallIn<Accepting>,
  trunk: ConfirmedLeg,
  { atMs, untold }: Extract<TimedFact, { kind: "media.answered" | "media.glareAnswered" }>,
  orders: readonly CallOrder[],
): Step {
  const both: Pick<Connected, "inviter" | "answer"> = { inviter: "person", answer: "ordered" };
  const { mediaUp } = call.phase;
  return connect(call, { ...both, trunk, takenAtMs: atMs, mediaUp, untold, renegotiation: { by: "nobody" } }, orders);
}

function answerPerson({ leg }: Accepting, description: MediaDescription): CallOrder {
  return { kind: "matrix.signal", leg, signal: { kind: "answer", description } };
}

/** A trunk whose leg was answered before, for somebody else, is offered the new session in a re-INVITE. */
function answerTrunk(
  { trunk }: Accepting,
  description: MediaDescription,
  atMs: number,
): { readonly trunk: ConfirmedLeg; readonly order: CallOrder } {
  return trunk.state === "confirmed"
    ? { trunk, order: { kind: "sip.reoffer", description } }
    : { trunk: confirmed(trunk, trunk.dialog, atMs), order: { kind: "sip.accept", description } };
}
