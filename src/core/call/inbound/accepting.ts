// Somebody took a call from the telephone: the others stop ringing, and the trunk's answer is made. Also glare: the
// person was calling the caller at that moment, and their own call is the one that both have.
import {
  legAddress,
  type Accepting,
  type Alerting,
  type Arriving,
  type Farewell,
  type Inbound,
} from "../model/call.ts";
import { causeOfMediaFault } from "../model/cause.ts";
import { connect, mediaAnswerMs } from "../established/connecting.ts";
import { stepEarlyDialog } from "./early-dialog.ts";
import type { CallOrder } from "../model/order.ts";
import { common, end, endIfOver } from "../ending/ending.ts";
import type { TimedFact } from "../model/fact.ts";
import { farewell, farewellSignals } from "../ending/farewell.ts";
import { answeredByOtherLine, notice } from "../ending/room-notices.ts";
import type { MatrixLeg, RingingLeg } from "../model/matrix-leg.ts";
import { clientEnd, trunkEnd } from "../model/media-end.ts";
import { isRinging, wasRung } from "../model/ringing.ts";
import { ignored, to, unchanged, type Step } from "../model/transition.ts";

/** The first answer wins; the party is told, and so are those who were too late (Matrix spec, m.call.select_answer). */
export function accept(call: Alerting, fact: Extract<TimedFact, { kind: "matrix.answered" }>): Step {
  const { room, person, party, version, abilities, sdp, atMs } = fact;
  const ghost = call.legs.find((one) => one.room === room)?.ghost ?? call.ghost;
  const leg: MatrixLeg = { ...legAddress(call, { room, ghost }), version, person, personParty: party };
  const select: readonly CallOrder[] =
    version === "1" && party !== undefined ? [{ kind: "matrix.signal", leg, signal: { kind: "select", party } }] : [];
  return take(
    call,
    { leg, abilities, awaiting: "answer" },
    hangUp(call, (one) => one.room !== room),
    (one) => one.room !== room,
    atMs,
    select,
    [{ kind: "media.answer", from: clientEnd, sdp }],
  );
}

/**
 * The person's own call to the ghost that calls them takes this one over. Their client drops our invite or does not show
 * it, so that theirs is the call to keep (Matrix spec, VoIP module, glare).
 */
export function cross(call: Arriving | Alerting, fact: Extract<TimedFact, { kind: "matrix.glareDetected" }>): Step {
  const { leg, abilities, sdp, atMs } = fact;
  const isOther = ({ room, target }: RingingLeg): boolean =>
    room !== leg.room && !(target.kind === "person" && target.person === leg.person);
  const farewells = call.phase === "alerting" ? hangUp(call, () => true) : [];
  if (!call.lateOffer)
    return take(
      call,
      { leg, abilities, awaiting: "crossing" },
      farewells,
      isOther,
      atMs,
      [],
      [{ kind: "media.answerGlare", from: clientEnd, sdp }],
    );
  // The trunk has offered nothing yet, so that the person's offer can go to it as it is, in a session of its own.
  const { outstanding } = call;
  const released = { ...call, outstanding: { ...outstanding, releases: outstanding.releases + 1 } };
  return take(
    released,
    { leg, abilities, awaiting: "offer" },
    farewells,
    isOther,
    atMs,
    [],
    [
      { kind: "media.handOver", end: trunkEnd },
      { kind: "media.release" },
      { kind: "media.offer", from: clientEnd, sdp },
    ],
  );
}

function hangUp(call: Alerting, isLoser: (leg: RingingLeg) => boolean): readonly Farewell[] {
  return call.legs
    .filter(isRinging)
    .filter(isLoser)
    .map((leg) => farewell(legAddress(call, leg), "hangup", "answered-elsewhere"));
}

function take(
  call: Arriving | Alerting,
  taker: Pick<Accepting, "leg" | "abilities" | "awaiting">,
  farewells: readonly Farewell[],
  isOther: (leg: RingingLeg) => boolean,
  atMs: number,
  first: readonly CallOrder[],
  media: readonly CallOrder[],
): Step {
  const { outstanding } = call;
  const accepting: Accepting = {
    ...inboundOf(call),
    outstanding: { ...outstanding, farewells: [...outstanding.farewells, ...farewells] },
    phase: "accepting",
    ...taker,
    ringingAtMs: call.phase === "alerting" ? call.ringingAtMs : undefined,
    mediaUp: false,
  };
  const others = call.phase === "alerting" && call.notices.history ? call.legs.filter(wasRung).filter(isOther) : [];
  return to(
    accepting,
    { kind: "deadline.clear", name: "stage" },
    ...first,
    ...farewells.flatMap(farewellSignals),
    ...others.map((leg) => notice(legAddress(call, leg), answeredByOtherLine)),
    { kind: "deadline.set", name: "answer", atMs: atMs + mediaAnswerMs },
    ...media,
  );
}

