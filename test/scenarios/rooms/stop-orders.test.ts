// An admin stops calls from a telephone, by writing to the bot.
import { beforeEach, describe, expect, test } from "vitest";
import { matrixCallId, type UserId } from "../../../src/core/ids.ts";
import { StoreError } from "../../../src/ports/store.ts";
import { openMemoryStore } from "../../fakes/memory-store.ts";
import { accepted, ann, bob, ghost, made1, type TestBridge } from "../test-bridge.ts";
import { lobbyOf, write } from "./lobby.ts";

let bridge: TestBridge;

beforeEach(async () => {
  bridge = await lobbyOf({ admins: [ann] });
  bridge.trunks.states = [{ name: "main", state: "up", detail: "OPTIONS answered 200", sinceMs: 0 }] as never;
});

let calls = 0;

/** They call a number: `goes out`, or what they read. */
async function call(sender: UserId): Promise<string | undefined> {
  const { homeserver, trunks } = bridge;
  const [inLobby, before] = [homeserver.memberList, trunks.verbs.length];
  homeserver.memberList = [sender, ghost].map((user) => ({ user, membership: "join" }));
  await bridge.take(bridge.inviteFact({ sender, matrixCallId: matrixCallId(`tried${calls++}`) }));
  homeserver.memberList = inLobby;
  return trunks.verbs.slice(before).includes("invite") ? "goes out" : bridge.words.at(-1);
}

describe("stop", () => {
  test.each(["stop", "Stop ALL"])("%s ends outgoing calls and lets none begin, until start", async (body) => {
    await bridge.ring();
    await bridge.sip(accepted);
    expect(await write(bridge, body)).toBe(
      "No outgoing calls begin any more, calls to emergency numbers excepted. 1 call ended. “start” lets them begin again.",
    );
    expect(bridge.trunks.verbs).toEqual(["invite", "bye"]);
    expect(await call(bob)).toMatch(/^An administrator has stopped /);
    expect(await write(bridge, "status")).toContain(`stopped: outgoing calls by ${ann}, just now`);
    await bridge.arrive();
    expect(bridge.in(made1)).toEqual(["invite"]);
    expect(await write(bridge, "start")).toBe("The outgoing calls may begin again.");
    expect(await call(bob)).toBe("goes out");
    expect(await write(bridge, "start")).toBe("The outgoing calls are not stopped.");
    expect(await bridge.door.actions.latest(9)).toMatchObject([
      { who: ann, action: "start calls", target: "all calls", outcome: "not_found" },
      { who: ann, action: "start calls", target: "all calls", outcome: "done" },
      { who: ann, action: "stop calls", target: "all calls", outcome: "done" },
    ]);
  });

  test("of one person leaves the others alone, and start of all does not undo it", async () => {
    await bridge.enterRoom();
    expect(await write(bridge, `stop ${bob}`)).toContain(`No outgoing calls of ${bob} begin any more`);
    expect(await call(ann)).toBe("goes out");
    await bridge.sip({ kind: "sip.rejected", status: 486, phrase: "Busy Here", q850: undefined });
    expect(await call(bob)).toMatch(/^An administrator has stopped /);
    expect(await write(bridge, "start all")).toBe(
      `The outgoing calls are not stopped.\n• stopped: outgoing calls of ${bob} by ${ann}, just now`,
    );
    expect(await call(bob)).toMatch(/^An administrator has stopped /);
    expect(await write(bridge, `start ${bob}`)).toBe(`The outgoing calls of ${bob} may begin again.`);
    expect(await call(bob)).toBe("goes out");
  });

  test.each(["stop main", "stop trunk main"])("%s is about that trunk", async (body) => {
    await bridge.enterRoom();
    expect(await write(bridge, body)).toContain("No outgoing calls over main begin any more");
    expect(await call(bob)).toMatch(/^An administrator has stopped /);
    expect(bridge.door.spending.stops()).toMatchObject([{ scope: { kind: "trunk", name: "main" }, who: ann }]);
  });

  test.each([
    [
      "stop everything now",
      "Whose calls? All, those of a person, or those over a trunk. Example: stop @alice:example.org",
    ],
    ["stop @bob", "That is no Matrix user."],
    ["stop mian", "There is no such trunk, so nothing is stopped. There are:\n• main"],
    ["start mian", "There is no such trunk, so nothing is started."],
  ])("%s stops nothing: %s", async (body, words) => {
    expect(await write(bridge, body)).toContain(words);
    expect(bridge.door.spending.stops()).toEqual([]);
  });

  test("is for admins", async () => {
    bridge = await lobbyOf({ admins: [bob] });
    expect(await write(bridge, "stop")).toBe("Only admins can ask me that.");
    expect(await write(bridge, "start")).toBe("Only admins can ask me that.");
    expect(bridge.door.spending.stops()).toEqual([]);
  });

  test("holds where the database fails, and says what a restart would do", async () => {
    const memory = openMemoryStore();
    const setBar = (): Promise<void> => Promise.reject(new StoreError("full", "disk full"));
    bridge = await lobbyOf({ admins: [ann], store: { ...memory, spending: { ...memory.spending, setBar } } });
    expect(await write(bridge, "stop")).toContain("But I cannot store that: a restart of the bridge would undo it.");
    expect(bridge.door.spending.stops()).toHaveLength(1);
  });
});
