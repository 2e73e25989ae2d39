// Ghosts are made once, a few at a time, and not more in advance than somebody may ever call.
import { expect, test } from "vitest";
import { Ghosts } from "../../../src/bridge/rooms/ghosts.ts";
import { createGhostIds } from "../../../src/core/number/ghost/ghost-id.ts";
import type { UserId } from "../../../src/core/ids.ts";
import { HomeserverError } from "../../../src/ports/homeserver.ts";
import { openMemoryStore } from "../../fakes/memory-store.ts";
import { examplePlan } from "../../scenarios/settings.ts";
import { FakeHomeserver } from "../../fakes/homeserver.ts";
import { FakeTelemetry } from "../../fakes/telemetry.ts";
import { VirtualClock } from "../../fakes/virtual-clock.ts";
import { numberOf } from "../../core/number/dialled.ts";

const ghostAt = (n: number): UserId => `@_sip_${7_000_000 + n}%40sip.example.org:example.org` as UserId;
const foundAt = (n: number) => ({ user: ghostAt(n), target: numberOf(`${7_000_000 + n}`) });

function rig() {
  const homeserver = new FakeHomeserver();
  const telemetry = new FakeTelemetry();
  const clock = new VirtualClock();
  const held: (() => void)[] = [];
  let holding = false;
  const ghosts = new Ghosts({
    ids: createGhostIds({
      domain: "example.org",
      prefix: "_sip_",
      encoding: "percent",
      gateway: "sip.example.org",
      sipDomains: [],
      country: "GB",
    }),
    homeserver: {
      register: async (user) => {
        if (holding) await new Promise<void>((resolve) => held.push(resolve));
        return homeserver.register(user);
      },
      setDisplayName: (user, name) => homeserver.setDisplayName(user, name),
      setPicture: async () => {},
    },
    plan: () => examplePlan,
    recalled: { recallUser: async () => {} },
    profiles: { nameOf: () => undefined, pictureOf: async () => undefined, reload: () => () => false },
    directory: openMemoryStore().ghosts,
    clock,
    log: telemetry.log,
  });
  /** Everything that needs no time is done. */
  const turn = async (): Promise<void> => {
    for (let turns = 0; turns < 5; turns++) await new Promise((resolve) => setImmediate(resolve));
  };
  const settle = async (): Promise<void> => {
    for (let turns = 0; turns < 100; turns++) {
      await turn();
      clock.advance(50);
    }
  };
  return {
    homeserver,
    telemetry,
    ghosts,
    turn,
    settle,
    advance: (ms: number) => clock.advance(ms),
    held,
    hold: () => void (holding = true),
    release: async () => {
      holding = false;
      while (held.length > 0) {
        for (const done of held.splice(0)) done();
        await settle();
      }
    },
  };
}

test("whoever wants a ghost that is being made waits for the same one", async () => {
  const { ghosts, homeserver, hold, release, settle } = rig();
  hold();
  ghosts.prepare(foundAt(1));
  const wanted = Promise.all([ghosts.ensure(ghostAt(1)), ghosts.ensure(ghostAt(1))]);
  await settle();
  await release();
  await wanted;
  expect(homeserver.registered).toEqual([ghostAt(1)]);
});

test("of a thousand lookups, a few ghosts are made at a time and the rest is left for the invite", async () => {
  const { ghosts, homeserver, held, hold, release, settle } = rig();
  hold();
  for (let n = 0; n < 1_000; n++) ghosts.prepare(foundAt(n));
  await settle();
  expect(held.length).toBe(4);
  await release();
  expect(homeserver.registered.length).toBe(68);
  await ghosts.ensure(ghostAt(999));
  expect(homeserver.registered.length).toBe(69);
});

test("many lookups at once are all answered first, and then their ghosts are begun one after the other", async () => {
  const { ghosts, held, hold, release, turn, advance } = rig();
  hold();
  for (let n = 0; n < 10; n++) ghosts.prepare(foundAt(n));
  await Promise.resolve();
  const begun = [held.length];
  for (let times = 0; times < 6; times++) {
    await turn();
    begun.push(held.length);
    advance(50);
  }
  expect(begun).toEqual([0, 1, 2, 3, 4, 4, 4]);
  await release();
});

test("while lookups never cease twenty ghosts are made in a second, and the one that was looked up first is the first", async () => {
  const { ghosts, homeserver, turn, advance } = rig();
  for (let ms = 0; ms < 1_000; ms += 10) {
    for (let n = 0; n < 10; n++) ghosts.prepare(foundAt(ms + n));
    await turn();
    advance(10);
  }
  expect(homeserver.registered.slice(0, 3)).toEqual([ghostAt(0), ghostAt(1), ghostAt(2)]);
  expect(homeserver.registered.length).toBe(20);
});

test("a ghost that could not be made is made the next time it is wanted", async () => {
  const { ghosts, homeserver, telemetry, settle } = rig();
  homeserver.failure = new HomeserverError("UNREACHABLE", "gone", true);
  ghosts.prepare(foundAt(1));
  await settle();
  expect(telemetry.lines.map(({ level, message }) => [level, message])).toEqual([
    ["warn", "could not register a ghost ahead of its call"],
  ]);
  homeserver.failure = undefined;
  await ghosts.ensure(ghostAt(1));
  expect(homeserver.registered).toEqual([ghostAt(1)]);
});

test("an id that stands for no number is nobody's ghost", async () => {
  const { ghosts, homeserver } = rig();
  await expect(ghosts.ensure("@_sip_nobody:example.org" as UserId)).rejects.toThrow(HomeserverError);
  expect(homeserver.registered).toEqual([]);
});

test("a name that comes while the ghost is being made under another one is the one it has in the end", async () => {
  const { ghosts, homeserver, hold, release, settle } = rig();
  hold();
  const made = Promise.all([
    ghosts.ensure(ghostAt(1), "Alice Smith"),
    ghosts.ensure(ghostAt(1)),
    ghosts.ensure(ghostAt(1), "Alice Jones"),
  ]);
  await settle();
  await release();
  await made;
  expect([homeserver.registered, homeserver.names.get(ghostAt(1))]).toEqual([[ghostAt(1)], "Alice Jones"]);
  await ghosts.ensure(ghostAt(1));
  expect(homeserver.names.get(ghostAt(1))).toBe("Alice Jones");
});

test("a ghost that could not be named is named the next time", async () => {
  const { ghosts, homeserver } = rig();
  const setDisplayName = homeserver.setDisplayName.bind(homeserver);
  homeserver.setDisplayName = async () => {
    throw new HomeserverError("UNREACHABLE", "gone", true);
  };
  await ghosts.ensure(ghostAt(1), "Alice Smith");
  homeserver.setDisplayName = setDisplayName;
  await ghosts.ensure(ghostAt(1), "Alice Smith");
  expect([homeserver.registered.length, homeserver.names.get(ghostAt(1))]).toEqual([1, "Alice Smith"]);
});

test("a homeserver that asks for a number registers nobody by it, and is told yes for one that is being made", async () => {
  const { ghosts, homeserver, hold, release, settle } = rig();
  expect(await ghosts.exists(ghostAt(1))).toBe(false);
  expect(homeserver.registered).toEqual([]);
  hold();
  ghosts.prepare(foundAt(2));
  const exists = ghosts.exists(ghostAt(2));
  await settle();
  await release();
  expect(await exists).toBe(true);
});
