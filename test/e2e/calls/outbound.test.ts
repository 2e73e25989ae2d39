// A person types a number into a Matrix client and talks to whoever answers: real parts only.
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Baresip, startBaresip } from "../parts/telephones/baresip.ts";
import { type Browser, startBrowser } from "../parts/clients/browser.ts";
import { silenceAt, toneAt } from "../parts/base/hearing.ts";
import { suiteRig, testRig } from "../parts/base/rig.ts";
import { openRtpEar } from "../parts/telephones/rtp-ear.ts";
import { type Scenario, type SippOptions, startSipp } from "../parts/telephones/sipp.ts";
import { BARRED, ghostOf, type Stage, startStage } from "../parts/stages/stage.ts";
import { until } from "../parts/base/until.ts";

const NEAR_HZ = 440;
const FAR_HZ = 1000;

const NUMBERS = {
  phone: "01818118181",
  busy: "01632960486",
  missing: "01632960404",
  silent: "01632960487",
  forgotten: "01632960488",
  crossing: "01632960200",
  leaving: "01632960201",
  patient: "01632960202",
  holding: "01632960203",
} as const;
const BOT = "@_sip_bot:example.org";

const UNKNOWN = "01632960999";

const rig = suiteRig("outbound");
let stage: Stage<keyof typeof NUMBERS>;
let phone: Baresip;
let alice: Browser;

beforeAll(async () => {
  stage = await startStage(rig, NUMBERS, { config: { encryption: { mode: "off" } } });
  phone = await startBaresip(rig, { number: NUMBERS.phone, port: stage.ports.phone, toneHz: FAR_HZ });
  const account = await stage.synapse.register("alice");
  alice = await startBrowser(rig, { homeserver: stage.synapse.url, account, toneHz: NEAR_HZ });
});

// A test that fails in a call leaves none to the next one.
afterEach(() => alice.phone.hangupAll());

/** A SIPp at a number, with an ear for its audio. */
async function farEnd(name: keyof typeof NUMBERS, scenario: Scenario, options: Partial<SippOptions> = {}) {
  const own = testRig();
  const ear = await openRtpEar(own, { toneHz: FAR_HZ });
  const sipp = await startSipp(own, { scenario, port: stage.ports[name], rtpPort: ear.port, ...options });
  return { own, ear, sipp };
}

/** The first message of a room: what the ghost has to say. */
const noticeIn = (roomId: string) =>
  until("a notice", async () => (await alice.phone.messages()).find((message) => message.roomId === roomId));

describe("The dial pad", () => {
  it("is there, for the stable protocol and for the one before it", async () => {
    expect(await alice.phone.protocols()).toEqual(
      expect.arrayContaining(["m.protocol.pstn", "im.vector.protocol.pstn"]),
    );
  });

  it("finds the user of a number, whatever stands between its digits", async () => {
    expect(await alice.phone.lookup(NUMBERS.phone)).toEqual([ghostOf(NUMBERS.phone)]);
    expect(await alice.phone.lookup("+442079460000")).toEqual([ghostOf("+442079460000")]);
    // The SIP URI's own escaping first, then that of the user id.
    expect(await alice.phone.lookup("0181 811-8181")).toEqual([ghostOf("01818118181")]);
    expect(await alice.phone.lookup("*#21#")).toEqual([ghostOf("%2a%252321%2523")]);
    expect(await alice.phone.lookup("not a number")).toEqual([]);
  });
});

