// Keys to tap for a client without a keypad: a message with the twelve keys under it, where a person's reaction is a key, and
// taking it back is the same key again.
import { describe, expect, test } from "vitest";
import { eventId, roomId, type EventId, type UserId } from "../../../src/core/ids.ts";
import { HomeserverError, type MatrixFact } from "../../../src/ports/homeserver.ts";
import { conferenceForm, ConferenceMedia, conferenceSide, participant } from "../../fakes/conference.ts";
import { openMemoryStore } from "../../fakes/memory-store.ts";
import { accepted, ann, bob, ghost, room, TestBridge, type TestBridgeOptions } from "../test-bridge.ts";

const client = { abilities: { canRenegotiate: false, hasKeypad: false } };
const shownKeys = ["1️⃣", "2️⃣", "3️⃣", "4️⃣", "5️⃣", "6️⃣", "7️⃣", "8️⃣", "9️⃣", "*️⃣", "0️⃣", "#️⃣"];
const words = "Keypad: tap a key to send it. Tap it again to send it once more.";
/** The fake homeserver's id of the first notice. */
const first = eventId("$notice1");

/** In a call, with a keypad. */
async function withKeypad(options: TestBridgeOptions = {}): Promise<TestBridge> {
  const bridge = new TestBridge(options);
  await talk(bridge);
  await write(bridge, "keypad");
  return bridge;
}

async function talk(bridge: TestBridge): Promise<void> {
  await bridge.enterRoom();
  await bridge.take(bridge.inviteFact(client));
  await bridge.sip(accepted);
}

async function write(bridge: TestBridge, body: string, sender = ann, where = room): Promise<void> {
  await bridge.take({ ...bridge.origin(sender, where), kind: "message.received", body, form: "text", edits: false });
}

type Reaction = Extract<MatrixFact, { kind: "reaction.added" }>;

const tap = (bridge: TestBridge, mark: string, changes: Partial<Reaction> = {}): Reaction => ({
  ...bridge.origin(),
  kind: "reaction.added",
  about: first,
  mark,
  ...changes,
});

const takeBack = (bridge: TestBridge, event: EventId, sender = ann): MatrixFact => ({
  ...bridge.origin(sender),
  kind: "event.withdrawn",
  event,
});

const keysHeard = (bridge: TestBridge): string =>
  (bridge.media.engine.opened[0]?.digits ?? []).map(({ to, digit }) => `${to}${digit}`).join(" ");

