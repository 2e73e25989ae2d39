// A telephone that holds and resumes, and a client whose answers are late, in whatever order things reach the call: each
// part here does one thing after the other, and chance says which part is next.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Call } from "../../../../src/core/call/model/call.ts";
import type { CallOrder } from "../../../../src/core/call/model/order.ts";
import type { CallFact } from "../../../../src/core/call/model/fact.ts";
import { step, type Step } from "../../../../src/core/call/step.ts";
import type { Description } from "../../../../src/core/sdp/description.ts";
import type { Direction } from "../../../../src/core/sdp/direction.ts";
import { answered, described, newExchange, offered, untold } from "../../../../src/core/sdp/exchange/exchange.ts";
import { shownToClient } from "../../../../src/core/sdp/exchange/hold.ts";
import type { Exchange, Refusal, Turn } from "../../../../src/core/sdp/exchange/turn.ts";
import { elementSdp, gatewaySdp, parsed } from "../../sdp/samples.ts";
import { connected } from "../examples/examples.ts";
import { talking } from "../examples/inbound-examples.ts";
import { sdpIn } from "../../../../src/core/media-description.ts";

const codecs = ["PCMU", "PCMA"];
const words = ["sendonly", "sendrecv", "inactive"] as const;
type Word = (typeof words)[number];

const said = new Map<string, Description>(
  words.flatMap((word) => [
    [`telephone ${word}`, parsed(gatewaySdp({ lines: [`a=${word}`] }))],
    // Element's answer to our offer.
    [`element ${word}`, parsed(elementSdp(`in-remote-hold-answer-${word}`))],
  ]),
);

function say(who: "telephone" | "element", word: string): Description {
  const description = said.get(`${who} ${word}`);
  if (description === undefined) throw new Error(`nobody says ${word}`);
  return description;
}

const next = { telephone: 0, engine: 1, outcome: 2, client: 3, answer: 4 } as const;
const moves = fc.array(fc.constantFrom(...Object.values(next)), { maxLength: 120 });

function settledTurn(turn: Turn | Refusal): Exchange {
  if (turn.kind === "refusal") throw new Error(turn.message);
  return turn.exchange;
}

/** A call between Element and a gateway. */
function atFirst(): Exchange {
  const fresh = newExchange({ a: { kind: "client", codecs }, b: { kind: "trunk", codecs } });
  const invited = settledTurn(offered(fresh, "a", parsed(elementSdp("out-invite"))));
  return settledTurn(answered(invited, "b", parsed(gatewaySdp())));
}

const talk = atFirst();

class World {
  call: Call;
  exchange = talk;
  /** What the telephone will offer, one after the other answer. */
  readonly #plan: Word[];
  #isTelephoneWaiting = false;
  /** Orders for the engine, its outcomes, our offers on the way to the client, its answers on the way back. */
  readonly #orders: CallOrder[] = [];
  readonly #outcomes: CallFact[] = [];
  readonly #offers: Word[] = [];
  readonly #answers: Word[] = [];
  /** What the telephone offered last and was answered, what it was answered, what the client was offered. */
  word: Direction = "sendrecv";
  readonly replies: string[] = [];
  readonly shown: Word[] = [];

  constructor(start: Step, plan: readonly Word[]) {
    this.call = start.call;
    this.#plan = [...plan];
  }

  /** False: that part has nothing to do. */
  move(part: number): boolean {
    switch (part) {
      case next.telephone: {
        if (this.#isTelephoneWaiting) return false;
        const word = this.#plan.shift();
        if (word === undefined) return false;
        this.#isTelephoneWaiting = true;
        this.word = word;
        this.#take({ kind: "sip.offered", description: word });
        return true;
      }
      case next.engine: {
        const order = this.#orders.shift();
        if (order !== undefined) this.#outcomes.push(this.#carryOut(order));
        return order !== undefined;
      }
      case next.outcome:
        return this.#deliver(this.#outcomes.shift());
      case next.client: {
        const offer = this.#offers.shift();
        if (offer !== undefined) this.#answers.push(offer);
        return offer !== undefined;
      }
      default: {
        const answer = this.#answers.shift();
        return this.#deliver(answer && { kind: "matrix.reanswered", description: answer });
      }
    }
  }

  /** All that is on its way arrives. */
  finish(): void {
    while (Object.values(next).some((part) => this.move(part))) continue;
  }

  #deliver(fact: CallFact | undefined): boolean {
    if (fact !== undefined) this.#take(fact);
    return fact !== undefined;
  }

  #take(fact: CallFact): void {
    const { call, orders } = step(this.call, { ...fact, atMs: 5_000 });
    this.call = call;
    for (const order of orders) {
      if (order.kind === "media.offer" || order.kind === "media.answer" || order.kind === "media.describe")
        this.#orders.push(order);
      if (order.kind === "sip.answerReoffer" || order.kind === "sip.refuseReoffer") {
        this.#isTelephoneWaiting = false;
        this.replies.push(order.kind === "sip.answerReoffer" ? sdpIn(order.description) : `${order.status}`);
      }
      if (order.kind === "matrix.signal" && order.signal.kind === "reoffer") {
        this.#offers.push(order.signal.description as Word);
        this.shown.push(order.signal.description as Word);
      }
    }
  }

  #carryOut(order: CallOrder): CallFact {
    const turn = this.#turnOf(order);
    if (turn.kind === "refusal") return { kind: "media.refused", from: "a", fault: turn.fault, message: "" };
    this.exchange = turn.exchange;
    const news = { description: "direction" in turn ? turn.direction : "", untold: untold(turn.exchange) };
    if (order.kind === "media.describe") return { kind: "media.described", end: "a", ...news };
    if (order.kind === "media.answer") return { kind: "media.answered", from: "a", ...news };
    return { kind: "media.settled", from: "b", ...news };
  }

  #turnOf(order: CallOrder): Turn | Refusal {
    switch (order.kind) {
      case "media.describe":
        return described(this.exchange, "a");
      case "media.offer":
        return offered(this.exchange, "b", say("telephone", sdpIn(order.description)));
      case "media.answer":
        return answered(this.exchange, "a", say("element", sdpIn(order.description)));
      default:
        throw new Error(order.kind);
    }
  }
}

const answerTo = { sendonly: "recvonly", sendrecv: "sendrecv", inactive: "inactive" } as const;
const runs = { numRuns: 400 };

test.each([
  ["called", connected()],
  ["was called", talking()],
] as const)(
  "a client that %s and never holds is never taken to hold, and knows in the end what the telephone does",
  (_who, start) => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...words), { maxLength: 8 }), moves, (plan, order) => {
        const world = new World(start, plan);
        for (const part of order) world.move(part);
        world.finish();
        expect(world.replies).toEqual(plan.map((word) => answerTo[word]));
        expect(world.exchange.agreed?.directions.a).toBe("sendrecv");
        expect(untold(world.exchange)).toBeUndefined();
        expect(world.call).toMatchObject({ phase: { kind: "connected", renegotiation: { by: "nobody" } } });
        if (world.shown.length > 0 || world.word !== "sendrecv")
          expect(world.shown.at(-1)).toBe(shownToClient(world.word));
      }),
      runs,
    );
  },
);

test("a hold is shown however soon it ends", () => {
  const start = connected();
  fc.assert(
    fc.property(moves, (order) => {
      const world = new World(start, ["sendonly", "sendrecv"]);
      for (const part of order) world.move(part);
      world.finish();
      expect(world.shown).toEqual(["sendonly", "sendrecv"]);
    }),
    runs,
  );
});