export function stepAccepting(call: Accepting, fact: TimedFact): Step {
  switch (fact.kind) {
    case "matrix.candidates":
      return to(call, { kind: "media.candidates", candidates: fact.candidates });
    case "media.answered":
      return answered(call, fact);
    case "media.glareAnswered":
      if (call.awaiting !== "crossing") return ignored(call, fact);
      return connect(
        call,
        {
          dialog: call.dialog,
          answeredAtMs: call.acceptedAtMs ?? fact.atMs,
          takenAtMs: fact.atMs,
          mediaUp: call.mediaUp,
          untold: fact.untold,
          inviter: "person",
          answer: "ordered",
          renegotiation: { by: "nobody" },
        },
        [answerTrunk(call, fact.b), { kind: "matrix.signal", leg: call.leg, signal: { kind: "answer", sdp: fact.a } }],
      );
    case "media.offered":
      // What was offered to the rooms has no use any more.
      if (call.awaiting !== "offer" || fact.from !== clientEnd) return unchanged(call);
      return to(
        { ...call, awaiting: "trunk", acceptedAtMs: call.acceptedAtMs ?? fact.atMs },
        { kind: "deadline.set", name: "answer", atMs: fact.atMs + mediaAnswerMs },
        answerTrunk(call, fact.sdp),
      );
    case "sip.reanswered":
      if (call.awaiting !== "trunk") return ignored(call, fact);
      return to({ ...call, awaiting: "reply" }, { kind: "media.answer", from: trunkEnd, sdp: fact.sdp });
    case "sip.offerRefused":
      return call.awaiting === "trunk" ? end(call, "incompatible", fact.atMs, {}) : ignored(call, fact);
    case "media.refused":
      return end(call, causeOfMediaFault(fact.fault, fact.from === clientEnd ? "client" : "trunk"), fact.atMs, {});
    case "media.described":
    case "media.dtmf":
    case "matrix.unreachable":
      // Of an invite that is over, or of the selection, which a client that has the call can do without.
      return unchanged(call);
    case "media.connected":
      return to({ ...call, mediaUp: true });
    case "matrix.selected":
      return endIfOver(call, fact) ?? unchanged(call);
    case "deadline.passed":
      return fact.name === "answer" ? end(call, "media-lost", fact.atMs, {}) : ignored(call, fact);
    default:
      return stepEarlyDialog(call, fact);
  }
}

function answered(call: Accepting, fact: Extract<TimedFact, { kind: "media.answered" }>): Step {
  const { dialog, mediaUp, lateOffer } = call;
  if (call.awaiting === "answer" && fact.from === clientEnd)
    return connect(
      call,
      {
        dialog,
        answeredAtMs: call.acceptedAtMs ?? fact.atMs,
        takenAtMs: fact.atMs,
        mediaUp,
        untold: fact.untold,
        inviter: "bridge",
        answer: "told",
        renegotiation: lateOffer
          ? { by: "trunk-empty", awaiting: "trunk", queued: undefined, first: true }
          : { by: "nobody" },
      },
      [answerTrunk(call, fact.sdp)],
    );
  if (call.awaiting === "reply" && fact.from === trunkEnd)
    return connect(
      call,
      {
        dialog,
        answeredAtMs: call.acceptedAtMs ?? fact.atMs,
        takenAtMs: fact.atMs,
        mediaUp,
        untold: fact.untold,
        inviter: "person",
        answer: "ordered",
        renegotiation: { by: "nobody" },
      },
      [{ kind: "matrix.signal", leg: call.leg, signal: { kind: "answer", sdp: fact.sdp } }],
    );
  return ignored(call, fact);
}

/** A trunk whose leg was answered before, for somebody else, is offered the new session in a re-INVITE. */
function answerTrunk(call: Accepting, sdp: string): CallOrder {
  return call.acceptedAtMs !== undefined ? { kind: "sip.reoffer", sdp } : { kind: "sip.accept", sdp };
}

/** The fields every phase of an inbound call has, without those of the phase that is left. */
export function inboundOf(call: Arriving | Alerting): Inbound {
  const { trunk, called, ghost, matrixCallId, ownParty, dialog, incoming, acceptedAtMs, transferredBy, lateOffer } =
    call;
  return {
    ...common(call),
    direction: "inbound",
    trunk,
    called,
    ghost,
    matrixCallId,
    ownParty,
    dialog,
    incoming,
    acceptedAtMs,
    transferredBy,
    lateOffer,
  };
}
