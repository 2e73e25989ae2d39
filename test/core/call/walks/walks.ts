// Walks: facts in random order, from every phase and from the middle of every exchange, to the end of the call.
import fc from "fast-check";
import { beginBridged } from "../../../../src/core/call/bridged/bridged.ts";
import type { Handover } from "../../../../src/core/call/model/bridged-call.ts";
import type { Call } from "../../../../src/core/call/model/call.ts";
import type { CallFact } from "../../../../src/core/call/model/fact.ts";
import type { CallOrder } from "../../../../src/core/call/model/order.ts";
import type { LegName } from "../../../../src/core/call/model/trunk-leg.ts";
import { step, type Step } from "../../../../src/core/call/step.ts";
import { pinName, trunkName } from "../../../../src/core/ids.ts";
import { beginPickingUp } from "../../../../src/core/call/inbound/picking-up.ts";
import * as joined from "../examples/bridged-examples.ts";
import { accepted, answered, begin, invite, offered, released, told, trunk } from "../examples/examples.ts";
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
  inboundRequest,
  offeredToRooms,
  office,
  officeRoom,
  stageOver,
  together,
  toldRinging,
} from "../examples/inbound-examples.ts";
import * as recalled from "../examples/recalled-examples.ts";
import {
  facts,
  outboundFacts,
  inboundFacts,
  bridgedFacts,
  recalledFacts,
  anyFact,
  identity,
  ends,
  transferFacts,
} from "./walk-facts.ts";

const history = { notices: { failures: true, history: true } } as const;
const alternatives = [{ ...trunk, name: trunkName("second") }] as const;
const stages = [
  { targets: [ann], ringMs: 20_000 },
  { targets: [ann, office], ringMs: 20_000 },
  { targets: [bob], ringMs: 20_000 },
];
const reoffered: CallFact = { ...offered, from: "b" };
const hold: CallFact = { kind: "matrix.offered", description: "hold" };
const held: readonly CallFact[] = [
  { kind: "sip.offered", description: "sendonly" },
  { kind: "media.settled", from: "b", description: "recvonly", untold: "sendonly" },
];
const described: CallFact = { kind: "media.described", end: "a", description: "client offer" };
const shown: CallFact = { ...described, untold: "sendonly" };
const sent: CallFact = { kind: "sip.sent", invite };
const outOfOrder: CallFact = { kind: "sip.failed", fault: "transport", message: "refused" };
const progressed: CallFact = { kind: "sip.progressed", description: "early answer" };
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
    [...talk, ...held, shown, { kind: "matrix.reanswered", description: "answer" }],
    [...talk, ...held, shown, { kind: "sip.offered", description: "sendrecv" }],
    [...talk, { kind: "sip.offered", description: "moved" }],
    [...talk, { kind: "sip.offered", description: "codec" }, reoffered],
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
    { kind: "sip.referred", target: identity.from, replaces: undefined },
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
    arrive({ description: undefined, earlyProgress: true }),
    [],
    [described, ...annRings.slice(1)],
    [described, ...taken.slice(1), answeredByClient],
    [described, glare],
    [described, glare, { kind: "media.offered", from: "a", description: "o" }],
  ),
  ...from(
    arrive(together),
    [...bothRing, answers(annsRoom, ann), answeredByClient, { kind: "sip.offered", description: "codec" }, reoffered],
    ...transferFacts.slice(0, 3).map((order) => taken.concat(answeredByClient, order)),
  ),
];

const keyed = (digit: string): CallFact => ({ kind: "media.dtmf", from: "b", digit, durationMs: 100, relayed: true });
const checked = (verdict: "right" | "wrong" | "barred"): CallFact => ({ kind: "pin.checked", verdict });
const keysOver: CallFact = { kind: "deadline.passed", name: "keys" };
const pickedUp: readonly CallFact[] = [
  { kind: "media.offered", from: "b", description: "tones" },
  { kind: "media.answered", from: "a", description: "trunk answer" },
];
const entered: readonly CallFact[] = [...pickedUp, ..."1234".split("").map(keyed)];
const letIn: readonly CallFact[] = [...entered, checked("right"), keysOver];
const pin = { name: pinName("inbound.numbers[0].pin"), length: 4 };

