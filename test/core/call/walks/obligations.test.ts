// What a call keeps track of, over random walks: deadlines, the offers it has been made, and what its record says.
import fc from "fast-check";
import { expect, test } from "vitest";
import { isIn, isLive, type Call, type Connected, type Phase } from "../../../../src/core/call/model/call.ts";
import type { DeadlineName } from "../../../../src/core/call/model/fact.ts";
import type { CallOrder } from "../../../../src/core/call/model/order.ts";
import { addressOf, trunkLegsOf } from "../../../../src/core/call/model/queries.ts";
import type { LegName } from "../../../../src/core/call/model/trunk-leg.ts";
import { dialog, invite } from "../examples/examples.ts";
import { inboundWalks, outboundWalks, reportOf, walk, walks, type Seen } from "./walks.ts";
import type { MediaDescription } from "../../../../src/core/media-description.ts";

const runs = { numRuns: 2_000 };

/** The deadlines that have to be running. */
function deadlinesOf({ phase }: Call): readonly DeadlineName[] {
  switch (phase.kind) {
    case "offering":
    case "inviting":
    case "early":
    case "answering":
    case "picking-up":
    case "arriving":
    case "accepting":
      return ["answer"];
    case "keying":
      return phase.awaiting === "keys" || phase.awaiting === "verdict" ? ["answer", "keys"] : ["keys"];
    case "alerting":
      return phase.ringingAtMs === undefined && phase.trunk.state === "incoming" ? ["answer", "stage"] : ["stage"];
    case "connected":
      return [
        ...(phase.hearing === "awaited" ? (["audio"] as const) : []),
        "duration",
        ...(mayBeAnswered(phase) ? (["renegotiation"] as const) : []),
      ];
    case "transferring":
      return phase.awaiting === "plan" ? ["duration"] : ["duration", "transfer"];
    case "joining":
      return ["answer", "duration"];
    case "joined":
      return ["duration"];
    case "ending":
      return ["ending"];
    default:
      return [];
  }
}

test("in every phase its own deadlines run, and no others", () => {
  fc.assert(
    fc.property(walks, (one) => {
      const running = new Set<DeadlineName>();
      const follow = (orders: ReturnType<typeof walk>["orders"]): void => {
        for (const order of orders) {
          if (order.kind === "deadline.set") running.add(order.name);
          if (order.kind === "deadline.clear") running.delete(order.name);
        }
      };
      follow(one.first.orders);
      for (const { before, fact, orders, after } of walk(one).seen) {
        // One that does not run cannot pass: it must not do anything.
        const isStray = fact.kind === "deadline.passed" && !running.has(fact.name);
        if (isStray) expect([after, orders.map(({ kind }) => kind)]).toEqual([before, ["note.ignored"]]);
        else if (fact.kind === "deadline.passed") running.delete(fact.name);
        follow(orders);
        expect([...running].toSorted()).toEqual(deadlinesOf(after));
      }
    }),
    runs,
  );
});

function holdsOffer(call: Call): boolean {
  return call.held !== undefined;
}

/** Whether the client may still answer an offer of ours. */
function mayBeAnswered({ renegotiation, unshown }: Connected): boolean {
  const { by } = renegotiation;
  return unshown.isOvertaken || ((by === "trunk" || by === "hold") && renegotiation.awaiting === "person");
}

/** Whether that leg of the trunk's waits for a final response to a re-INVITE. */
function owesAnAnswer(call: Call, side: LegName): boolean {
  const { phase } = call;
  if (phase.kind === "joining" || phase.kind === "joined") {
    if (call.held?.side === side) return true;
    if (phase.kind === "joining" || phase.renegotiation.by !== side) return false;
    return ["media", "other", "media-answer", "description"].includes(phase.renegotiation.awaiting);
  }
  if (phase.kind === "transferring") return phase.offered;
  if (holdsOffer(call)) return true;
  if (phase.kind !== "connected") return false;
  const { renegotiation } = phase;
  return renegotiation.by === "trunk" || (renegotiation.by === "trunk-empty" && renegotiation.awaiting === "media");
}

const hasDialog: readonly Phase["kind"][] = [
  "answering",
  "picking-up",
  "keying",
  "arriving",
  "alerting",
  "accepting",
  "connected",
  "transferring",
  "joining",
  "joined",
];

/** A second offer comes only where the trunk has taken the first back: it stands in its place. */
function isAnother(before: Call, after: Call, side: LegName): boolean {
  return holdsOffer(before) && holdsOffer(after) && (before.held?.side ?? "a") === side;
}

