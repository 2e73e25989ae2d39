// Whatever comes in, in whatever order: nothing throws, everybody gets exactly what is owed, and the end is the end.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { CallOrder, SipOrder } from "../../../../src/core/call/model/order.ts";
import type { TrunkLeg } from "../../../../src/core/call/model/trunk-leg.ts";
import type { SipFact } from "../../../../src/core/call/model/fact.ts";
import { isIn, isLive, type Call } from "../../../../src/core/call/model/call.ts";
import { step } from "../../../../src/core/call/step.ts";
import type { MatrixCallId, RoomId } from "../../../../src/core/ids.ts";
import { legOf, trunkLegsOf } from "../../../../src/core/call/model/queries.ts";
import { afterRestart, request } from "../examples/examples.ts";
import { heardIn, inboundRequest } from "../examples/inbound-examples.ts";
import { ids as recallIds } from "../examples/recalled-examples.ts";
import { on } from "../examples/bridged-examples.ts";
import { anyFact, forwardedCallId } from "./walk-facts.ts";
import {
  bridgedWalks,
  inboundWalks,
  outboundWalks,
  recalledWalks,
  walk,
  walks,
  type Seen,
  type Walk,
} from "./walks.ts";

const runs = { numRuns: 3_000 };

const count = (orders: readonly CallOrder[], kind: CallOrder["kind"]): number =>
  orders.filter((order) => order.kind === kind).length;

const times = (seen: readonly Seen[], found: (one: Seen) => boolean): number => seen.filter(found).length;

test("every walk ends, and is written into the history once", () => {
  fc.assert(
    fc.property(walks, (one) => {
      const { call, orders } = walk(one);
      expect(call.phase.kind).toBe("ended");
      expect(count(orders, "history.write")).toBe(1);
    }),
    runs,
  );
});

test("every media session gets one release, also where a call has several, one after the other", () => {
  fc.assert(
    fc.property(walks, (one) => {
      let isOpen = false;
      for (const { kind } of walk(one).orders) {
        if (kind === "media.offer" || kind === "media.describe") isOpen = true;
        if (kind !== "media.release") continue;
        expect(isOpen).toBe(true);
        isOpen = false;
      }
      expect(isOpen).toBe(false);
    }),
    runs,
  );
});

/** What is ordered; of a bridged call, what one of its legs is. */
function kindOf(order: CallOrder): CallOrder["kind"] {
  return order.kind === "leg.order" ? order.order.kind : order.kind;
}

/** The trunk's leg went to another call: it is owed nothing by this one. */
function partedOtherwise({ orders, seen }: Walk): number {
  const taken = times(
    seen,
    ({ before, fact }) => before.phase.kind === "transferring" && fact.kind === "transfer.taken",
  );
  return count(orders, "transfer.join") + count(orders, "transfer.recall") + taken;
}

/** The trunk's leg has been answered, whoever has it now. */
function isTalking(call: Call): boolean {
  return isLive(call) && trunkLegsOf(call)[0]?.state === "confirmed";
}

test("every INVITE of ours gets exactly one CANCEL, BYE or final response", () => {
  fc.assert(
    fc.property(outboundWalks, (one) => {
      const played = walk(one);
      const { seen, orders } = played;
      const cancels = count(orders, "sip.cancel");
      const byes = count(orders, "sip.bye");
      // A final response counts while one is awaited, a BYE of the trunk's where there is a dialog.
      const finals = times(
        seen,
        ({ before, fact }) =>
          ((before.phase.kind === "inviting" || before.phase.kind === "early") &&
            (fact.kind === "sip.rejected" || fact.kind === "sip.failed")) ||
          (isTalking(before) && fact.kind === "sip.hungUp"),
      );
      // The 200 that crosses our CANCEL makes a dialog that is owed a BYE too.
      const crossed = times(
        seen,
        ({ before, fact, orders }) =>
          before.phase.kind === "ending" && fact.kind === "sip.accepted" && count(orders, "sip.bye") === 1,
      );
      const ends = cancels + byes + finals + partedOtherwise(played) - crossed;
      expect(ends).toBe(count(orders, "sip.invite"));
    }),
    runs,
  );
});

