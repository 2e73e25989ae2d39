// Test calls: what may be dialled, how often, and the last few. The gate and the limits of everybody's calls hold for them, and
// what is barred for everybody is barred here.
import { describeCause, type Cause } from "../../core/call/model/cause.ts";
import type { SipFact } from "../../core/call/model/fact.ts";
import { callId, type CallId, type TrunkName, type UserId } from "../../core/ids.ts";
import { callerIdentity, type IdentityTemplates } from "../../core/policy/caller-identity.ts";
import type { DialledExplanation } from "../../core/policy/number-explanation.ts";
import type {
  TestCall,
  TestCallOrder,
  TestCallPlaced,
  TestCalls as TestCallsDoor,
} from "../../ports/admin/test-call.ts";
import { MediaError, type TrunkMedia } from "../../ports/media.ts";
import type { CallGate } from "../admission/call-gate.ts";
import type { Spending } from "../spending/spending.ts";
import { RateLimit } from "../limits/rate-limit.ts";
import { DiallingTestCall, type DiallingParts } from "./test-call.ts";

export interface TestCallsParts extends Pick<DiallingParts, "sip" | "media" | "clock" | "log"> {
  /** As somebody who may call, and has no permissions of their own, would dial it. */
  readonly explain: (text: string, trunk: TrunkName | undefined) => DialledExplanation;
  readonly isTrunk: (trunk: TrunkName) => boolean;
  readonly identities: (trunk: TrunkName) => IdentityTemplates;
  readonly trunkMedia: (trunk: TrunkName) => TrunkMedia;
  /** In whose name it is. */
  readonly bot: UserId;
  readonly gate: Pick<CallGate, "closed" | "isPaused">;
  /** A test call costs as any call. */
  readonly spending: Pick<Spending, "begin" | "answered" | "gone">;
  readonly callsInAll: () => { readonly limit: number; readonly used: number };
  readonly shownNumber: (number: string) => string;
}

/** An admin looks at each. */
const perMinute = 4;
const remembered = 20;

export class TestCalls implements TestCallsDoor {
  readonly #parts: TestCallsParts;
  readonly #limit: RateLimit;
  /** The oldest first. */
  readonly #calls = new Map<CallId, DiallingTestCall>();
  #isPlacing = false;

  constructor(parts: TestCallsParts) {
    this.#parts = parts;
    this.#limit = new RateLimit(perMinute, parts.clock);
  }

  async place(order: TestCallOrder): Promise<TestCallPlaced> {
    if (this.#isPlacing || this.#running.length > 0)
      return { kind: "refused", why: "one-at-a-time", words: "Another test call is under way." };
    this.#isPlacing = true;
    try {
      return await this.#place(order);
    } finally {
      this.#isPlacing = false;
    }
  }

  async #place({ number, trunk, talkMs }: TestCallOrder): Promise<TestCallPlaced> {
    const { explain, isTrunk, gate, callsInAll, clock, log } = this.#parts;
    if (gate.closed !== undefined) return refused(gate.closed);
    if (trunk !== undefined && !isTrunk(trunk))
      return { kind: "refused", why: "no-such-trunk", words: `There is no trunk ${trunk}.` };
    const found = explain(number, trunk);
    if (found.kind === "not-dialable")
      return { kind: "refused", why: "not-dialable", words: "This is no number that can be dialled." };
    // Whoever answers there has to help somebody else meanwhile.
    if (found.classes.includes("emergency")) return refused("emergency");
    if (found.verdict.kind === "refused") return refused(found.verdict.cause);
    const [way] = found.trunks;
    if (way === undefined) return refused("no-route");
    if (gate.isPaused(way.trunk)) return refused("trunk-paused");
    const { limit, used } = callsInAll();
    if (used >= limit) return refused("too-many-calls");
    if (!this.#limit.allows("admins")) return refused("too-often");
    const { sip, media, identities, trunkMedia, bot, shownNumber, spending } = this.#parts;
    const id = callId(`t-${clock.newId()}`);
    if (found.planned.kind === "refused") return refused(found.planned.why);
    const charge = { person: bot, leg: id, number: found.planned, trunks: [way.trunk], longestMs: talkMs };
    const spent = spending.begin(charge);
    if (spent.kind === "refused") return refused(spent.cause, spent.words);
    const shown = shownNumber(way.number);
    const identity = callerIdentity(bot, undefined, identities(way.trunk), { withheld: found.withheld });
    const call = new DiallingTestCall({
      id,
      number: shown,
      invite: { trunk: way.trunk, target: way.uri, identity },
      trunkMedia: trunkMedia(way.trunk),
      talkMs,
      answered: () => spending.answered(id, way.trunk),
      sip,
      media,
      clock,
      log: log.child({ call: id }),
    });
    this.#calls.set(id, call);
    try {
      log.info("an administrator places a test call", { call: id, trunk: way.trunk, number: shown });
      await call.start();
    } catch (error) {
      this.#calls.delete(id);
      spending.gone([id]);
      if (!(error instanceof MediaError)) throw error;
      return refused("too-many-calls");
    }
    this.#forget();
    void call.over.then(() => spending.gone([id]));
    void call.over.then(async () => log.info("test call ended", { ...(await call.view()) }));
    return { kind: "placed", call: await call.view() };
  }

  async find(call: CallId): Promise<TestCall | undefined> {
    return this.#calls.get(call)?.view();
  }

  end(call: CallId): boolean {
    return this.#calls.get(call)?.end() ?? false;
  }

  /** Whether it was a fact of a test call. */
  take(call: CallId, fact: SipFact): boolean {
    const known = this.#calls.get(call);
    known?.hear(fact);
    return known !== undefined;
  }

  /** Ends what is left; over when it has ended. */
  async stop(): Promise<void> {
    const running = this.#running;
    for (const call of running) call.end();
    await Promise.all(running.map((call) => call.over));
  }

  get #running(): readonly DiallingTestCall[] {
    return [...this.#calls.values()].filter((call) => !call.isOver);
  }

  #forget(): void {
    for (const [id, call] of this.#calls) {
      if (this.#calls.size <= remembered) return;
      if (call.isOver) this.#calls.delete(id);
    }
  }
}

function refused(why: Cause, words = describeCause(why).words): TestCallPlaced {
  return { kind: "refused", why, words: words ?? why };
}
