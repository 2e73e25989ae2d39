// People whose clients speak to signed devices alone ("Exclude insecure devices" in Element), on a homeserver that encrypts
// every new room: the first call ever, a new identity, a new device, and what strangers get. Real parts only.
import { afterEach, beforeAll, expect, it } from "vitest";
import { suiteRig } from "../parts/base/rig.ts";
import { until } from "../parts/base/until.ts";
import { type Browser, startBrowser } from "../parts/clients/browser.ts";
import { endAt, hearEachOther, lineIn } from "../parts/clients/called.ts";
import type { Account } from "../parts/homeservers/real-homeserver.ts";
import { timelineOf } from "../parts/homeservers/timeline.ts";
import { ghostOf, type Stage, startStage } from "../parts/stages/stage.ts";
import { type Baresip, startBaresip } from "../parts/telephones/baresip.ts";

const ALICE_HZ = 440;
const PHONE_HZ = 1000;
const NUMBERS = { phone: "01632960101" } as const;
const ALICE = "2001";

const rig = suiteRig("encrypted-people");
let stage: Stage<keyof typeof NUMBERS>;
let phone: Baresip;
let account: Account;
let alice: Browser;
/** Of Alice and the telephone. */
let room: string;

beforeAll(async () => {
  stage = await startStage(rig, NUMBERS, {
    encryptByDefault: true,
    // As the documentation has it for such homeservers: a number that nobody has looked up yet has no keys otherwise.
    config: { encryption: { mode: "always" } },
    inbound: {
      trunks: { [ALICE]: "main" },
      table: () => [{ number: ALICE, user: "@alice:example.org" }],
    },
  });
  account = await stage.synapse.register("alice");
  [phone, alice] = await Promise.all([
    startBaresip(rig, { number: NUMBERS.phone, port: stage.ports.phone, toneHz: PHONE_HZ }),
    logIn(),
  ]);
});

// A test that fails in a call leaves none to the next one.
afterEach(() => alice.phone.hangupAll());

async function logIn(): Promise<Browser> {
  const { url: homeserver } = stage.synapse;
  const browser = await startBrowser(rig, { homeserver, account, toneHz: ALICE_HZ, encryption: "signed" });
  await hasNewIdentity(browser);
  return browser;
}

/** Without one such a client says nothing. */
async function hasNewIdentity({ phone: client }: Browser): Promise<void> {
  const isSigned = () => until("the device to be signed", () => client.isVerified(), { timeoutMs: 3_000 });
  await client.newIdentity();
  // Where the client heard of its old identity meanwhile, it forgets the new one.
  await isSigned().catch(() => client.newIdentity().then(isSigned));
}

const hear = () => hearEachOther({ hears: phone.hears, hz: PHONE_HZ }, { hears: alice.hears, hz: ALICE_HZ });

/** Alice's newest call, which she has placed: it is connected, and she hangs up. */
async function connectsFrom(from: number): Promise<void> {
  await alice.inState("connected");
  await phone.event("CALL_ESTABLISHED", { from });
  await hear();
  await alice.phone.hangup();
  await phone.event("CALL_CLOSED", { from });
  expect(await alice.inState("ended")).toMatchObject({ hangupParty: "local", errors: [] });
}

/** Alice calls; then the telephone calls her back. */
async function talkBothWays(): Promise<void> {
  let from = phone.events.length;
  await alice.phone.callIn(room);
  await connectsFrom(from);
  from = phone.events.length;
  await phone.dial(`sip:${ALICE}@127.0.0.1:${stage.proxy.port}`);
  const { roomId, matrixCallId } = await alice.ringing();
  expect(roomId).toBe(room);
  await alice.phone.answer();
  await alice.inState("connected");
  await hear();
  await phone.hangup();
  expect(await endAt(alice, matrixCallId)).toMatchObject({ hangupParty: "remote", errors: [] });
}

it("The first call of a person who is new, to a number that is new, is connected", async () => {
  const from = phone.events.length;
  ({ roomId: room } = await alice.phone.dial(NUMBERS.phone));
  await connectsFrom(from);
  await lineIn(alice, room, /bridge decrypts what is said and written/);
});

it("A person who has reset their identity calls, and is called", async () => {
  await hasNewIdentity(alice);
  await talkBothWays();
});

it("A person who has lost their only device calls from a new one, and is called there", async () => {
  await alice.phone.logOut();
  await alice.stop();
  alice = await logIn();
  await until("the room", async () => alice.phone.displayName(room, ghostOf(NUMBERS.phone)));
  await talkBothWays();
});

it("A stranger who asks a number for keys gets nothing", async () => {
  const stranger = await stage.synapse.register("mallory");
  const { url: homeserver } = stage.synapse;
  const mallory = await startBrowser(rig, { homeserver, account: stranger, toneHz: 700, encryption: "any" });
  const sessions = (await timelineOf(stage.synapse, account, room)).map(({ sessionId }) => sessionId);
  const [sessionId = ""] = sessions.slice(-1);
  expect(sessionId).not.toBe("");
  await mallory.phone.askForKey(ghostOf(NUMBERS.phone), { roomId: room, sessionId });
  // Each call makes the number read what came for its device.
  await talkBothWays();
  expect(await mallory.phone.receivedToDevice()).toEqual([]);
});