test("every INVITE that we get has exactly one final response, and an accepted one is ended once", () => {
  fc.assert(
    fc.property(inboundWalks, (one) => {
      const played = walk(one);
      const { seen, orders } = played;
      const isUnanswered = (call: Call): boolean => isLive(call) && trunkLegsOf(call)[0]?.state === "incoming";
      let accepted = 0;
      let byCaller = 0;
      let ends = 0;
      for (const { before, fact, orders } of seen) {
        if (isUnanswered(before) && (fact.kind === "sip.cancelled" || fact.kind === "sip.hungUp")) byCaller += 1;
        else if (isTalking(before) && fact.kind === "sip.hungUp") ends += 1;
        accepted += count(orders, "sip.accept");
      }
      expect(accepted + byCaller + count(orders, "sip.reject")).toBe(1);
      expect(ends + count(orders, "sip.bye") + partedOtherwise(played)).toBe(accepted);
      expect(
        count(orders, "sip.ring") - (one.first.orders.some(({ kind }) => kind === "sip.ring") ? 1 : 0),
      ).toBeLessThanOrEqual(1);
    }),
    runs,
  );
});

test("each leg of a bridged call is ended exactly once, or goes back to whoever handed it over", () => {
  fc.assert(
    fc.property(bridgedWalks, (one) => {
      const { seen, orders } = walk(one);
      for (const [index, leg] of trunkLegsOf(one.first.call).entries()) {
        const side = index === 0 ? "a" : "b";
        const told = (all: readonly CallOrder[], kind: SipOrder["kind"]): number =>
          all.filter((order) => order.kind === "leg.order" && order.call === leg.id && order.order.kind === kind)
            .length;
        const heard = (phase: "live" | "ending", state: TrunkLeg["state"], kinds: readonly SipFact["kind"][]) =>
          seen.filter(
            ({ before, fact }) =>
              (phase === "live" ? isLive(before) : before.phase.kind === phase) &&
              trunkLegsOf(before)[index]?.state === state &&
              fact.kind === "leg.reported" &&
              fact.side === side &&
              kinds.includes(fact.report.kind),
          );
        const begun = leg.state === "confirmed" ? 1 : told(orders, "sip.invite");
        const byThem =
          heard("live", "inviting", ["sip.rejected", "sip.failed"]).length +
          heard("live", "confirmed", ["sip.hungUp"]).length;
        // The 200 that crosses our CANCEL makes a dialog that is owed a BYE too.
        const crossed = heard("ending", "inviting", ["sip.accepted"]);
        for (const { orders: brought } of crossed) expect(told(brought, "sip.bye")).toBe(1);
        const goesBack = side === "a" ? count(orders, "transfer.recall") : 0;
        const ends = told(orders, "sip.cancel") + told(orders, "sip.bye") + byThem + goesBack - crossed.length;
        expect([side, ends]).toEqual([side, begun]);
      }
    }),
    runs,
  );
});

test("a leg of a bridged call is told nothing before it is called, and nothing after it has ended", () => {
  fc.assert(
    fc.property(bridgedWalks, (one) => {
      for (const { before, orders } of walk(one).seen) {
        for (const order of orders) {
          if (order.kind !== "leg.order") continue;
          const state = trunkLegsOf(before).find(({ id }) => id === order.call)?.state ?? "none";
          const takes = order.order.kind === "sip.invite" ? ["unsent"] : ["inviting", "confirmed"];
          expect(takes).toContain(state);
        }
      }
    }),
    runs,
  );
});

test("a far end that comes back is ended exactly once, or goes to another call", () => {
  fc.assert(
    fc.property(recalledWalks, (one) => {
      const played = walk(one);
      const { seen, orders } = played;
      const byThem = times(seen, ({ before, fact }) => isTalking(before) && fact.kind === "sip.hungUp");
      expect(byThem + count(orders, "sip.bye") + partedOtherwise(played)).toBe(1);
      expect(
        ["sip.accept", "sip.reject", "sip.cancel"].filter((kind) => orders.some((one) => one.kind === kind)),
      ).toEqual([]);
    }),
    runs,
  );
});

