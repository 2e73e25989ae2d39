// People say to the bot how long their clients ring.
import { beforeEach, expect, test } from "vitest";
import { bob, made1, made2, TestBridge } from "../test-bridge.ts";
import { lobbyOf, write } from "./lobby.ts";

const asEntry = "Your clients ring for as long as the number that is called says.";
let bridge: TestBridge;

beforeEach(async () => {
  bridge = await lobbyOf();
});

test("ring shows it, sets it and takes it back", async () => {
  expect(await write(bridge, "ring")).toBe(asEntry);
  const chosen = "Your clients ring for 20 s at most, and then whoever is next. “ring default” ends that.";
  expect(await write(bridge, "ring 20")).toBe(chosen);
  expect(await write(bridge, "ring")).toBe(chosen);
  expect(await write(bridge, "ring default")).toBe(asEntry);
});

test.each(["ring 4", "ring 121", "ring 0", "ring 1e2", "ring -20", "ring long"])("%s changes nothing", async (body) => {
  expect(await write(bridge, body)).toBe("For how many seconds? From 5 to 120, or “ring default”. Example: ring 20");
  expect(await write(bridge, "ring")).toBe(asEntry);
});

test("a call rings for so long and no longer, a restart in between", async () => {
  await write(bridge, "ring 10 s");
  const again = new TestBridge({ store: bridge.store });
  await again.loadBlocks();
  await again.arrive();
  await again.passTime(9_999);
  expect(again.in(made1)).toEqual(["invite"]);
  await again.passTime(1);
  expect(again.in(made1)).toEqual(["invite", "hangup invite_timeout"]);
  expect(again.trunks.orders.at(-1)).toMatchObject({ verb: "reject", argument: 480 });
});

test("the number's own time is never exceeded", async () => {
  await write(bridge, "ring 120");
  await bridge.arrive();
  await bridge.passTime(30_000);
  expect(bridge.in(made1)).toEqual(["invite", "hangup invite_timeout"]);
});

test("others whom the number rings go on ringing for their time", async () => {
  await write(bridge, "ring 10");
  bridge.homeserver.memberList = [];
  await bridge.arrive({ called: "+441632960002" });
  await bridge.passTime(10_000);
  expect([bridge.in(made1), bridge.in(made2)]).toEqual([["invite", "hangup invite_timeout"], ["invite"]]);
  await bridge.passTime(19_999);
  expect(bridge.trunks.verbs).not.toContain("reject");
  await bridge.passTime(1);
  expect(bridge.in(made2)).toEqual(["invite", "hangup invite_timeout"]);
});

test("whoever is next in turn rings at once", async () => {
  await write(bridge, "ring 10");
  bridge.homeserver.memberList = [];
  await bridge.arrive({ called: "+441632960003" });
  await bridge.passTime(10_000);
  expect(bridge.in(made1)).toEqual(["invite", "hangup invite_timeout"]);
  expect(bridge.homeserver.rooms.at(-1)?.invite).toBe(bob);
  expect(bridge.in(made2)).toEqual(["invite"]);
});
