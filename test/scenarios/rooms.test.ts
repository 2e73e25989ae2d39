// Who is in which room, and what a room is told: the ghost's and the bot's comings and goings around calls.
import { describe, expect, test } from "vitest";
import { matrixCallId, roomId, type UserId } from "../../src/core/ids.ts";
import { HomeserverError } from "../../src/ports/homeserver.ts";
import { dialog } from "../core/call/examples.ts";
import { ann, ghost, House, room } from "./house.ts";

const bob = "@bob:example.org" as UserId;
const gone = new HomeserverError("UNREACHABLE", "gone", true);
const encryptedWords =
  "This room is encrypted. Calls and texts from encrypted rooms do not reach telephones yet. Please use a room without encryption.";

function invitation(user: UserId, encrypted = false) {
  return { kind: "member.invited", user, direct: true, encrypted, public: false } as const;
}

describe("whom a call is for", () => {
  test("somebody who is only invited, not there, makes no difference", async () => {
    const house = new House();
    house.homeserver.memberList = [
      { user: ann, membership: "join" },
      { user: ghost, membership: "join" },
      { user: bob, membership: "invite" },
    ];
    await house.ring();
    expect(house.trunks.verbs).toEqual(["invite"]);
  });

  test("while the homeserver does not say who is there, no telephone rings", async () => {
    const house = new House();
    await house.enterRoom();
    house.homeserver.memberFailure = gone;
    await house.take(house.inviteFact());
    expect([house.trunks.verbs, house.words]).toEqual([[], []]);
  });

  test("the bot may be in the room of a number, too", async () => {
    const house = new House();
    const { bot } = house.homeserver;
    await house.enterRoom();
    house.homeserver.memberList = [ann, ghost, bot].map((user) => ({ user, membership: "join" }));
    await house.take({ ...house.origin(), ...invitation(bot) });
    await house.take(house.inviteFact());
    expect(house.trunks.verbs).toEqual(["invite"]);
  });
});

describe("a room that somebody leaves", () => {
  test("keeps its ghost as long as another person is there or invited", async () => {
    const house = new House();
    await house.enterRoom();
    house.homeserver.memberList = [
      { user: bob, membership: "invite" },
      { user: ghost, membership: "join" },
    ];
    await house.take({ ...house.origin(), kind: "member.left", user: ann });
    expect(house.homeserver.left).toEqual([]);
  });

  test("is forgotten when it is empty: its ghost is not there any more", async () => {
    const house = new House();
    await house.enterRoom();
    house.homeserver.memberList = [{ user: ghost, membership: "join" }];
    await house.take({ ...house.origin(), kind: "member.left", user: ann });
    expect(house.homeserver.left).toEqual([{ room, user: ghost }]);
    expect(await house.store.rooms.ours(room)).toEqual([]);
  });
});

describe("a room whose timeline is slow to be read back", () => {
  test("rings the telephone at once for a call that was pushed, and once only", async () => {
    const house = new House();
    const { promise, resolve } = Promise.withResolvers<void>();
    house.homeserver.timelineHeld = promise;
    await house.enterRoom();
    const invite = house.inviteFact();
    await house.take(invite);
    expect(house.trunks.verbs).toEqual(["invite"]);
    house.homeserver.timeline = [invite];
    resolve();
    await house.quiet();
    expect(house.trunks.verbs).toEqual(["invite"]);
  });

  test("rings no telephone for a call that was made before the ghost came and given up after", async () => {
    const house = new House();
    const { promise, resolve } = Promise.withResolvers<void>();
    house.homeserver.timelineHeld = promise;
    await house.enterRoom();
    await house.take({ ...house.callOf(), kind: "call.hungUp", reason: undefined });
    house.homeserver.timeline = [house.inviteFact()];
    resolve();
    await house.quiet();
    expect(house.trunks.verbs).toEqual([]);
  });
});

describe("a room whose timeline cannot be read back", () => {
  test("takes the calls that are made from now on", async () => {
    const house = new House();
    house.homeserver.timelineFailure = gone;
    await house.ring();
    expect(house.trunks.verbs).toEqual(["invite"]);
  });
});

describe("an encrypted room", () => {
  test("is told so when the invitation says it is, and the bot says nothing else there", async () => {
    const house = new House();
    const { bot } = house.homeserver;
    house.homeserver.memberList = [ann, bot].map((user) => ({ user, membership: "join" }));
    await house.take({ ...house.origin(), ...invitation(bot, true) });
    expect(house.words).toEqual([encryptedWords]);
  });

  test("of other people is told nothing", async () => {
    const house = new House();
    await house.take({ ...house.origin(ann, roomId("!other:example.org")), kind: "event.unreadable" });
    expect(house.words).toEqual([]);
  });
});

describe("what the client says about its own leg", () => {
  const accepted = { kind: "sip.accepted", sdp: "trunk answer", dialog } as const;

  test("that it took our answer changes nothing; that it took another's ends ours", async () => {
    const house = new House();
    await house.ring();
    await house.sip(accepted);
    const ours = house.homeserver.told[0]?.leg.ownParty;
    if (ours === undefined) throw new Error("nothing was answered");
    await house.take({ ...house.callOf(), kind: "call.selected", selected: ours });
    expect(house.trunks.verbs).toEqual(["invite"]);
    await house.take({ ...house.callOf(), kind: "call.selected", selected: house.callOf(bob, "x", "BOB").party });
    expect(house.trunks.verbs).toEqual(["invite", "bye"]);
  });

  test("its answer to the trunk's offer reaches the trunk", async () => {
    const house = new House();
    await house.ring();
    await house.sip(accepted);
    await house.sip({ kind: "sip.offered", sdp: "another codec" });
    await house.take({ ...house.callOf(), kind: "call.reanswered", sdp: "client agrees" });
    expect(house.trunks.orders.at(-1)).toMatchObject({ verb: "answerReoffer", argument: "client answer" });
    expect(house.signals).toEqual(["answer", "reoffer"]);
  });

  test("a restart of ICE is answered by us alone", async () => {
    const house = new House();
    await house.ring();
    await house.sip(accepted);
    house.media.outcome = { kind: "settled", sdp: "new ufrag" };
    await house.take({ ...house.callOf(), kind: "call.offered", sdp: "restart", lifetimeMs: 60_000 });
    expect([house.trunks.verbs, house.signals]).toEqual([["invite"], ["answer", "reanswer"]]);
  });

  test("a version 0 client is offered nothing inside the call, and talks on", async () => {
    const house = new House();
    await house.enterRoom();
    await house.take(house.inviteFact({ version: "0", party: undefined, matrixCallId: matrixCallId("old") }));
    await house.sip(accepted);
    await house.sip({ kind: "sip.offered", sdp: "another codec" });
    expect(house.trunks.orders.at(-1)).toMatchObject({ verb: "refuseReoffer", argument: 488 });
    expect(house.signals).toEqual(["answer"]);
    expect(house.homeserver.told[0]?.leg.version).toBe("0");
  });
});