test("every room that is invited is told once how it ends, unless somebody there ended it", () => {
  fc.assert(
    fc.property(inboundWalks, (one) => {
      const { seen, orders } = walk(one);
      const ours = orders.flatMap((order) =>
        order.kind === "matrix.signal" && order.leg.matrixCallId === inboundRequest.ring.matrixCallId ? [order] : [],
      );
      const invited = ours.flatMap(({ leg, signal }) => (signal.kind === "invite" ? [leg.room] : []));
      expect(new Set(invited).size).toBe(invited.length);
      for (const room of invited) {
        const hangups = ours.filter(({ leg, signal }) => leg.room === room && signal.kind === "hangup").length;
        const declined = times(seen, (one) => isDecline(one, room));
        // Whoever took the call may have ended it by themselves.
        const selfEnded = times(
          seen,
          ({ before, fact, after }) =>
            roomOf(before) === room &&
            before.phase.kind !== "transferring" &&
            before.phase.kind !== "ending" &&
            after.phase.kind === "ending" &&
            /matrix.(hungUp|left)/.test(fact.kind),
        );
        expect(hangups + declined + selfEnded).toBe(1);
      }
      const told = ours.flatMap(({ leg, signal }) =>
        signal.kind === "hangup" || signal.kind === "select" ? [leg.room] : [],
      );
      for (const room of told) expect(invited).toContain(room);
    }),
    runs,
  );
});

/** The room of whoever took an inbound call as one that we made to them. */
function roomOf(call: Call): RoomId | undefined {
  const leg = legOf(call);
  return leg?.matrixCallId === inboundRequest.ring.matrixCallId ? leg.room : undefined;
}

/** The person whose room it is refuses, which ends the ringing in it. */
function isDecline({ before, fact }: Seen, room: RoomId): boolean {
  if (!isIn(before, "alerting") || before.phase.ring.matrixCallId !== inboundRequest.ring.matrixCallId) return false;
  if (fact.kind !== "matrix.declined" || fact.room !== room || fact.said === "no-answer") return false;
  const leg = before.phase.legs.find((one) => one.room === room);
  const isRinging = leg?.state === "inviting" || leg?.state === "ringing";
  return isRinging && leg.target.kind === "person" && leg.target.person === fact.person;
}

test("a caller is told of the end exactly once, unless they ended it; if the answer got lost, in both ways", () => {
  fc.assert(
    fc.property(outboundWalks, (one) => {
      const { seen, orders } = walk(one);
      const farewells = orders.filter(
        (order) =>
          order.kind === "matrix.signal" &&
          order.leg.matrixCallId === request.leg.matrixCallId &&
          (order.signal.kind === "reject" || order.signal.kind === "hangup"),
      ).length;
      const ending = seen.find(({ before, after }) => before.phase.kind !== "ending" && after.phase.kind === "ending");
      const isHandedOver = seen.some(({ after }) => after.phase.kind === "transferring");
      const byPerson =
        ending !== undefined &&
        ["matrix.hungUp", "matrix.left", "matrix.selected", "call.yielded"].includes(ending.fact.kind);
      if (isHandedOver) expect(farewells).toBe(1);
      else expect(farewells).toBe(byPerson ? 0 : ending?.fact.kind === "matrix.unreachable" ? 2 : 1);
    }),
    runs,
  );
});

/** Said while the call goes on. */
function isInMidCall(line: string): boolean {
  return /^(You are now|You have been put|The call goes on)|since the call was answered 10 seconds ago\.$/.test(line);
}

test("a call leaves one line in a room at most", () => {
  fc.assert(
    fc.property(walks, (one) => {
      const { seen, orders } = walk(one);
      const rooms = new Set(orders.flatMap((order) => (order.kind === "matrix.notice" ? [order.leg.room] : [])));
      for (const room of rooms) {
        const lines = heardIn(room, orders).filter((line) => line.endsWith(".") && !isInMidCall(line));
        // To call back at once what one has declined is a call of one's own.
        const calledBack =
          times(seen, (each) => isDecline(each, room)) === 1 &&
          seen.some(({ before, fact }) => before.phase.kind === "alerting" && fact.kind === "matrix.glareDetected");
        // So it is to be transferred to whom it has rung before; and who did that reads too if nobody took it.
        const forwarded = times(
          seen,
          ({ before, after }) => before.phase.kind === "transferring" && after.phase.kind === "arriving",
        );
        expect(lines.length).toBeLessThanOrEqual((calledBack ? 2 : 1) + 2 * forwarded);
      }
    }),
    runs,
  );
});

