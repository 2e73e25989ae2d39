// Calls and texts in encrypted rooms, on a homeserver that encrypts every new room. Real parts only: the person's client is
// matrix-js-sdk with its Rust crypto.
import { resolve } from "node:path";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import type { RunningProcess } from "../parts/base/process.ts";
import { suiteRig, testRig } from "../parts/base/rig.ts";
import { toneAt } from "../parts/base/hearing.ts";
import { until } from "../parts/base/until.ts";
import { type Browser, startBrowser } from "../parts/clients/browser.ts";
import { hearEachOther, joinsTheBot, lineIn } from "../parts/clients/called.ts";
import type { Account } from "../parts/homeservers/real-homeserver.ts";
import { timelinesOf, typesIn } from "../parts/homeservers/timeline.ts";
import { ghostOf, type Stage, startStage } from "../parts/stages/stage.ts";
import { type Baresip, startBaresip } from "../parts/telephones/baresip.ts";
import { startSipp } from "../parts/telephones/sipp.ts";

const ALICE_HZ = 440;
const PHONE_HZ = 1000;
const STRANGER_HZ = 1600;
const LISTED_HZ = 700;
const NUMBERS = {
  phone: "01632960101",
  texts: "01632960102",
  stranger: "01632960103",
  listed: "01632960104",
} as const;
/** The proxy knows nobody of this number. */
const UNKNOWN = "01632960999";
const BOT = "@_sip_bot:example.org";
const ALICE = "2001";

const rig = suiteRig("encrypted");
let stage: Stage<keyof typeof NUMBERS>;
let phone: Baresip;
let stranger: Baresip;
let listed: Baresip;
let alice: Browser;
let account: Account;
/** The bridge after a restart. */
let bridge: RunningProcess;
/** Of Alice and the telephone. */
let room: string;

beforeAll(async () => {
  stage = await startStage(rig, NUMBERS, {
    encryptByDefault: true,
    preload: resolve(import.meta.dirname, "../parts/stages/worker-killer.ts"),
    inbound: {
      trunks: { [ALICE]: "main" },
      table: () => [{ number: ALICE, user: "@alice:example.org" }],
    },
  });
  account = await stage.synapse.register("alice");
  [phone, stranger, listed, alice] = await Promise.all([
    startBaresip(rig, { number: NUMBERS.phone, port: stage.ports.phone, toneHz: PHONE_HZ }),
    startBaresip(rig, { number: NUMBERS.stranger, port: stage.ports.stranger, toneHz: STRANGER_HZ }),
    startBaresip(rig, { number: NUMBERS.listed, port: stage.ports.listed, toneHz: LISTED_HZ }),
    startBrowser(rig, { homeserver: stage.synapse.url, account, toneHz: ALICE_HZ, encryption: "any" }),
  ]);
});

// A test that fails in a call leaves none to the next one.
afterEach(() => alice.phone.hangupAll());

const atPhone = () => ({ hears: phone.hears, hz: PHONE_HZ });
const atAlice = () => ({ hears: alice.hears, hz: ALICE_HZ });

/** Alice's client knows of keys of the number. */
const keysOf = (ghost: string) => until("keys", async () => (await alice.phone.deviceIdsOf(ghost)).length > 0);

/** What the server has of the room: nothing that it could read. */
const typesOf = (roomId: string) => typesIn(stage.synapse, account, roomId);

async function talk(): Promise<void> {
  const from = phone.events.length;
  await alice.phone.callIn(room);
  await alice.inState("connected");
  await phone.event("CALL_ESTABLISHED", { from });
  await hearEachOther(atPhone(), atAlice());
  await alice.phone.hangup();
  await phone.event("CALL_CLOSED", { from });
  expect(await alice.inState("ended")).toMatchObject({ hangupParty: "local", errors: [] });
}

