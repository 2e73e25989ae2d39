// Walks: facts in random order, from every phase and from the middle of every exchange, to the end of the call.
import fc from "fast-check";
import type { Call } from "../../../src/core/call/model/call.ts";
import type { CallOrder } from "../../../src/core/call/model/order.ts";
import type { CallFact } from "../../../src/core/call/model/fact.ts";
import { step, type Step } from "../../../src/core/call/step.ts";
import { callId, matrixCallId, partyId, sipCallId, trunkName, type UserId } from "../../../src/core/ids.ts";
import {
  accepted,
  answered,
  begin,
  confirmedLeg,
  dialog,
  invite,
  offered,
  released,
  request,
  told,
  trunk,
} from "./examples.ts";
import {
  ann,
  annRings,
  annsRoom,
  answeredByClient,
  answers,
  arrive,
  bob,
  bobsRoom,
  bothRing,
  declines,
  found,
  glare,
  offeredToRooms,
  office,
  officeRoom,
  stageOver,
  together,
  toldRinging,
} from "./inbound-examples.ts";

const ends = ["a", "b"] as const;
const rooms = [annsRoom, bobsRoom, officeRoom, request.leg.room] as const;
const inboundSignals = ["invite", "select", "hangup"] as const;
const outboundSignals = ["answer", "reject", "hangup", "reanswer", "reoffer", "identity"] as const;

const somebodyElse = { ghost: undefined, displayName: "Reception" };
const elsewhere = { ...trunk, target: "sip:+442079460102@sip.example.org", number: "+442079460102" };
const otherLeg = confirmedLeg(
  callId("c-9"),
  { ...trunk, number: "+442079460103" },
  { ...dialog, sipCallId: sipCallId("def@example.org") },
);
const identity = {
  from: { displayName: undefined, uri: "sip:x@example.org", user: "x", host: "example.org" },
  asserted: [],
  privacy: [],
  verstat: undefined,
};

const toldOrLost = (
  signals: readonly Parameters<typeof told>[0][],
  where: readonly (typeof rooms)[number][],
): CallFact[] =>
  signals.flatMap((signal) =>
    where.flatMap((room): CallFact[] => [
      told(signal, room),
      { kind: "matrix.unreachable", signal, room, message: "gone" },
    ]),
  );

/** What can happen to a call that has both sides, from whichever it came. */
const facts: readonly CallFact[] = [
  released,
  { kind: "matrix.candidates", candidates: [{ candidate: "c", mid: "0", mLineIndex: 0 }] },
  { kind: "matrix.selected", ours: true },
  { kind: "matrix.selected", ours: false },
  { kind: "matrix.offered", sdp: "hold" },
  { kind: "matrix.reanswered", sdp: "answer" },
  { kind: "matrix.hungUp", said: undefined },
  { kind: "matrix.hungUp", said: "media-failed" },
  { kind: "matrix.left" },
  ...toldOrLost(outboundSignals, [request.leg.room, annsRoom]),
  ...ends.flatMap((from): CallFact[] => [
    { kind: "media.offered", from, sdp: "o" },
    { kind: "media.settled", from, sdp: "s" },
    { kind: "media.settled", from, sdp: "s", untold: "sendonly" },
    { kind: "media.answered", from, sdp: "a" },
    { kind: "media.answered", from, sdp: "a", untold: "sendrecv" },
    { kind: "media.refused", from, fault: "no-common-codec", message: "none" },
    { kind: "media.timedOut", end: from },
    { kind: "media.described", end: from, sdp: "d" },
    { kind: "media.dtmf", from, digit: "1", durationMs: 160, relayed: false },
  ]),
  { kind: "media.connected" },
  { kind: "media.listened", unheard: ["b"] },
  { kind: "media.failed", message: "ice" },
  { kind: "media.closed" },
  { kind: "media.disconnected" },
  { kind: "media.lost" },
  { kind: "sip.offered", sdp: "reoffer" },
  { kind: "sip.offerWanted" },
  { kind: "sip.reanswered", sdp: "ra" },
  { kind: "sip.offerRefused", status: 488 },
  { kind: "sip.dialogChanged", dialog: { ...dialog, localCSeq: 7 } },
  { kind: "sip.dtmf", digit: "5", durationMs: 160 },
  { kind: "sip.identified", identity },
  { kind: "identity.resolved", shown: somebodyElse },
  { kind: "sip.hungUp", q850: 16 },
  { kind: "sip.ended" },
  ...(["answer", "stage", "duration", "renegotiation", "transfer", "audio"] as const).map((name): CallFact => ({
    kind: "deadline.passed",
    name,
  })),
  { kind: "fault.thrown", where: "sip", message: "bug" },
  { kind: "bridge.stopped" },
  { kind: "admin.ended" },
  { kind: "call.yielded" },
];