/** Calls that come with a PIN, with an offer and without. */
const screened: readonly Beginning[] = [
  ...from(
    beginPickingUp(inboundRequest, pin),
    [],
    pickedUp.slice(0, 1),
    pickedUp,
    entered,
    [...entered, checked("wrong")],
    [...entered, checked("barred")],
    [...entered, checked("right")],
    letIn,
    [...letIn, released, described, ...annRings.slice(1)],
    [...letIn, released, described, ...taken.slice(1), answeredByClient],
  ),
  ...from(
    beginPickingUp({ ...inboundRequest, description: undefined }, pin),
    [],
    [{ kind: "media.described", end: "b", description: "ours" }],
    [
      { kind: "media.described", end: "b", description: "ours" },
      { kind: "sip.reanswered", description: "in the ACK" },
      { kind: "media.answered", from: "b", description: "tones" },
    ],
  ),
];

const { on, described: describedB, legBAccepted, forLegA, legAAnswered } = joined;
const asked: CallFact = on("b", { kind: "sip.sent", invite });
const lost: CallFact = { kind: "media.lost" };

/** What two who talk do to their session, by who changes it. */
function changes(side: LegName): readonly (readonly CallFact[])[] {
  const other = side === "a" ? "b" : "a";
  const hold: readonly CallFact[] = [
    on(side, { kind: "sip.offered", description: "hold" }),
    { kind: "media.offered", from: side, description: "hold" },
    on(other, { kind: "sip.reanswered", description: "held" }),
  ];
  const wanted: readonly CallFact[] = [
    on(side, { kind: "sip.offerWanted" }),
    { kind: "media.described", end: side, description: "ours" },
    on(side, { kind: "sip.reanswered", description: "theirs" }),
  ];
  return [hold, wanted].flatMap((all) => all.map((_, index) => all.slice(0, index + 1)));
}

const toThird = (handover: Handover): Step => beginBridged(joined.bridged, handover, 1_000);

/** Blind: to a number that has to be called. Attended: to the far end of another call. */
const bridged: readonly Beginning[] = [
  ...from(
    toThird(joined.toNumber),
    [],
    [describedB],
    [describedB, asked],
    [describedB, asked, on("b", { kind: "sip.ringing" })],
    [describedB, legBAccepted],
    [describedB, legBAccepted, forLegA],
    [describedB, legBAccepted, forLegA, legAAnswered],
    joined.numberJoined,
    ...ends.flatMap(changes).map((change) => joined.numberJoined.concat(change)),
  ),
  ...from(
    toThird(joined.toLeg),
    [],
    ...joined.legJoined.map((_, index) => joined.legJoined.slice(0, index + 1)),
    ...joined.legJoined.map((_, index) => joined.legJoined.concat(lost, joined.legJoined.slice(0, index))),
  ),
];

const back: readonly CallFact[] = [recalled.described, told("invite"), recalled.answers];

/** A far end that comes back from a transfer that failed: its dialog is up before anybody rings. */
const recalls: readonly Beginning[] = from(
  recalled.comeBack(),
  [],
  [recalled.described],
  [recalled.described, told("invite")],
  back,
  [...back, answeredByClient],
  [...back, answeredByClient, { kind: "sip.reanswered", description: "far end's" }],
  [...back, answeredByClient, { kind: "sip.reanswered", description: "far end's" }, answered],
);

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
    hungUpBy(first.call),
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

function hungUpBy({ direction }: Call): CallFact {
  const hungUp = { kind: "sip.hungUp", q850: undefined } as const;
  return direction === "joined" ? on("a", hungUp) : hungUp;
}

/** What a fact says of which of the trunk's legs: one that names none is of the only one there is. */
export function reportOf(
  fact: CallFact,
  direction: Call["direction"],
): { readonly side: LegName; readonly report: CallFact } | undefined {
  if (fact.kind === "leg.reported") return fact;
  return direction === "joined" ? undefined : { side: "a", report: fact };
}

function kindOf(fact: CallFact): string {
  return fact.kind === "leg.reported" ? fact.report.kind : fact.kind;
}

function walksFrom(beginnings: readonly Beginning[], own: readonly CallFact[]): fc.Arbitrary<Beginning> {
  const likely = [...facts, ...own, ...own, ...transferFacts];
  const endsNothing = likely.filter(
    (fact) =>
      !/selected|left|hungUp|rejected|failed|lost|timedOut|thrown|stopped|ended|cancelled|yielded|replaced/.test(
        kindOf(fact),
      ),
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
export const screenedWalks = walksFrom(screened, inboundFacts);
export const bridgedWalks = walksFrom(bridged, bridgedFacts);
export const recalledWalks = walksFrom(recalls, recalledFacts);
export const walks = fc.oneof(outboundWalks, inboundWalks, screenedWalks, bridgedWalks, recalledWalks);
