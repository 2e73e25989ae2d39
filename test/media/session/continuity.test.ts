// The one rule of the media engine: whatever stands on the other end of a trunk's dialog, and in whichever session and
// process, the trunk hears one stream and reads one description that changes.
import fc from "fast-check";
import { describe, expect } from "vitest";
import type { MediaSession, TrunkMedia } from "../../../src/ports/media.ts";
import { ClientPeer } from "../peers/client-peer.ts";
import { DialogPeer } from "../peers/dialog-peer.ts";
import { startRig, type Rig } from "../peers/rig.ts";
import { test, type Scope } from "../peers/scope.ts";

const few = 12;

/** Two dialogs of one trunk, and who they talk to now: a person each, or each other. */
class Exchange {
  readonly rig: Rig;
  readonly dialogs: readonly [DialogPeer, DialogPeer];
  readonly #scope: Scope;
  #sessions: MediaSession<string>[] = [];
  /** Which of the two is the session's `trunk` end while they talk to each other. */
  #joinedBy: 0 | 1 | undefined;

  constructor(rig: Rig, dialogs: readonly [DialogPeer, DialogPeer], scope: Scope) {
    this.rig = rig;
    this.dialogs = dialogs;
    this.#scope = scope;
  }

  /** Each dialog is handed to a person of its own. */
  async separate(): Promise<void> {
    await this.#letGo();
    for (const dialog of this.dialogs) this.#sessions.push(await this.#toPerson(dialog));
    this.#joinedBy = undefined;
    await this.allHear();
  }

  /** The two talk to each other, as after a consult transfer. `begunBy`: who is asked first. */
  async join(begunBy: 0 | 1): Promise<void> {
    await this.#letGo();
    const [first, second] = begunBy === 0 ? this.dialogs : [this.dialogs[1], this.dialogs[0]];
    const legs = { b: first.leg, a: second.leg };
    const { session } = await this.rig.open(mediaOf(first), [], mediaOf(second), legs);
    this.#sessions = [session];
    first.take(await session.describe("b"));
    second.take(await session.answer("b", first.sdp()));
    await session.answer("a", second.sdp());
    this.#joinedBy = begunBy;
    await this.allHear();
  }

  /** A dialog holds and comes back. */
  async hold(which: 0 | 1): Promise<void> {
    const [session, end] = this.#placeOf(which);
    for (const direction of ["inactive", "sendrecv"]) {
      const outcome = await session.offer(end, this.dialogs[which].sdp(direction));
      if (outcome.kind === "settled") this.dialogs[which].take(outcome.description);
      else {
        const other = this.dialogs[1 - which] ?? this.dialogs[0];
        other.take(outcome.description);
        this.dialogs[which].take(await session.answer(end === "b" ? "a" : "b", other.sdp(direction)));
      }
    }
    await this.allHear();
  }

  /** A key of ours; what comes next may cut it off. */
  key(which: 0 | 1): void {
    const [session, end] = this.#placeOf(which);
    void session.sendDtmf(end, "5", 160);
  }

  /** The process that carries all of it dies. Whoever has the dialogs opens new sessions. */
  async crash(): Promise<void> {
    const started = this.rig.log.filter(({ message }) => message === "media worker started");
    process.kill(Number(started.at(-1)?.fields["pid"]), "SIGKILL");
    await this.rig.logged("media worker started", started.length + 1);
    await (this.#joinedBy !== undefined ? this.join(0) : this.separate());
  }

  async allHear(): Promise<void> {
    await Promise.all(this.dialogs.map(async (dialog) => dialog.hears(few)));
  }

  /** As transfers do it: the session lets go of the dialog before it ends. */
  async #letGo(): Promise<void> {
    for (const session of this.#sessions) {
      for (const end of this.#joinedBy !== undefined ? (["b", "a"] as const) : (["b"] as const))
        await session.handOver(end);
      await session.close();
    }
    this.#sessions = [];
  }

  async #toPerson(dialog: DialogPeer): Promise<MediaSession<string>> {
    const client = new ClientPeer({ hz: 440 });
    this.#scope.add(() => client.close());
    const { session } = await this.rig.open(mediaOf(dialog), [], undefined, { b: dialog.leg });
    dialog.take(await session.answer("a", await client.answer(await session.describe("a"))));
    await session.answer("b", dialog.sdp());
    session.addCandidates(client.candidates());
    await client.connected();
    client.speak();
    return session;
  }