describe("a person who talks with a client without a keypad", () => {
  test.each(["keypad", "Keys", "!keypad"])(
    "writes %s, and gets a message with the keys of a telephone under it",
    async (body) => {
      const bridge = new TestBridge();
      await talk(bridge);
      await write(bridge, body);
      expect(bridge.homeserver.notices).toEqual([{ room, as: ghost, text: words, about: undefined }]);
      expect(bridge.homeserver.reactions).toEqual(shownKeys.map((mark) => ({ room, as: ghost, about: first, mark })));
      expect(bridge.trunks.verbs).toEqual(["invite"]);
      expect(keysHeard(bridge)).toBe("");
    },
  );

  test("is told in an encrypted room what the homeserver sees", async () => {
    const bridge = new TestBridge();
    bridge.homeserver.readsEncrypted = true;
    bridge.homeserver.encryptedRooms.add(room);
    await talk(bridge);
    await write(bridge, "keypad");
    const secret = "Your homeserver can see which keys you tap here. It cannot see keys that you write.";
    expect(bridge.words.at(-1)).toBe(`${words} ${secret}`);
  });

  test("taps keys, which the telephone hears in their order, among keys that they write", async () => {
    const bridge = await withKeypad();
    await bridge.take(...shownKeys.slice(0, 2).map((mark) => tap(bridge, mark)));
    await write(bridge, "3*");
    await bridge.take(...["9⃣", "#️⃣", "*", "0"].map((mark) => tap(bridge, mark)));
    expect(keysHeard(bridge)).toBe("b1 b2 b3 b* b9 b# b* b0");
  });

  test("presses a key again and again by taking the reaction back and putting it there", async () => {
    const bridge = await withKeypad();
    const five = tap(bridge, "5️⃣");
    await bridge.take(five, takeBack(bridge, five.eventId), tap(bridge, "5️⃣"), tap(bridge, "6️⃣"));
    expect(keysHeard(bridge)).toBe("b5 b5 b5 b6");
  });

  test("presses once what the homeserver tells twice", async () => {
    const bridge = await withKeypad();
    const five = tap(bridge, "5️⃣");
    const back = takeBack(bridge, five.eventId);
    await bridge.take(five, five, back, back, takeBack(bridge, five.eventId));
    expect(keysHeard(bridge)).toBe("b5 b5");
  });

  test("presses nothing with other marks, under other messages, or by taking other things back", async () => {
    const bridge = await withKeypad();
    for (const mark of ["👍", "12", "A", "10", "🔟", "٥", " 1", "1 ", ""]) await bridge.take(tap(bridge, mark));
    const thumb = tap(bridge, "👍");
    const elsewhere = tap(bridge, "1️⃣", { about: eventId("$notice2") });
    await bridge.take(thumb, elsewhere, takeBack(bridge, thumb.eventId), takeBack(bridge, elsewhere.eventId));
    await bridge.take(takeBack(bridge, first));
    expect(keysHeard(bridge)).toBe("");
    expect(bridge.words).toEqual([words]);
  });

  test("is alone with the keypad: nobody else's taps are keys", async () => {
    const bridge = await withKeypad();
    const five = tap(bridge, "5️⃣");
    await bridge.take(tap(bridge, "1️⃣", { sender: bob }), five, takeBack(bridge, five.eventId, bob));
    expect(keysHeard(bridge)).toBe("b5");
  });

  test("presses no keys by what they tapped a minute before, and does by the next tap", async () => {
    const bridge = await withKeypad();
    const late = tap(bridge, "1️⃣", { ageMs: 61_000 });
    await bridge.take(late);
    expect(keysHeard(bridge)).toBe("");
    await bridge.take(takeBack(bridge, late.eventId));
    expect(keysHeard(bridge)).toBe("b1");
  });

  test("presses no more keys than can be played", async () => {
    const bridge = await withKeypad();
    for (let count = 0; count < 25; count += 1)
      await bridge.take(...Array.from({ length: 10 }, () => tap(bridge, "1")));
    expect(bridge.media.engine.opened[0]?.digits).toHaveLength(240);
    await bridge.passTime(60_000);
    await bridge.take(tap(bridge, "2"));
    expect(bridge.media.engine.opened[0]?.digits).toHaveLength(241);
  });

  test("gets the keypad again at the end of the room, and the old one goes", async () => {
    const bridge = await withKeypad();
    await write(bridge, "keys");
    expect(bridge.homeserver.withdrawn).toEqual([{ room, as: ghost, event: first }]);
    expect(bridge.homeserver.reactions).toHaveLength(24);
    await bridge.take(tap(bridge, "1️⃣"), tap(bridge, "2️⃣", { about: eventId("$notice2") }));
    expect(keysHeard(bridge)).toBe("b2");
  });

  test("gets six keypads a minute", async () => {
    const bridge = await withKeypad();
    for (let count = 0; count < 9; count += 1) await write(bridge, "keypad");
    expect(bridge.words).toHaveLength(6);
  });

  test("writes for keys where there is no call, or as somebody else: a text, as ever", async () => {
    const bridge = new TestBridge();
    await bridge.enterRoom();
    await write(bridge, "keypad");
    await talk(bridge);
    await write(bridge, "keypad", bob);
    expect(bridge.homeserver.reactions).toEqual([]);
  });
});

test("a person whose client has a keypad gets none by writing so", async () => {
  const bridge = new TestBridge();
  await bridge.ring();
  await bridge.sip(accepted);
  await write(bridge, "keypad");
  expect(bridge.homeserver.reactions).toEqual([]);
});

