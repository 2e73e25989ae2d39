// People whose clients have no way to dial write a number to the bot: it rings them there, and dials when they answer.
import { beforeEach, describe, expect, test } from "vitest";
import { deviceId, roomId, type UserId } from "../../../src/core/ids.ts";
import type { MatrixFact } from "../../../src/ports/homeserver.ts";
import { conferenceForm, ConferenceMedia, conferenceSide, participant } from "../../fakes/conference.ts";
import { accepted, ann, bob, TestBridge, type TestBridgeOptions } from "../test-bridge.ts";

const bot = "@_sip_bot:example.org" as UserId;
const lobby = roomId("!lobby:example.org");
const client = { form: conferenceForm, abilities: { canRenegotiate: false, hasKeypad: false } };
const link = "https://matrix.to/#/";

let bridge: TestBridge;
beforeEach(async () => {
  bridge = await lobbyOf({});
});

async function lobbyOf(options: TestBridgeOptions): Promise<TestBridge> {
  const made = new TestBridge({ media: new ConferenceMedia(), ...options });
  made.homeserver.side = () => conferenceSide;
  made.homeserver.memberList = [ann, bot].map((user) => ({ user, membership: "join" }));
  const invited = { kind: "member.invited", user: bot, direct: true, encrypted: false, public: false } as const;
  await made.take({ ...made.origin(ann, lobby), ...invited });
  return made;
}

async function write(body: string): Promise<void> {
  await bridge.take({ ...bridge.origin(ann, lobby), kind: "message.received", body, form: "text", edits: false });
}

const kinds = () => bridge.homeserver.told.map(({ signal }) => signal.kind);

function said(by: UserId = ann) {
  const { matrixCallId } = conferenceSide;
  return { ...bridge.origin(by, lobby), matrixCallId, device: deviceId("X") };
}
const answer = (by: UserId = ann): MatrixFact => ({
  ...said(by),
  kind: "call.answered",
  ...client,
  description: participant("ann"),
});