/** Each of the trunk's legs that a walk has, of which a call on its own has one. */
function sidesOf({ direction }: Call): readonly LegName[] {
  return direction === "joined" ? ["a", "b"] : ["a"];
}

/** What a step brings of one leg: what it says, where it is in a dialog that takes it, and how much it is told. */
function onLeg({ before, fact, orders }: Seen, side: LegName) {
  const legs = trunkLegsOf(before);
  const leg = legs[side === "a" ? 0 : 1];
  const said = reportOf(fact, before.direction);
  const takes = hasDialog.includes(before.phase.kind) && leg?.state !== "unsent" && leg?.state !== "inviting";
  const told = orders.flatMap((order) => {
    if (order.kind !== "leg.order") return [order.kind];
    return order.call === leg?.id ? [order.order.kind] : [];
  });
  return {
    report: takes && said?.side === side ? said.report : undefined,
    told: (...kinds: readonly CallOrder["kind"][]): number => told.filter((kind) => kinds.includes(kind)).length,
  };
}

test("every offer of the trunk's is answered or refused once, unless the call ends", () => {
  fc.assert(
    fc.property(walks, (one) => {
      const { seen } = walk(one);
      for (const side of sidesOf(one.first.call)) {
        let open = 0;
        for (const each of seen) {
          const { before, orders, after } = each;
          const { report, told } = onLeg(each, side);
          const isAsked = report?.kind === "sip.offered" || report?.kind === "sip.offerWanted";
          if (isAsked && !isAnother(before, after, side)) open += 1;
          open -= told("sip.answerReoffer", "sip.refuseReoffer");
          // The leg of the trunk that ended with it waits for nothing; the one that was handed on must not either.
          const isHandedOn = orders.some(({ kind }) => kind === "transfer.join" || kind === "transfer.recall");
          if (after.phase.kind === "ending" && (!isHandedOn || side === "b")) break;
          expect([side, open]).toEqual([side, owesAnAnswer(after, side) ? 1 : 0]);
        }
      }
    }),
    runs,
  );
});

test("every REFER of the trunk's is answered: followed or refused, unless the call ends", () => {
  fc.assert(
    fc.property(walks, (one) => {
      const { seen } = walk(one);
      for (const side of sidesOf(one.first.call)) {
        let open = 0;
        for (const each of seen) {
          const { after } = each;
          const { report, told } = onLeg(each, side);
          if (report?.kind === "sip.referred") open += 1;
          open -= told("sip.replace", "sip.refuseRefer");
          if (after.phase.kind === "ending") break;
          const isDeciding =
            after.phase.kind === "connected" &&
            after.phase.renegotiation.by === "referral" &&
            (after.phase.renegotiation.awaiting === "plan" || after.phase.renegotiation.awaiting === "offer");
          expect([side, open]).toEqual([side, isDeciding ? 1 : 0]);
        }
      }
    }),
    runs,
  );
});

test("an offer of the client's has its turn, the last one where there are several", () => {
  fc.assert(
    fc.property(walks, (one) => {
      let waiting: MediaDescription | undefined;
      let count = 0;
      const facts = one.facts.map((fact) =>
        fact.kind === "matrix.offered" ? { ...fact, description: `offer ${(count += 1)}` } : fact,
      );
      for (const { before, fact, orders, after } of walk({ ...one, facts }).seen) {
        const isHeard = !orders.some(({ kind }) => kind === "note.ignored");
        const takesOffers = before.phase.kind === "connected" || before.phase.kind === "early";
        if (takesOffers && fact.kind === "matrix.offered" && isHeard) waiting = fact.description;
        const taken = orders.find((order) => order.kind === "media.offer" && order.from === "a");
        if (taken?.kind === "media.offer" && takesOffers) {
          expect(taken.description).toBe(waiting);
          waiting = undefined;
        }
        // A client that was called takes its offer back when it gets ours; one that called would not heed ours.
        if (orders.some((order) => order.kind === "matrix.signal" && order.signal.kind === "reoffer")) {
          if (before.phase.kind === "connected" && before.phase.inviter === "person") expect(waiting).toBeUndefined();
          waiting = undefined;
        }
        if (after.phase.kind === "early") expect(after.phase.queued).toBe(waiting);
        if (after.phase.kind !== "connected") continue;
        const { renegotiation } = after.phase;
        expect(renegotiation.by === "nobody" ? undefined : renegotiation.queued).toBe(waiting);
      }
    }),
    runs,
  );
});

