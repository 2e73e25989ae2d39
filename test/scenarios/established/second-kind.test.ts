// A kind of client that core and bridge have never heard of calls and is called: they know it by its leg alone.
import { describe, expect, test } from "vitest";
import { ConferenceMedia, conferenceForm, conferenceSide, participant } from "../../fakes/conference.ts";
import { nameOf } from "../../fakes/descriptions.ts";
import { accepted, ann, caller, ghost, made1, room, TestBridge } from "../test-bridge.ts";

const client = { form: conferenceForm, abilities: { canRenegotiate: true, hasKeypad: true } };
const ended = { kind: "sip.ended" } as const;

function conference(): { bridge: TestBridge; media: ConferenceMedia } {
  const media = new ConferenceMedia();
  const bridge = new TestBridge({ media });
  bridge.homeserver.side = () => conferenceSide;
  return { bridge, media };
}

async function talking(bridge: TestBridge): Promise<void> {
  await bridge.enterRoom();
  await bridge.take(bridge.inviteFact({ ...client, description: participant("ann") }));
  await bridge.sip(accepted);
}

describe("a client without SDP", () => {
  test("calls a telephone: that hears SDP, and the client hears its own kind of words", async () => {
    const { bridge, media } = conference();
    await talking(bridge);
    expect(media.opened).toMatchObject([{ a: { kind: "leg", form: conferenceForm }, b: { kind: "trunk" } }]);
    expect(media.heard).toEqual([
      { from: "a", said: participant("ann") },
      { from: "b", said: accepted.description },
    ]);
    expect(bridge.trunks.orders[0]).toMatchObject({
      verb: "invite",
      argument: { sdp: expect.stringContaining("s=ours 1") },
    });
    expect(bridge.homeserver.told).toMatchObject([
      { leg: { room, ghost, form: conferenceForm }, signal: { kind: "answer", description: participant("ours 2") } },
    ]);
  });

  test("holds and resumes: the telephone is asked, and its answer comes back in the client's words", async () => {
    const { bridge, media } = conference();
    await talking(bridge);
    const offer = { ...bridge.callOf(), kind: "call.offered", video: false, lifetimeMs: 60_000 } as const;
    await bridge.take({ ...offer, description: participant("ann, muted") });
    await bridge.sip({ kind: "sip.reanswered", description: accepted.description });
    expect(media.heard.map(({ from }) => from)).toEqual(["a", "b", "a", "b"]);
    expect(bridge.trunks.verbs).toEqual(["invite", "reoffer"]);
    expect(bridge.homeserver.told[1]).toMatchObject({
      signal: { kind: "reanswer", description: participant("ours 4") },
    });
  });

  test("is offered what the telephone changes, where it takes offers, and is left in peace where it takes none", async () => {
    for (const canRenegotiate of [true, false]) {
      const { bridge } = conference();
      await bridge.enterRoom();
      await bridge.take(
        bridge.inviteFact({
          ...client,
          abilities: { canRenegotiate, hasKeypad: true },
          description: participant("ann"),
        }),
      );
      await bridge.sip(accepted);
      await bridge.sip({ kind: "sip.offered", description: accepted.description });
      expect(bridge.homeserver.told.map(({ signal }) => signal.kind)).toEqual(
        canRenegotiate ? ["answer", "reoffer"] : ["answer"],
      );
      if (!canRenegotiate) expect(bridge.trunks.orders.at(-1)).toMatchObject({ verb: "refuseReoffer", argument: 488 });
    }
  });

  test("is rung by a telephone, answers, and hears it hang up", async () => {
    const { bridge, media } = conference();
    await bridge.arrive();
    expect(bridge.homeserver.told).toEqual([
      {
        leg: { ...conferenceSide, room: made1, ghost: caller },
        signal: { kind: "invite", description: participant("ours 1"), lifetimeMs: 90_000, invitee: ann },
      },
    ]);
    await bridge.take({ ...bridge.answer(made1), ...client, description: participant("ann") });
    expect(media.heard.at(-1)).toEqual({ from: "a", said: participant("ann") });
    const accept = bridge.trunks.orders.find(({ verb }) => verb === "accept");
    expect(nameOf(String(accept?.argument))).toBe("ours 2");
    await bridge.sip({ kind: "sip.hungUp", q850: 16 });
    expect(bridge.homeserver.told.at(-1)).toMatchObject({
      leg: { form: conferenceForm },
      signal: { kind: "hangup", cause: "caller-hung-up" },
    });
  });

  test("calls the number that is calling it: its own call is the one that both have", async () => {
    const { bridge, media } = conference();
    await bridge.arrive();
    await bridge.take(
      bridge.inviteFact({ ...client, room: made1, invitee: caller, description: participant("ann calls") }),
    );
    expect(media.heard.at(-1)).toEqual({ from: "a", said: participant("ann calls") });
    expect(bridge.homeserver.told.map(({ signal }) => signal.kind)).toEqual(["invite", "hangup", "answer"]);
    expect(bridge.switchboard.calls).toMatchObject([{ phase: { kind: "connected", leg: { form: conferenceForm } } }]);
  });

  test("is told after a restart that its call is over, in the form that was stored", async () => {
    const { bridge: before } = conference();
    await talking(before);
    const after = new TestBridge({ store: before.store });
    for (const call of await before.store.calls.open()) await after.switchboard.recover(call);
    await after.sip(ended);
    expect(after.homeserver.told).toMatchObject([
      { leg: { room, ghost, form: conferenceForm }, signal: { kind: "hangup", cause: "restarted" } },
    ]);
    expect(await after.store.calls.open()).toEqual([]);
  });

  test("is refused at once where the media engine has no end for it, and no INVITE goes out", async () => {
    const bridge = new TestBridge();
    await bridge.enterRoom();
    await bridge.take(bridge.inviteFact({ ...client, description: participant("ann") }));
    expect(bridge.trunks.verbs).toEqual([]);
    expect(bridge.homeserver.told).toMatchObject([{ signal: { kind: "reject" } }]);
    expect(bridge.switchboard.calls).toEqual([]);
  });
});
