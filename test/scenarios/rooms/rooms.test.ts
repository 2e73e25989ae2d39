// Who is in which room, and what a room is told: the ghost's and the bot's comings and goings around calls.
import { describe, expect, test } from "vitest";
import { matrixCallId, roomId, type UserId } from "../../../src/core/ids.ts";
import { HomeserverError } from "../../../src/ports/homeserver.ts";
import { clientAnswers, clientOffers, otherCodec } from "../../fakes/descriptions.ts";
import { accepted, ann, ghost, TestBridge, room } from "../test-bridge.ts";
import { legacyClient } from "../../../src/matrix/legs/legacy-form.ts";

const bob = "@bob:example.org" as UserId;
const gone = new HomeserverError("UNREACHABLE", "gone", true);
const encryptedWords =
  "This room is encrypted. Calls and texts from encrypted rooms do not reach telephones yet. Please use a room without encryption.";

function invitation(user: UserId, encrypted = false) {
  return { kind: "member.invited", user, direct: true, encrypted, public: false } as const;
}

describe("whom a call is for", () => {
  test("somebody who is only invited, not there, makes no difference", async () => {
    const bridge = new TestBridge();
    bridge.homeserver.memberList = [
      { user: ann, membership: "join" },
      { user: ghost, membership: "join" },
      { user: bob, membership: "invite" },
    ];
    await bridge.ring();
    expect(bridge.trunks.verbs).toEqual(["invite"]);
  });

  test("while the homeserver does not say who is there, no telephone rings", async () => {
    const bridge = new TestBridge();
    await bridge.enterRoom();
    bridge.homeserver.memberFailure = gone;
    await bridge.take(bridge.inviteFact());
    expect([bridge.trunks.verbs, bridge.words]).toEqual([[], []]);
  });

  test("the bot may be in the room of a number, too", async () => {
    const bridge = new TestBridge();
    const { bot } = bridge.homeserver;
    await bridge.enterRoom();
    bridge.homeserver.memberList = [ann, ghost, bot].map((user) => ({ user, membership: "join" }));
    await bridge.take({ ...bridge.origin(), ...invitation(bot) });
    await bridge.take(bridge.inviteFact());
    expect(bridge.trunks.verbs).toEqual(["invite"]);
  });
});

describe("a room that somebody leaves", () => {
  test("keeps its ghost as long as another person is there or invited", async () => {
    const bridge = new TestBridge();
    await bridge.enterRoom();
    bridge.homeserver.memberList = [
      { user: bob, membership: "invite" },
      { user: ghost, membership: "join" },
    ];
    await bridge.take({ ...bridge.origin(), kind: "member.left", user: ann });
    expect(bridge.homeserver.left).toEqual([]);
  });

  test("is forgotten when it is empty: its ghost is not there any more", async () => {
    const bridge = new TestBridge();
    await bridge.enterRoom();
    bridge.homeserver.memberList = [{ user: ghost, membership: "join" }];
    await bridge.take({ ...bridge.origin(), kind: "member.left", user: ann });
    expect(bridge.homeserver.left).toEqual([{ room, user: ghost }]);
    expect(await bridge.store.rooms.ours(room)).toEqual([]);
  });
});

describe("a room whose timeline is slow to be read back", () => {
  test("rings the telephone at once for a call that was pushed, and once only", async () => {
    const bridge = new TestBridge();
    const { promise, resolve } = Promise.withResolvers<void>();
    bridge.homeserver.timelineHeld = promise;
    await bridge.enterRoom();
    const invite = bridge.inviteFact();
    await bridge.take(invite);
    expect(bridge.trunks.verbs).toEqual(["invite"]);
    bridge.homeserver.timeline = [invite];
    resolve();
    await bridge.quiet();
    expect(bridge.trunks.verbs).toEqual(["invite"]);
  });

  test("rings no telephone for a call that was made before the ghost came and given up after", async () => {
    const bridge = new TestBridge();
    const { promise, resolve } = Promise.withResolvers<void>();
    bridge.homeserver.timelineHeld = promise;
    await bridge.enterRoom();
    await bridge.take({ ...bridge.callOf(), kind: "call.hungUp", said: undefined });
    bridge.homeserver.timeline = [bridge.inviteFact()];
    resolve();
    await bridge.quiet();
    expect(bridge.trunks.verbs).toEqual([]);
  });
});