describe("In an encrypted room", () => {
  it("a number that was called before it had keys asks to be called again", async () => {
    const [ghost = ""] = await alice.phone.lookup(NUMBERS.phone);
    stage.running.signal("SIGSTOP");
    try {
      ({ roomId: room } = await alice.phone.call(ghost));
      await alice.inState("invite_sent");
    } finally {
      stage.running.signal("SIGCONT");
    }
    await lineIn(alice, room, /please hang up and call again/);
    const { sender } = await lineIn(alice, room, /bridge decrypts what is said and written/);
    expect(sender).toBe(ghostOf(NUMBERS.phone));
    await alice.phone.hangup();
  });

  it("the next call is connected, and each side hears the other", async () => {
    await talk();
    expect(await typesOf(room)).toEqual(["m.room.encrypted"]);
  });

  it("texts are read on both sides", async () => {
    const [ghost = ""] = await alice.phone.lookup(NUMBERS.texts);
    const roomId = await alice.phone.directRoom(ghost);
    await keysOf(ghost);
    const reader = await startSipp(testRig(), { scenario: "uas-message", port: stage.ports.texts });
    await alice.phone.send(roomId, "Are you there?");
    await reader.done();
    expect(await reader.messages()).toContain("Are you there?");
    const writer = await startSipp(testRig(), {
      scenario: "uac-message",
      target: `127.0.0.1:${stage.proxy.port}`,
      number: ALICE,
      caller: NUMBERS.texts,
      words: { text: "Grüße" },
    });
    await writer.done();
    expect(await lineIn(alice, roomId, /^Grüße$/)).toMatchObject({ sender: ghost, msgtype: "m.text" });
  });

  it("a text that cannot be delivered or changed is answered", async () => {
    const [ghost = ""] = await alice.phone.lookup(UNKNOWN);
    const roomId = await alice.phone.directRoom(ghost);
    await keysOf(ghost);
    const unread = await alice.phone.send(roomId, "Is anybody there?");
    expect(await lineIn(alice, roomId, /Not delivered/)).toMatchObject({
      sender: ghost,
      body: "Not delivered: this number is not in service.",
      repliesTo: unread,
    });
    await alice.phone.edit(roomId, unread, "Hello?");
    await lineIn(alice, roomId, /^You cannot change a text/);
    const texts = stage.proxy.log.text.match(new RegExp(`request MESSAGE.*${UNKNOWN}`, "g"));
    expect(texts).toHaveLength(1);
  });

  it("a telephone calls, is answered, held and resumed from each side, and each side hears the other", async () => {
    const from = phone.events.length;
    await phone.dial(`sip:${ALICE}@127.0.0.1:${stage.proxy.port}`);
    const { roomId } = await alice.ringing();
    expect(roomId).toBe(room);
    await alice.phone.answer();
    await alice.inState("connected");
    await phone.event("CALL_ESTABLISHED", { from });
    await hearEachOther(atPhone(), atAlice());
    const invites = () => stage.proxy.log.text.match(/request INVITE/g)?.length ?? 0;
    const before = invites();
    await alice.phone.hold(true);
    await until("the INVITE of the hold", () => invites() === before + 1);
    await alice.phone.hold(false);
    await until("the INVITE of the resumption", () => invites() === before + 2);
    // The telephone's recording ends with its first re-INVITE.
    const hearsPhone = () => toneAt(alice.hears, PHONE_HZ, [ALICE_HZ]);
    await hearsPhone();
    const isShown = async (held: boolean) =>
      until(held ? "the hold at the client" : "its end", async () => (await alice.report()).localOnHold === held);
    await phone.command("hold");
    await isShown(true);
    await phone.command("resume");
    await isShown(false);
    await hearsPhone();
    await phone.hangup();
    expect(await alice.inState("ended")).toMatchObject({ hangupParty: "remote", errors: [] });
    expect(await typesOf(room)).toEqual(["m.room.encrypted"]);
  });

  it("a call that is up goes on when the crypto worker dies, and is hung up like any other", async () => {
    const from = phone.events.length;
    await alice.phone.callIn(room);
    await alice.inState("connected");
    await phone.event("CALL_ESTABLISHED", { from });
    stage.running.signal("SIGUSR2");
    await stage.running.saying(/the crypto worker ended/);
    await hearEachOther(atPhone(), atAlice());
    await alice.phone.hangup();
    await phone.event("CALL_CLOSED", { from });
    await talk();
  });

  it("a number that never called before rings in the room with the bot", async () => {
    const botRoom = await joinsTheBot(alice);
    await lineIn(alice, botRoom, /bridge decrypts what is said and written/);
    const from = stranger.events.length;
    await stranger.dial(`sip:${ALICE}@127.0.0.1:${stage.proxy.port}`);
    const { roomId } = await alice.ringing();
    expect(roomId).toBe(botRoom);
    await alice.phone.answer();
    await alice.inState("connected");
    await stranger.event("CALL_ESTABLISHED", { from });
    await hearEachOther({ hears: stranger.hears, hz: STRANGER_HZ }, atAlice());
    await alice.phone.hangup();
    await stranger.event("CALL_CLOSED", { from });
    expect(await typesOf(botRoom)).toEqual(["m.room.encrypted"]);
  });

  it("the bot helps, and opens a room with a number in which a call is connected", async () => {
    const roomId = await alice.phone.directRoom(BOT);
    await keysOf(BOT);
    await alice.phone.send(roomId, "help");
    expect(await lineIn(alice, roomId, /^I connect Matrix calls to telephones/)).toMatchObject({ sender: BOT });
    const before = await alice.phone.invitations();
    await alice.phone.send(roomId, `call ${NUMBERS.listed}`);
    await lineIn(alice, roomId, /^Here is the room of/);
    const opened = await until("the number's invitation", async () =>
      (await alice.phone.invitations()).find((one) => !before.includes(one)),
    );
    expect(await typesOf(roomId)).toEqual(["m.room.encrypted"]);
    await alice.phone.join(opened);
    await lineIn(alice, opened, /bridge decrypts what is said and written/);
    const from = listed.events.length;
    await alice.phone.callIn(opened);
    await alice.inState("connected");
    await listed.event("CALL_ESTABLISHED", { from });
    await hearEachOther({ hears: listed.hears, hz: LISTED_HZ }, atAlice());
    await alice.phone.hangup();
    await listed.event("CALL_CLOSED", { from });
    expect(await typesOf(opened)).toEqual(["m.room.encrypted"]);
  });

  it("a call is connected at once after the bridge was restarted", async () => {
    const [before] = await alice.phone.deviceIdsOf(ghostOf(NUMBERS.phone));
    stage.running.signal("SIGTERM");
    await stage.running.exited;
    bridge = await stage.bridge.start();
    await talk();
    // The device of before is gone.
    await until("the new device alone", async () => {
      const devices = await alice.phone.deviceIdsOf(ghostOf(NUMBERS.phone));
      return devices.length === 1 && !devices.includes(before ?? "");
    });
  });

  it("a call that is up when the bridge is killed is ended on both sides", async () => {
    const from = phone.events.length;
    await alice.phone.callIn(room);
    await alice.inState("connected");
    await phone.event("CALL_ESTABLISHED", { from });
    bridge.signal("SIGKILL");
    await bridge.exited;
    await stage.bridge.start();
    await phone.event("CALL_CLOSED", { from });
    expect(await alice.inState("ended")).toMatchObject({ hangupParty: "remote" });
  });

  it("nothing was sent by anybody, over all of this, that the homeserver could read", async () => {
    const events = await timelinesOf(stage.synapse, account);
    expect(new Set(events.map(({ room: where }) => where)).size).toBe(6);
    expect(events.filter(({ sender }) => sender.startsWith("@_sip_")).length).toBeGreaterThan(20);
    expect(events.filter(({ type }) => type !== "m.room.encrypted")).toEqual([]);
  });
});