describe("A dialled number", () => {
  it("rings, is answered, and each side hears the other; the caller hangs up", async () => {
    const from = phone.events.length;
    const { userId, roomId } = await alice.phone.dial(NUMBERS.phone);
    expect(userId).toBe(ghostOf(NUMBERS.phone));
    await alice.inState("connected");
    await phone.event("CALL_ESTABLISHED", { from });
    await Promise.all([toneAt(alice.hears, FAR_HZ, [NEAR_HZ]), toneAt(phone.hears, NEAR_HZ, [FAR_HZ])]);
    expect(await alice.phone.displayName(roomId, userId)).not.toContain("%40");
    await alice.phone.hangup();
    await phone.event("CALL_CLOSED", { from });
    expect(await alice.inState("ended")).toMatchObject({ hangupParty: "local", errors: [] });
  });

  it("can be dialled again in the same room; the callee hangs up", async () => {
    const before = (await alice.report()).roomId;
    const from = phone.events.length;
    expect((await alice.phone.dial(NUMBERS.phone)).roomId).toBe(before);
    await alice.inState("connected");
    await phone.event("CALL_ESTABLISHED", { from });
    await toneAt(alice.hears, FAR_HZ, [NEAR_HZ]);
    await phone.hangup();
    expect(await alice.inState("ended")).toMatchObject({ hangupParty: "remote", errors: [] });
  });

  it("is the same telephone when it was typed with spaces", async () => {
    const from = phone.events.length;
    await alice.phone.dial("0181 811-8181");
    await alice.inState("connected");
    await phone.event("CALL_ESTABLISHED", { from });
    await alice.phone.hangup();
    await phone.event("CALL_CLOSED", { from });
  });

  it("hears keys that are pressed: each once, in order, and as long as it was pressed", async () => {
    const { ear, sipp } = await farEnd("patient", "uas-wait-bye");
    await alice.phone.dial(NUMBERS.patient);
    await alice.inState("connected");
    await toneAt(ear.hears, NEAR_HZ, [FAR_HZ]);
    await alice.phone.dtmf("159#", 160);
    await until("four keys", () => ear.keypresses().length === 4);
    expect(ear.keypresses().map(({ digit }) => digit)).toEqual(["1", "5", "9", "#"]);
    for (const { durationMs } of ear.keypresses()) {
      expect(durationMs).toBeGreaterThanOrEqual(140);
      expect(durationMs).toBeLessThanOrEqual(200);
    }
    await toneAt(ear.hears, NEAR_HZ, [FAR_HZ]);
    await alice.phone.hangup();
    await sipp.done();
  });

  it("hears silence while the caller is muted, and the caller again after that", async () => {
    const { ear, sipp } = await farEnd("patient", "uas-wait-bye");
    await alice.phone.dial(NUMBERS.patient);
    await alice.inState("connected");
    await toneAt(ear.hears, NEAR_HZ, [FAR_HZ]);
    await alice.phone.mute(true);
    await silenceAt(ear.hears);
    await toneAt(alice.hears, FAR_HZ, [NEAR_HZ]);
    await alice.phone.mute(false);
    await toneAt(ear.hears, NEAR_HZ, [FAR_HZ]);
    await alice.phone.hangup();
    await sipp.done();
  });

  it("is put on hold and resumed", async () => {
    const { ear, sipp } = await farEnd("holding", "uas-hold");
    await alice.phone.dial(NUMBERS.holding);
    await alice.inState("connected");
    await toneAt(ear.hears, NEAR_HZ, [FAR_HZ]);
    await alice.phone.hold(true);
    await until("the ACK of the hold", async () => (await sipp.messages()).match(/^ACK /gm)?.length === 2);
    await until("the tone to be over", async () => (await ear.hears([NEAR_HZ], 500))?.hz !== NEAR_HZ);
    await alice.phone.hold(false);
    await until("the ACK of the resumption", async () => (await sipp.messages()).match(/^ACK /gm)?.length === 3);
    await Promise.all([toneAt(alice.hears, FAR_HZ, [NEAR_HZ]), toneAt(ear.hears, NEAR_HZ, [FAR_HZ])]);
    await alice.phone.hangup();
    await sipp.done();
    expect(await alice.report()).toMatchObject({ errors: [] });
  });

  it("answers and hangs up after a while", async () => {
    const { sipp } = await farEnd("leaving", "uas-answer-then-bye", { talkMs: 1000 });
    await alice.phone.dial(NUMBERS.leaving);
    await alice.inState("connected");
    expect(await alice.inState("ended")).toMatchObject({ hangupParty: "remote", errors: [] });
    await sipp.done();
  });
});

describe("A call that is not answered", () => {
  it("to a busy number: the caller reads that it is busy", async () => {
    const { sipp } = await farEnd("busy", "uas-busy");
    await alice.phone.dial(NUMBERS.busy);
    expect(await alice.inState("ended")).toMatchObject({ shown: "User Busy", hangupParty: "remote" });
    await sipp.done();
  });

  it.for([
    ["that its own exchange does not know", NUMBERS.missing],
    ["that the operator does not know", UNKNOWN],
  ] as const)("to a number %s: the caller reads that it is not in service", async ([, number]) => {
    const far = number === NUMBERS.missing ? await farEnd("missing", "uas-not-found") : undefined;
    const { roomId } = await alice.phone.dial(number);
    expect(await alice.inState("ended")).toMatchObject({ shown: "Call Failed", hangupParty: "remote" });
    expect(await noticeIn(roomId)).toMatchObject({
      sender: ghostOf(number),
      msgtype: "m.notice",
      body: "This number is not in service.",
    });
    await far?.sipp.done();
  });

  it("rings for a while, and the caller reads that nobody answered", async () => {
    const { sipp } = await farEnd("silent", "uas-unanswered");
    const { roomId } = await alice.phone.dial(NUMBERS.silent);
    expect(await alice.inState("ended")).toMatchObject({ shown: "Call Failed", hangupParty: "remote" });
    expect(await noticeIn(roomId)).toMatchObject({ body: "Nobody answered." });
    await sipp.done();
  });

  it("is given up after the minute that the invitation lives", async () => {
    const { sipp } = await farEnd("forgotten", "uas-no-answer", { timeoutMs: 90_000 });
    await alice.phone.dial(NUMBERS.forgotten);
    const { history, shown } = await alice.inState("ended", 75_000);
    expect(history.at(-1)?.atMs).toBeGreaterThan(50_000);
    expect(history.map(({ state }) => state)).not.toContain("connecting");
    expect(shown === undefined || shown === "Call Failed").toBe(true);
    await sipp.done();
  }, 100_000);

  it("is cancelled at the far end when the caller gives up", async () => {
    const { sipp } = await farEnd("silent", "uas-no-answer");
    await alice.phone.dial(NUMBERS.silent);
    await until("ringing", async () => (await sipp.messages()).includes("180 Ringing"));
    await alice.phone.hangup();
    await sipp.done();
    expect(await alice.inState("ended")).toMatchObject({ hangupParty: "local", errors: [] });
  });

  it("is hung up on when the answer crosses the cancellation", async () => {
    const { sipp } = await farEnd("crossing", "uas-answers-cancelled");
    await alice.phone.dial(NUMBERS.crossing);
    await until("ringing", async () => (await sipp.messages()).includes("180 Ringing"));
    await alice.phone.hangup();
    await sipp.done();
    expect(await alice.inState("ended")).toMatchObject({ hangupParty: "local", errors: [] });
  });
});