const outboundFacts: readonly CallFact[] = [
  accepted,
  { kind: "sip.sent", invite },
  { kind: "sip.trying" },
  { kind: "sip.ringing" },
  { kind: "sip.progressed", sdp: undefined },
  { kind: "sip.progressed", sdp: "trunk answer" },
  { kind: "sip.progressed", sdp: "early answer" },
  { kind: "sip.rejected", status: 486, phrase: "Busy Here", q850: undefined },
  { kind: "sip.rejected", status: 503, phrase: "Service Unavailable", q850: undefined },
  { kind: "sip.failed", fault: "timeout", message: "no response" },
];

const inboundFacts: readonly CallFact[] = [
  { kind: "sip.cancelled", elsewhere: false },
  { kind: "sip.cancelled", elsewhere: true },
  ...toldOrLost(inboundSignals, [annsRoom, bobsRoom, officeRoom]),
  ...[ann, bob, office].map((target): CallFact => ({
    kind: "matrix.roomMissing",
    target,
    busy: target === bob,
    message: "forbidden",
  })),
  found(ann, annsRoom),
  found(bob, bobsRoom),
  found(office, officeRoom),
  answers(annsRoom, ann),
  answers(annsRoom, ann, "TABLET"),
  answers(bobsRoom, bob, "none"),
  answers(officeRoom, office),
  declines(annsRoom, ann),
  declines(bobsRoom, bob, "busy"),
  declines(annsRoom, ann, "no-answer"),
  declines(bobsRoom, bob, "callee-media-failed"),
  declines(officeRoom, ann),
  glare,
  { kind: "media.glareAnswered", a: "client answer", b: "trunk answer" },
];

/** Of the invites to whom a call is transferred. */
export const forwardedCallId = matrixCallId("zzzForwarded");

const transferFacts: readonly CallFact[] = [
  { kind: "matrix.replaced", order: { kind: "blind", target: "@_sip_2:example.org" as UserId } },
  { kind: "matrix.replaced", order: { kind: "consult", other: otherLeg, name: "Carol" } },
  { kind: "matrix.replaced", order: { kind: "awaited" } },
  { kind: "transfer.planned", trunk: elsewhere, shown: somebodyElse },
  { kind: "transfer.barred", cause: "not-permitted" },
  {
    kind: "transfer.forwarded",
    person: "@bob:example.org" as UserId,
    matrixCallId: forwardedCallId,
    ownParty: partyId("bridge9"),
    announce: [],
  },
  { kind: "transfer.claimed" },
  { kind: "transfer.taken" },
  { kind: "sip.referRefused", status: 501 },
  { kind: "sip.referProgressed", status: 180 },
  { kind: "sip.referProgressed", status: 200 },
  { kind: "sip.referProgressed", status: 503 },
  { kind: "sip.referred", target: identity.from, replaces: undefined, referredBy: undefined },
  { kind: "sip.replaced", sdp: "r", dialog: { ...dialog, localCSeq: 9 } },
  { kind: "sip.replaceFailed", status: 486 },
];

const allFacts = [...facts, ...outboundFacts, ...inboundFacts, ...transferFacts];
export const anyFact = fc.constantFrom(...allFacts);

const history = { notices: { failures: true, history: true } } as const;
const alternatives = [{ ...trunk, name: trunkName("second") }] as const;
const stages = [
  { targets: [ann], ringMs: 20_000 },
  { targets: [ann, office], ringMs: 20_000 },
  { targets: [bob], ringMs: 20_000 },
];
const reoffered: CallFact = { ...offered, from: "b" };
const hold: CallFact = { kind: "matrix.offered", sdp: "hold" };
const held: readonly CallFact[] = [
  { kind: "sip.offered", sdp: "sendonly" },
  { kind: "media.settled", from: "b", sdp: "recvonly", untold: "sendonly" },
];
const described: CallFact = { kind: "media.described", end: "a", sdp: "client offer" };
const shown: CallFact = { ...described, untold: "sendonly" };
const sent: CallFact = { kind: "sip.sent", invite };
const outOfOrder: CallFact = { kind: "sip.failed", fault: "transport", message: "refused" };
const progressed: CallFact = { kind: "sip.progressed", sdp: "early answer" };
const talk: readonly CallFact[] = [offered, accepted, answered, told("answer")];
const taken: readonly CallFact[] = [...annRings, answers(annsRoom, ann)];

interface Beginning {
  readonly first: Step;
  readonly facts: readonly CallFact[];
}

function from(first: Step, ...beginnings: readonly (readonly CallFact[])[]): readonly Beginning[] {
  return beginnings.map((one) => ({ first, facts: one }));
}