test("a call that was talked leaves a line only if it ended otherwise than by hanging up", () => {
  fc.assert(
    fc.property(walks, (one) => {
      const { call, orders } = walk(one);
      if (call.phase.kind !== "ended" || call.phase.record.leg === undefined) return;
      const { leg, cause } = call.phase.record;
      if (cause !== "caller-hung-up" && cause !== "callee-hung-up") return;
      const lines = heardIn(leg.room, orders).filter((line) => line.endsWith("."));
      const ofTheEnd = lines.filter((line) => !isInMidCall(line) && !/transfer/i.test(line));
      expect(ofTheEnd).toEqual([]);
    }),
    runs,
  );
});

test("nothing is ordered after the end", () => {
  fc.assert(
    fc.property(walks, anyFact, (one, late) => {
      const { call } = walk(one);
      const after = step(call, { ...late, atMs: 1e9 });
      expect(after.call).toBe(call);
      expect(after.orders.map((order) => order.kind)).toEqual(["note.ignored"]);
    }),
  );
});

test("while a call ends, nothing but its end is ordered", () => {
  fc.assert(
    fc.property(walks, (one) => {
      for (const { before, orders } of walk(one).seen) {
        if (before.phase.kind !== "ending") continue;
        for (const order of orders)
          expect(["sip.bye", "history.write", "deadline.clear", "note.ignored"]).toContain(kindOf(order));
      }
    }),
  );
});

/** Of invites of ours. */
const ownCallIds: readonly MatrixCallId[] = [
  inboundRequest.ring.matrixCallId,
  forwardedCallId,
  recallIds.ring.matrixCallId,
];

test("a call of the client's own is answered once, and never after a refusal", () => {
  fc.assert(
    fc.property(walks, (one) => {
      const signals = walk(one).orders.flatMap((order) =>
        order.kind === "matrix.signal" && !ownCallIds.includes(order.leg.matrixCallId) ? [order.signal.kind] : [],
      );
      expect(signals.filter((kind) => kind === "answer").length).toBeLessThanOrEqual(1);
      const refused = signals.indexOf("reject");
      // Only together with a hang-up, where nobody knows whether the answer arrived.
      if (refused >= 0 && signals[refused + 1] !== "hangup") expect(signals).not.toContain("answer");
      const hungUp = signals.indexOf("hangup");
      if (hungUp >= 0) expect(signals.indexOf("answer")).toBeLessThan(hungUp);
    }),
  );
});

/** What the trunk has to be told first when the process is a new one. */
function firstOrders(call: Call): readonly string[] {
  return trunkLegsOf(call).flatMap((leg) => {
    switch (leg.state) {
      case "incoming":
        return ["sip.dismiss"];
      case "confirmed":
        return ["sip.resume", "sip.bye"];
      case "inviting":
        return leg.invite === undefined ? [] : ["sip.abandon"];
      default:
        return [];
    }
  });
}

test("a restart at any moment leaves all sides told and nothing open", () => {
  fc.assert(
    fc.property(walks, ({ first, facts }) => {
      let { call } = first;
      for (const fact of facts) call = step(call, { ...fact, atMs: 5_000 }).call;
      const recovered = afterRestart(call, 9_000);
      const orders = recovered.orders.map(kindOf);
      expect(orders.filter((kind) => kind.startsWith("sip."))).toEqual(firstOrders(call));
      expect(orders).not.toContain("media.release");
      let current = recovered.call;
      if (current.phase.kind === "ending") {
        for (const { leg } of current.phase.rooms) {
          expect(heardIn(leg.room, recovered.orders).length).toBeGreaterThan(0);
        }
        for (const { leg } of current.phase.rooms) {
          const told = { kind: "matrix.told", signal: "hangup", room: leg.room, atMs: 9_400 } as const;
          current = step(current, told).call;
        }
      }
      current = step(current, { kind: "sip.ended", atMs: 9_500 }).call;
      if (call.direction === "joined") current = step(current, { ...on("b", { kind: "sip.ended" }), atMs: 9_500 }).call;
      const lost = current.phase.kind === "ending" && current.phase.rooms.some(({ state }) => state === "lost");
      if (!lost) expect(current.phase.kind).toBe("ended");
      expect(step(current, { kind: "deadline.passed", name: "ending", atMs: 60_000 }).call.phase.kind).toBe("ended");
    }),
    runs,
  );
});
