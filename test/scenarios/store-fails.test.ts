// The disk is full, or the database is gone, in the middle of everything: people's calls go on and end all the same.
import { expect, test } from "vitest";
import type { Call } from "../../src/core/call/call.ts";
import { matrixCallId } from "../../src/core/ids.ts";
import { StoreError, type Store } from "../../src/ports/store.ts";
import { openMemoryStore } from "../../src/store/memory-store.ts";
import { dialog } from "../core/call/examples.ts";
import { ann, House } from "./house.ts";

const accepted = { kind: "sip.accepted", sdp: "trunk answer", dialog } as const;

/** A store that fails in everything from `break` on. */
function fragileStore(): { readonly store: Store; break(): void; mend(): void } {
  let broken = false;
  const fragile = <Part extends object>(part: Part): Part =>
    new Proxy(part, {
      get: (target, name, receiver) => {
        const found: unknown = Reflect.get(target, name, receiver);
        if (typeof found !== "function") return found;
        return async (...given: readonly unknown[]) => {
          if (broken) throw new StoreError("unavailable", "disk full");
          return Reflect.apply(found, target, given) as unknown;
        };
      },
    });
  const whole = openMemoryStore();
  return {
    store: { ...whole, calls: fragile(whole.calls), rooms: fragile(whole.rooms), ghosts: fragile(whole.ghosts) },
    break: () => void (broken = true),
    mend: () => void (broken = false),
  };
}

test("a call goes on and ends on both sides while nothing can be saved", async () => {
  const fragile = fragileStore();
  const house = new House({ store: fragile.store });
  await house.ring();
  fragile.break();
  await house.sip(accepted);
  expect(house.signals).toEqual(["answer"]);
  await house.take({ ...house.callOf(), kind: "call.hungUp", reason: "user_hangup" });
  await house.sip({ kind: "sip.ended" });
  expect(house.trunks.verbs).toEqual(["invite", "bye"]);
  expect(house.switchboard.calls).toEqual([]);
  expect(house.telemetry.ended).toMatchObject([{ cause: "caller-hung-up" }]);
});

test("an INVITE goes out when what is needed to cancel it after a restart is saved, not before", async () => {
  const store = openMemoryStore();
  let goOn = (): void => {};
  const held = new Promise<void>((resolve) => (goOn = resolve));
  const save: typeof store.calls.save = async (call) => {
    if (call.phase === "inviting") await held;
    await store.calls.save(call);
  };
  const house = new House({ store: { ...store, calls: { ...store.calls, save } } });
  await house.ring();
  expect(house.trunks.verbs).toEqual([]);
  goOn();
  await house.quiet();
  expect(house.trunks.verbs).toEqual(["invite"]);
});

test("whoever leaves the room hangs up, also while the rooms cannot be looked up", async () => {
  const fragile = fragileStore();
  const house = new House({ store: fragile.store });
  await house.ring();
  await house.sip(accepted);
  fragile.break();
  await house.take({ ...house.origin(), kind: "member.left", user: ann });
  expect(house.trunks.verbs).toEqual(["invite", "bye"]);
});

test("a call that cannot be known to be new is not dialled; the next one is, once the store is back", async () => {
  const fragile = fragileStore();
  const house = new House({ store: fragile.store });
  await house.enterRoom();
  fragile.break();
  await house.take(house.inviteFact());
  expect(house.trunks.verbs).toEqual([]);
  fragile.mend();
  await house.take(house.inviteFact({ matrixCallId: matrixCallId("call2") }));
  expect(house.trunks.verbs).toEqual(["invite"]);
});

test("a stored call that makes no sense keeps nobody from being told", async () => {
  const before = new House();
  await before.ring();
  await before.sip(accepted);
  const [call] = await before.store.calls.open();
  const nonsense = { ...call, phase: "levitating" } as unknown as Call;
  const after = new House();
  for (const one of [nonsense, call]) if (one !== undefined) await after.switchboard.recover(one);
  await after.quiet();
  expect(after.trunks.verbs).toEqual(["resume", "bye"]);
});