describe("a number that is written to the bot", () => {
  test.each(["call 0181 811 8181", "Dial 0181 811 8181", "!call 01818118181", "0181 811 8181", " +44 181 811 8181\n"])(
    "%s rings the person back, and is dialled when they answer",
    async (body) => {
      await write(body);
      expect(bridge.homeserver.told).toEqual([
        {
          leg: { ...conferenceSide, room: lobby, ghost: bot },
          signal: { kind: "invite", description: "", lifetimeMs: 45_000, invitee: ann },
        },
      ]);
      expect(bridge.words.at(-1)).toMatch(/^I am ringing you\. Answer, and I call .*8181\. Next time .*matrix\.to/);
      expect(bridge.trunks.verbs).toEqual([]);
      await bridge.take(answer());
      expect(bridge.trunks.orders).toMatchObject([
        { verb: "invite", argument: { target: expect.stringContaining("8181") } },
      ]);
    },
  );

  test.each(["2026-11-30", "30.11.2026", "2026", "19.30", " 12.99\n"])(
    "need not be one: whoever writes %s is asked, and rung only if they write that they mean it",
    async (body) => {
      await write(body);
      expect(bridge.signals).toEqual([]);
      expect(bridge.words.at(-1)).toBe(`Is that a telephone number? Write “call ${body.trim()}” to call it.`);
      await write("call 2026");
      expect(bridge.signals).toEqual(["invite"]);
    },
  );

  test("is none if it has one or two digits, or more besides: the person reads what they can write", async () => {
    for (const body of ["5", "42", "See you at 19:30", "in 2026", "20 7946 0440 or so"]) {
      await write(body);
      expect(bridge.words.at(-1)).toContain("call NUMBER");
    }
    expect(bridge.signals).toEqual([]);
  });

  test("and is read only a minute later rings nobody, and the person reads why", async () => {
    const message = { kind: "message.received", body: "call 0181 811 8181", form: "text", edits: false } as const;
    await bridge.take({ ...bridge.origin(ann, lobby), ...message, ageMs: 61_000 });
    expect(bridge.signals).toEqual([]);
    expect(bridge.words.at(-1)).toMatch(/^I have read this only now\./);
  });

  test("is heard ringing: whoever answered the bot is in the call from the network's first tone on", async () => {
    await write("call 0181 811 8181");
    await bridge.take(answer());
    await bridge.sip({ kind: "sip.progressed", description: accepted.description });
    expect(bridge.signals).toEqual(["invite", "select X", "answer"]);
    expect(bridge.homeserver.told[2]?.leg).toMatchObject({ ...conferenceSide, room: lobby, ghost: bot });
    await bridge.sip(accepted);
    expect(bridge.switchboard.calls).toMatchObject([{ phase: { kind: "connected" } }]);
    await bridge.take({ ...said(), kind: "call.hungUp", said: undefined });
    expect(bridge.trunks.verbs).toEqual(["invite", "bye"]);
  });

  test("is heard ringing in a tone of ours, where the network plays none", async () => {
    const media = new ConferenceMedia();
    bridge = await lobbyOf({ media });
    await write("call 0181 811 8181");
    await bridge.take(answer());
    expect(media.rang).toEqual([]);
    await bridge.sip({ kind: "sip.ringing" });
    expect(media.rang).toEqual(["a"]);
  });

  test("that is busy or wrong is said to be so, and the person is let go", async () => {
    await write("call 0181 811 8181");
    await bridge.take(answer());
    await bridge.sip({ kind: "sip.rejected", status: 404, phrase: "", q850: undefined });
    expect(bridge.words.at(-1)).toBe("This number is not in service.");
    expect(bridge.homeserver.told.at(-1)).toMatchObject({
      leg: { room: lobby, ghost: bot },
      signal: { kind: "reject" },
    });
  });

  test("is not dialled if they refuse, hang up, do not answer, or somebody else answers", async () => {
    await write("call 0181 811 8181");
    await bridge.take(answer(bob));
    await bridge.take({ ...said(), kind: "call.rejected", said: undefined });
    await bridge.take(answer());
    expect(kinds()).toEqual(["invite", "hangup"]);
    await write("call 0181 811 8181");
    await bridge.passTime(45_000);
    await bridge.take(answer());
    expect(kinds().slice(2)).toEqual(["invite", "hangup"]);
    expect(bridge.trunks.verbs).toEqual([]);
  });

  test("does not ring a second time while it rings, nor in the middle of a call: there is a link", async () => {
    await write("call 0181 811 8181");
    await write("call 0181 811 8182");
    expect(bridge.signals).toEqual(["invite"]);
    expect(bridge.words.at(-1)).toMatch(/^Here is the room of/);
    await bridge.take(answer());
    await write("call 0181 811 8183");
    expect(bridge.signals).toEqual(["invite", "select X"]);
  });

  test("that may not be called does not ring the person", async () => {
    await write("call 0906 123 4567");
    expect(bridge.signals).toEqual([]);
  });

  test("is a link for somebody whose client needs an offer, or that cannot be rung", async () => {
    bridge = await lobbyOf({});
    bridge.homeserver.side = new TestBridge().homeserver.side;
    await write("call 0181 811 8181");
    expect(bridge.signals).toEqual([]);
    expect(bridge.words.at(-1)).toContain(link);
  });
});

test("the bot transfers a call that it has rung for, and one of another room", async () => {
  await write("call 0181 811 8181");
  await bridge.take(answer());
  await bridge.sip(accepted);
  await write("transfer 0207 946 0999");
  expect(bridge.trunks.verbs).toContain("refer");
  bridge = await lobbyOf({});
  await bridge.enterRoom();
  await bridge.take(bridge.inviteFact({ ...client, description: participant("ann") }));
  await bridge.sip(accepted);
  await write("transfer");
  expect(bridge.homeserver.notices.at(-1)).toMatchObject({
    room: lobby,
    as: bot,
    text: expect.stringContaining("To whom?"),
  });
  await write("transfer 0207 946 0999");
  expect(bridge.trunks.verbs).toContain("refer");
});

test("nobody is rung any more when the bridge stops", async () => {
  await write("call 0181 811 8181");
  await bridge.ringBacks.stop();
  await bridge.take(answer());
  expect(kinds()).toEqual(["invite", "hangup"]);
  expect(bridge.trunks.verbs).toEqual([]);
});