describe("Somebody", () => {
  it("who is not permitted to call is turned down by the number, with the reason", async () => {
    const own = testRig();
    const account = await stage.synapse.register(BARRED);
    const mallory = await startBrowser(own, { homeserver: stage.synapse.url, account, toneHz: NEAR_HZ });
    await mallory.phone.dial(NUMBERS.phone);
    const { roomId } = await mallory.inState("invite_sent");
    const member = `/_matrix/client/v3/rooms/${roomId}/state/m.room.member/${encodeURIComponent(ghostOf(NUMBERS.phone))}`;
    const { membership, reason } = await until("the number to turn the invitation down", async () => {
      const found = await stage.synapse.request("GET", member, { token: account.accessToken });
      return found["membership"] === "leave" && found;
    });
    expect([membership, reason]).toEqual(["leave", "You do not have permission to make telephone calls here."]);
  });

  it("without a dial pad asks the bot to call", async () => {
    const room = await alice.phone.directRoom(BOT);
    await alice.phone.send(room, "help");
    await alice.message(/call NUMBER/);
    const own = testRig();
    const account = await stage.synapse.register("bob");
    const bob = await startBrowser(own, { homeserver: stage.synapse.url, account, toneHz: NEAR_HZ });
    await bob.phone.send(await bob.phone.directRoom(BOT), `call ${NUMBERS.phone}`);
    const [invitation] = await until("the invitation", async () => {
      const rooms = await bob.phone.invitations();
      return rooms.length > 0 && rooms;
    });
    if (invitation === undefined) throw new Error("there was one");
    await bob.phone.join(invitation);
    await bob.phone.callIn(invitation);
    await bob.inState("connected");
    await toneAt(bob.hears, FAR_HZ, [NEAR_HZ]);
    await bob.phone.hangup();
  });

  it("in an encrypted room is told why a call cannot be read, and no more once the number has left it", async () => {
    const own = testRig();
    const account = await stage.synapse.register("carol");
    const carol = await startBrowser(own, {
      homeserver: stage.synapse.url,
      account,
      toneHz: NEAR_HZ,
      encryption: "any",
    });
    const room = await stage.synapse.request("POST", "/_matrix/client/v3/createRoom", {
      token: account.accessToken,
      body: {
        preset: "trusted_private_chat",
        is_direct: true,
        invite: [ghostOf(NUMBERS.phone)],
        initial_state: [{ type: "m.room.encryption", state_key: "", content: { algorithm: "m.megolm.v1.aes-sha2" } }],
      },
    });
    const roomId = String(room["room_id"]);
    await until("the ghost", async () => carol.phone.displayName(roomId, ghostOf(NUMBERS.phone)));
    for (let calls = 0; calls < 2; calls += 1) {
      await carol.phone.callIn(roomId);
      await carol.inState("invite_sent");
      await carol.phone.hangup();
    }
    await carol.message(/encrypted/);
    // Events reach the bridge in order: when the bot has answered, both calls were seen.
    await carol.phone.send(await carol.phone.directRoom(BOT), "help");
    await carol.message(/call NUMBER/);
    const notices = (await carol.phone.messages()).filter((message) => message.roomId === roomId);
    expect(notices).toHaveLength(1);
  });
});

describe("The bridge", () => {
  it("that is killed in a call ends it on both sides when it is back, and takes the next one", async () => {
    const from = phone.events.length;
    await alice.phone.dial(NUMBERS.phone);
    await alice.inState("connected");
    await phone.event("CALL_ESTABLISHED", { from });
    stage.running.signal("SIGKILL");
    await stage.running.exited;
    await stage.bridge.start();
    await phone.event("CALL_CLOSED", { from });
    expect(await alice.inState("ended")).toMatchObject({ hangupParty: "remote" });

    const next = phone.events.length;
    await alice.phone.dial(NUMBERS.phone);
    await alice.inState("connected");
    await phone.event("CALL_ESTABLISHED", { from: next });
    await Promise.all([toneAt(alice.hears, FAR_HZ, [NEAR_HZ]), toneAt(phone.hears, NEAR_HZ, [FAR_HZ])]);
    await alice.phone.hangup();
    await phone.event("CALL_CLOSED", { from: next });
  });
});