describe("a keypad", () => {
  test("goes when the call is over, and does nothing any more", async () => {
    const bridge = await withKeypad();
    const five = tap(bridge, "5️⃣");
    await bridge.take(five);
    await bridge.sip({ kind: "sip.hungUp", q850: 16 });
    expect(bridge.homeserver.withdrawn).toEqual([{ room, as: ghost, event: first }]);
    await bridge.take(bridge.inviteFact({ ...client, matrixCallId: bridge.callOf(ann, "call2").matrixCallId }));
    await bridge.sip(accepted);
    await bridge.take(tap(bridge, "1️⃣"), takeBack(bridge, five.eventId));
    expect(bridge.media.engine.opened.map(({ digits }) => digits.length)).toEqual([1, 0]);
  });

  test("goes when the call is handed to somebody else", async () => {
    const bridge = await withKeypad();
    await write(bridge, `transfer ${bob}`);
    expect(bridge.homeserver.told.at(-1)).toMatchObject({ signal: { kind: "invite", invitee: bob } });
    expect(bridge.homeserver.withdrawn).toEqual([{ room, as: ghost, event: first }]);
  });

  test("whose message is still on its way when the call ends goes when it is there, without keys", async () => {
    const bridge = new TestBridge();
    await talk(bridge);
    bridge.homeserver.hold();
    await write(bridge, "keypad");
    await bridge.sip({ kind: "sip.hungUp", q850: 16 });
    bridge.homeserver.release();
    await bridge.quiet();
    expect(bridge.homeserver.withdrawn).toEqual([{ room, as: ghost, event: first }]);
    expect(bridge.homeserver.reactions).toEqual([]);
  });

  test("gets no more keys when the call has ended meanwhile", async () => {
    const bridge = new TestBridge();
    await talk(bridge);
    bridge.homeserver.hold();
    await write(bridge, "keypad");
    bridge.homeserver.release();
    bridge.homeserver.hold();
    await bridge.quiet();
    expect(bridge.homeserver.notices).toHaveLength(1);
    await bridge.sip({ kind: "sip.hungUp", q850: 16 });
    bridge.homeserver.release();
    await bridge.quiet();
    expect(bridge.homeserver.reactions).toHaveLength(1);
    expect(bridge.homeserver.withdrawn).toHaveLength(1);
  });

  test.each([
    ["the homeserver is away is taken away after the next start", true, 1],
    ["the number is not in the room any more is let be", false, 0],
  ])("that cannot be taken away because %s", async (_, transient, withdrawn) => {
    const store = openMemoryStore();
    const bridge = await withKeypad({ store });
    bridge.homeserver.failure = new HomeserverError("M_SOMETHING", "no", transient);
    await bridge.sip({ kind: "sip.hungUp", q850: 16 });
    const next = new TestBridge({ store });
    await next.door.start();
    await next.quiet();
    expect(next.homeserver.withdrawn).toHaveLength(withdrawn);
  });

  test("that could not be shown can be asked for again", async () => {
    const bridge = new TestBridge();
    await talk(bridge);
    bridge.homeserver.failure = new HomeserverError("UNREACHABLE", "gone", true);
    await write(bridge, "keypad");
    bridge.homeserver.failure = undefined;
    await write(bridge, "keypad");
    expect(bridge.homeserver.reactions).toHaveLength(12);
  });

  test("that a bridge has left that died is taken away after the next start", async () => {
    const store = openMemoryStore();
    await withKeypad({ store });
    const next = new TestBridge({ store });
    await next.door.start();
    await next.quiet();
    expect(next.homeserver.withdrawn).toEqual([{ room, as: ghost, event: first }]);
    await next.take(tap(next, "1️⃣"));
    expect(keysHeard(next)).toBe("");
    const last = new TestBridge({ store });
    await last.door.start();
    await last.quiet();
    expect(last.homeserver.withdrawn).toEqual([]);
  });
});

test("in the room of the bot, which has rung the person, the keypad is the bot's", async () => {
  const bot = "@_sip_bot:example.org" as UserId;
  const lobby = roomId("!lobby:example.org");
  const media = new ConferenceMedia();
  const bridge = new TestBridge({ media });
  bridge.homeserver.side = () => conferenceSide;
  bridge.homeserver.memberList = [ann, bot].map((user) => ({ user, membership: "join" }));
  const invited = { kind: "member.invited", user: bot, direct: true, encrypted: false, public: false } as const;
  await bridge.take({ ...bridge.origin(ann, lobby), ...invited });
  await write(bridge, "call 0181 811 8181", ann, lobby);
  const { matrixCallId } = conferenceSide;
  const answered = { kind: "call.answered", form: conferenceForm, ...client, description: participant("ann") } as const;
  await bridge.take({ ...bridge.origin(ann, lobby), matrixCallId, device: undefined, ...answered });
  await bridge.sip(accepted);
  await write(bridge, "keypad", ann, lobby);
  const pad = eventId(`$notice${bridge.homeserver.notices.length}`);
  expect(bridge.homeserver.reactions).toEqual(shownKeys.map((mark) => ({ room: lobby, as: bot, about: pad, mark })));
  await bridge.take(tap(bridge, "7️⃣", { about: pad, room: lobby }));
  expect(media.pressed).toEqual(["b7"]);
  await bridge.sip({ kind: "sip.hungUp", q850: 16 });
  expect(bridge.homeserver.withdrawn).toEqual([{ room: lobby, as: bot, event: pad }]);
});