test("what is saved of the dialog is the newest there is", () => {
  fc.assert(
    fc.property(walks, (one) => {
      const { seen } = walk(one);
      for (const [index, side] of sidesOf(one.first.call).entries()) {
        const first = trunkLegsOf(one.first.call)[index];
        let newest: unknown = first?.state === "incoming" || first?.state === "confirmed" ? first.dialog : undefined;
        for (const each of seen) {
          const { fact, orders, after } = each;
          const said = reportOf(fact, after.direction);
          const isHeard = said?.side === side && !orders.some(({ kind }) => kind === "note.ignored");
          if (isHeard && (said.report.kind === "sip.accepted" || said.report.kind === "sip.replaced"))
            newest = said.report.dialog;
          const { report } = onLeg(each, side);
          if (report?.kind === "sip.dialogChanged") newest = report.dialog;
          const leg = isLive(after) ? trunkLegsOf(after)[index] : undefined;
          if (leg?.state === "incoming" || leg?.state === "confirmed") expect(leg.dialog).toEqual(newest);
        }
      }
    }),
    runs,
  );
});

test("a room keeps its address from when it is found until the call is over", () => {
  fc.assert(
    fc.property(inboundWalks, (one) => {
      let known = addressOf(one.first.call);
      for (const { before, after } of walk(one).seen) {
        if (after.phase.kind === "ended") {
          expect([after.phase.record.room, after.phase.record.matrixCallId]).toEqual([
            known?.room,
            known?.matrixCallId,
          ]);
          return;
        }
        const address = addressOf(after);
        // A call that is transferred has a new one.
        if (before.phase.kind === "transferring" && after.phase.kind === "arriving") known = undefined;
        if (known !== undefined) expect(address).toBeDefined();
        known = address;
      }
    }),
    runs,
  );
});

/** From here on it is whom the call was transferred to that rings. */
function isForwarding({ before, after }: Seen): boolean {
  return before.phase.kind === "transferring" && after.phase.kind === "arriving";
}

test("the record of a call to the telephone tells what happened, and when", () => {
  fc.assert(
    fc.property(outboundWalks, (one) => {
      const { call, seen } = walk(one);
      if (call.phase.kind !== "ended") throw new Error("the walk did not end");
      const end = seen.find(({ before, after }) => before.phase.kind !== "ending" && after.phase.kind === "ending");
      const timeOf = (found: (each: (typeof seen)[number]) => boolean): number | undefined => seen.find(found)?.atMs;
      const isAsking = (one: Call): boolean => isIn(one, "inviting", "early");
      // Of a trunk that was given up nothing is left.
      let sipCallId: string | undefined;
      for (const { before, fact, orders } of seen) {
        if (orders.some(({ kind }) => kind === "media.offer") && isAsking(before)) sipCallId = undefined;
        const isHeard = !orders.some(({ kind }) => kind === "note.ignored");
        const isSent = fact.kind === "sip.sent" && isHeard;
        const isAccepted = fact.kind === "sip.accepted" && isHeard;
        if (isSent || isAccepted) sipCallId = invite.sipCallId;
      }
      expect(call.phase.record).toMatchObject({
        startedAtMs: 1_000,
        endedAtMs: end?.atMs,
        answeredAtMs: timeOf(({ before, fact }) => isAsking(before) && fact.kind === "sip.accepted"),
        ...(seen.some(isForwarding)
          ? {}
          : { ringingAtMs: timeOf(({ before, fact }) => isAsking(before) && fact.kind === "sip.ringing") }),
        sipStatus: end?.fact.kind === "sip.rejected" ? end.fact.status : undefined,
        sipCallId,
      });
    }),
    runs,
  );
});

test("the record of a call from the telephone tells what the caller heard, and when", () => {
  fc.assert(
    fc.property(inboundWalks, (one) => {
      const { call, seen } = walk(one);
      if (call.phase.kind !== "ended") throw new Error("the walk did not end");
      const orderedAtMs = (kind: string): number | undefined =>
        seen.find(({ orders }) => orders.some((order) => order.kind === kind))?.atMs;
      const end = seen.find(({ before, after }) => before.phase.kind !== "ending" && after.phase.kind === "ending");
      const rejected = end?.orders.find((order) => order.kind === "sip.reject");
      const isOver = rejected === undefined && orderedAtMs("sip.accept") === undefined;
      expect(call.phase.record).toMatchObject({
        direction: "inbound",
        number: "+15558675309",
        called: "+441818118181",
        endedAtMs: end?.atMs,
        ...(seen.some(isForwarding) ? {} : { ringingAtMs: orderedAtMs("sip.ring") }),
        answeredAtMs: orderedAtMs("sip.accept"),
        sipStatus: rejected?.kind === "sip.reject" ? rejected.status : isOver ? 487 : undefined,
        sipCallId: dialog.sipCallId,
      });
    }),
    runs,
  );
});