  #placeOf(which: 0 | 1): [MediaSession<string>, "b" | "a"] {
    const session = this.#sessions[this.#joinedBy === undefined ? which : 0];
    if (session === undefined) throw new Error("nobody talks");
    return [session, this.#joinedBy === undefined || this.#joinedBy === which ? "b" : "a"];
  }
}

function mediaOf({ isSecret }: DialogPeer): TrunkMedia {
  return { srtp: isSecret ? "required" : "off", codecs: ["PCMU"], rtpNetworks: [] };
}

async function startExchange(scope: Scope, isSecret: boolean): Promise<Exchange> {
  const rig = await startRig();
  scope.add(async () => rig.engine.stop());
  const dialogs = [await DialogPeer.open(700, isSecret), await DialogPeer.open(1300, false)] as const;
  for (const { peer } of dialogs) scope.add(async () => peer.close());
  const exchange = new Exchange(rig, dialogs, scope);
  await exchange.separate();
  for (const { peer } of dialogs) peer.speak();
  return exchange;
}

const moves = {
  separate: async (exchange: Exchange) => exchange.separate(),
  joinFirst: async (exchange: Exchange) => exchange.join(0),
  joinSecond: async (exchange: Exchange) => exchange.join(1),
  holdFirst: async (exchange: Exchange) => exchange.hold(0),
  holdSecond: async (exchange: Exchange) => exchange.hold(1),
  keyToFirst: async (exchange: Exchange) => exchange.key(0),
  keyToSecond: async (exchange: Exchange) => exchange.key(1),
  crash: async (exchange: Exchange) => exchange.crash(),
} satisfies Record<string, (exchange: Exchange) => Promise<void>>;

type Move = keyof typeof moves;

async function play(exchange: Exchange, sequence: readonly Move[]): Promise<void> {
  for (const move of sequence) await moves[move](exchange);
  await exchange.allHear();
  expect(exchange.dialogs.map((dialog) => dialog.judged())).toEqual([[], []]);
}

describe.concurrent("a trunk hears one stream and reads one description", () => {
  test.concurrent.for<[string, boolean, readonly Move[]]>([
    ["when two calls are joined", false, ["joinFirst"]],
    ["when two encrypted calls are joined", true, ["joinFirst", "joinSecond"]],
    ["when the joined calls go to people again", false, ["joinSecond", "separate"]],
    ["over a hold, and a key that a join cuts off", false, ["holdFirst", "keyToFirst", "joinFirst", "holdSecond"]],
    ["when the media worker dies", false, ["crash", "joinFirst", "crash"]],
    ["when the media worker of an encrypted call dies", true, ["joinFirst", "crash", "separate"]],
  ])("%s", async ([, isSecret, sequence], { scope }) => {
    await play(await startExchange(scope, isSecret), sequence);
  });

  test(
    "over any sequence of joins, transfers, holds, keys and dying workers",
    { timeout: 240_000 },
    async ({ scope }) => {
      const anyMove = fc.constantFrom(...(Object.keys(moves) as Move[]));
      await fc.assert(
        fc.asyncProperty(
          fc.boolean(),
          fc.array(anyMove, { minLength: 4, maxLength: 8 }),
          async (isSecret, sequence) => {
            await play(await startExchange(scope, isSecret), sequence);
            await scope.end();
          },
        ),
        { numRuns: 5, endOnFailure: true },
      );
    },
  );
});