/** How far a walk has come before chance takes over: every phase, and the middle of every exchange. */
const outbound: readonly Beginning[] = [
  ...from(
    begin(),
    [],
    [offered],
    [offered, sent, { kind: "sip.ringing" }],
    [offered, accepted],
    [offered, accepted, answered],
    talk,
    [...talk, hold],
    [...talk, hold, offered],
    [...talk, ...held],
    [...talk, ...held, shown],
    [...talk, ...held, shown, { kind: "matrix.reanswered", sdp: "answer" }],
    [...talk, ...held, shown, { kind: "sip.offered", sdp: "sendrecv" }],
    [...talk, { kind: "sip.offered", sdp: "moved" }],
    [...talk, { kind: "sip.offered", sdp: "codec" }, reoffered],
    [...talk, { kind: "sip.offerWanted" }],
    [offered, sent, { kind: "matrix.hungUp", said: undefined }],
    [offered, accepted, answered, { kind: "bridge.stopped" }],
  ),
  ...from(
    begin({ ...history, alternatives }),
    [],
    [offered, sent],
    [offered, sent, outOfOrder],
    [offered, outOfOrder, released, offered],
  ),
  ...from(
    begin({ ...history, earlyMedia: "answer" }),
    [offered, sent, progressed],
    [offered, sent, progressed, answered],
    [offered, sent, progressed, answered, told("answer"), hold],
    [offered, sent, progressed, answered, accepted],
  ),
  ...from(begin(history), ...transferFacts.slice(0, 3).map((order) => talk.concat(order)), [
    ...talk,
    { kind: "sip.referred", target: identity.from, replaces: undefined, referredBy: undefined },
  ]),
];

const inbound: readonly Beginning[] = [
  ...from(arrive(), [], [offeredToRooms], annRings, taken, [...taken, answeredByClient], [...annRings, glare], [glare]),
  ...from(arrive(together), bothRing, [...bothRing, declines(annsRoom, ann)], [...bothRing, answers(bobsRoom, bob)]),
  ...from(
    arrive({ stages }),
    annRings,
    [...annRings, stageOver],
    [...annRings, stageOver, found(office, officeRoom), toldRinging(officeRoom), stageOver],
  ),
  ...from(
    arrive({ sdp: undefined, earlyProgress: true }),
    [],
    [described, ...annRings.slice(1)],
    [described, ...taken.slice(1), answeredByClient],
    [described, glare],
    [described, glare, { kind: "media.offered", from: "a", sdp: "o" }],
  ),
  ...from(
    arrive(together),
    [...bothRing, answers(annsRoom, ann), answeredByClient, { kind: "sip.offered", sdp: "codec" }, reoffered],
    ...transferFacts.slice(0, 3).map((order) => taken.concat(answeredByClient, order)),
  ),
];

export interface Seen {
  readonly before: Call;
  readonly fact: CallFact;
  readonly atMs: number;
  readonly orders: readonly CallOrder[];
  readonly after: Call;
}

export interface Walk {
  readonly first: Step;
  readonly call: Call;
  readonly seen: readonly Seen[];
  readonly orders: readonly CallOrder[];
}

/** Plays the facts, then ends the call as the world would: a hang-up, the caller giving up, the releases, the deadline. */
export function walk({ first, facts: sequence }: Beginning): Walk {
  let call = first.call;
  const seen: Seen[] = [];
  const orders = [...first.orders];
  const end: CallFact[] = [
    { kind: "matrix.hungUp", said: undefined },
    { kind: "sip.hungUp", q850: undefined },
    released,
    released,
    { kind: "deadline.passed", name: "ending" },
  ];
  let atMs = 2_000;
  for (const fact of [...sequence, ...end]) {
    const next = step(call, { ...fact, atMs });
    seen.push({ before: call, fact, atMs, orders: next.orders, after: next.call });
    orders.push(...next.orders);
    call = next.call;
    atMs += 10;
  }
  return { first, call, seen, orders };
}

function walksFrom(beginnings: readonly Beginning[], own: readonly CallFact[]): fc.Arbitrary<Beginning> {
  const likely = [...facts, ...own, ...own, ...transferFacts];
  const endsNothing = likely.filter(
    ({ kind }) =>
      !/selected|left|hungUp|rejected|failed|lost|timedOut|thrown|stopped|ended|cancelled|yielded|replaced/.test(kind),
  );
  return fc
    .tuple(
      fc.constantFrom(...beginnings),
      fc.array(fc.constantFrom(...endsNothing), { maxLength: 10 }),
      fc.array(fc.constantFrom(...likely), { maxLength: 15 }),
      fc.array(anyFact, { maxLength: 2 }),
    )
    .map(([{ first, facts: before }, ...rest]) => ({ first, facts: [...before, ...rest.flat()] }));
}

export const outboundWalks = walksFrom(outbound, outboundFacts);
export const inboundWalks = walksFrom(inbound, inboundFacts);
export const walks = fc.oneof(outboundWalks, inboundWalks);