describe("a room whose timeline cannot be read back", () => {
  test("takes the calls that are made from now on", async () => {
    const bridge = new TestBridge();
    bridge.homeserver.timelineFailure = gone;
    await bridge.ring();
    expect(bridge.trunks.verbs).toEqual(["invite"]);
  });
});

describe("an encrypted room", () => {
  test("is told so when the invitation says it is, and the bot says nothing else there", async () => {
    const bridge = new TestBridge();
    const { bot } = bridge.homeserver;
    bridge.homeserver.memberList = [ann, bot].map((user) => ({ user, membership: "join" }));
    await bridge.take({ ...bridge.origin(), ...invitation(bot, true) });
    expect(bridge.words).toEqual([encryptedWords]);
  });

  test("of other people is told nothing", async () => {
    const bridge = new TestBridge();
    await bridge.take({ ...bridge.origin(ann, roomId("!other:example.org")), kind: "event.unreadable" });
    expect(bridge.words).toEqual([]);
  });
});

describe("what the client says about its own leg", () => {
  test("that it took our answer changes nothing; that it took another's ends ours", async () => {
    const bridge = new TestBridge();
    await bridge.ring();
    await bridge.sip(accepted);
    const ours = bridge.homeserver.told[0]?.leg.own;
    if (ours === undefined) throw new Error("nothing was answered");
    await bridge.take({ ...bridge.callOf(), kind: "call.selected", selected: ours });
    expect(bridge.trunks.verbs).toEqual(["invite"]);
    await bridge.take({ ...bridge.callOf(), kind: "call.selected", selected: bridge.callOf(bob, "x", "BOB").device });
    expect(bridge.trunks.verbs).toEqual(["invite", "bye"]);
  });

  test("its answer to the trunk's offer reaches the trunk", async () => {
    const bridge = new TestBridge();
    await bridge.ring();
    await bridge.sip(accepted);
    await bridge.sip({ kind: "sip.offered", description: otherCodec("another codec") });
    await bridge.take({ ...bridge.callOf(), kind: "call.reanswered", description: clientAnswers("client agrees") });
    expect(bridge.trunks.orders.at(-1)).toMatchObject({
      verb: "answerReoffer",
      argument: expect.stringContaining("RTP/AVP 8 101"),
    });
    expect(bridge.signals).toEqual(["answer", "reoffer"]);
  });

  test("a restart of ICE is answered by us alone", async () => {
    const bridge = new TestBridge();
    await bridge.ring();
    await bridge.sip(accepted);
    await bridge.take({
      ...bridge.callOf(),
      kind: "call.offered",
      video: false,
      description: clientOffers("restart", { ufrag: "bbbb" }),
      lifetimeMs: 60_000,
    });
    expect([bridge.trunks.verbs, bridge.signals]).toEqual([["invite"], ["answer", "reanswer"]]);
  });

  test("a version 0 client is offered nothing inside the call, and talks on", async () => {
    const bridge = new TestBridge();
    await bridge.enterRoom();
    await bridge.take(
      bridge.inviteFact({ ...legacyClient("0"), device: undefined, matrixCallId: matrixCallId("old") }),
    );
    await bridge.sip(accepted);
    await bridge.sip({ kind: "sip.offered", description: otherCodec("another codec") });
    expect(bridge.trunks.orders.at(-1)).toMatchObject({ verb: "refuseReoffer", argument: 488 });
    expect(bridge.signals).toEqual(["answer"]);
    expect(bridge.homeserver.told[0]?.leg.form).toEqual(legacyClient("0").form);
  });
});
