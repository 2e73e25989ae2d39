// A number that rings several people: together, one after the other, or in a room of theirs. Real parts only.
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Baresip, startBaresip } from "../parts/telephones/baresip.ts";
import { type Browser, startBrowser } from "../parts/clients/browser.ts";
import { endAt, hearEachOther, joinsWhenInvited, lineIn } from "../parts/clients/called.ts";
import { suiteRig } from "../parts/base/rig.ts";
import { type Stage, startStage } from "../parts/stages/stage.ts";
import type { Account } from "../parts/homeservers/real-homeserver.ts";

const ALICE_HZ = 440;
const BOB_HZ = 700;
const PHONE_HZ = 1000;

const BOT = "@_sip_bot:example.org";
const NUMBERS = { phone: "01632960102" } as const;
const TOGETHER = "2100";
const IN_TURN = "2101";
const IN_ROOM = "2102";

const rig = suiteRig("inbound-groups");
let stage: Stage<keyof typeof NUMBERS>;
let phone: Baresip;
let alice: Browser;
let bob: Browser;
let accounts: Readonly<Record<"alice" | "bob", Account>>;
let office: string;
/** Each one's room with the telephone. */
let alices: string;
let bobs: string;

beforeAll(async () => {
  stage = await startStage(rig, NUMBERS, {
    inbound: {
      trunks: { [TOGETHER]: "main", [IN_TURN]: "main", [IN_ROOM]: "main" },
      async table(synapse) {
        accounts = { alice: await synapse.register("alice"), bob: await synapse.register("bob") };
        const { userId, accessToken: token } = accounts.alice;
        const body = { preset: "private_chat", invite: [BOT, accounts.bob.userId] };
        const created = await synapse.request("POST", "/_matrix/client/v3/createRoom", { token, body });
        office = String(created["room_id"]);
        const users = [userId, accounts.bob.userId];
        return [
          { number: TOGETHER, users },
          { number: IN_TURN, in_turn: users.map((user) => ({ users: [user], ring_seconds: 5 })) },
          { number: IN_ROOM, room: office },
        ];
      },
    },
  });
  const homeserver = stage.synapse.url;
  [phone, alice, bob] = await Promise.all([
    startBaresip(rig, { number: NUMBERS.phone, port: stage.ports.phone, toneHz: PHONE_HZ }),
    startBrowser(rig, { homeserver, account: accounts.alice, toneHz: ALICE_HZ }),
    startBrowser(rig, { homeserver, account: accounts.bob, toneHz: BOB_HZ }),
  ]);
  expect(await joinsWhenInvited(bob)).toBe(office);
});

// A test that fails in a call leaves none to the next one.
afterEach(() => Promise.all([alice.phone.hangupAll(), bob.phone.hangupAll()]));

async function call(number: string) {
  const from = phone.events.length;
  await phone.dial(`sip:${number}@127.0.0.1:${stage.proxy.port}`);
  return (type: string) => phone.event(type, { from });
}

const atPhone = () => ({ hears: phone.hears, hz: PHONE_HZ });
const atAlice = () => ({ hears: alice.hears, hz: ALICE_HZ });
const atBob = () => ({ hears: bob.hears, hz: BOB_HZ });

describe("A number that rings two people together", () => {
  it("is answered by the one: the other's client falls silent, and each room has its line", async () => {
    const phoneSees = await call(TOGETHER);
    [alices, bobs] = await Promise.all([joinsWhenInvited(alice), joinsWhenInvited(bob)]);
    const [{ matrixCallId }] = await Promise.all([alice.ringing(), bob.ringing()]);
    await bob.phone.answer();
    await bob.inState("connected");
    await phoneSees("CALL_ESTABLISHED");
    await endAt(alice, matrixCallId);
    await hearEachOther(atPhone(), atBob(), [ALICE_HZ]);
    await phone.hangup();
    await endAt(bob, matrixCallId);
    await lineIn(alice, alices, /^Answered by somebody else\.$/);
  });

  it("goes on ringing the one when the other declines", async () => {
    const phoneSees = await call(TOGETHER);
    const [{ matrixCallId }] = await Promise.all([alice.ringing(), bob.ringing()]);
    await bob.phone.reject();
    await alice.phone.answer();
    await alice.inState("connected");
    await phoneSees("CALL_ESTABLISHED");
    await hearEachOther(atPhone(), atAlice(), [BOB_HZ]);
    await alice.phone.hangup();
    await phoneSees("CALL_CLOSED");
    await endAt(alice, matrixCallId);
  });

  it("is declined by both: the telephone hears so", async () => {
    const phoneSees = await call(TOGETHER);
    await Promise.all([alice.ringing(), bob.ringing()]);
    await Promise.all([alice.phone.reject(), bob.phone.reject()]);
    expect((await phoneSees("CALL_CLOSED"))["param"]).toMatch(/^603 /);
  });

  it("is given up: both have missed a call", async () => {
    const phoneSees = await call(TOGETHER);
    const [{ matrixCallId }] = await Promise.all([alice.ringing(), bob.ringing()]);
    await phone.hangup();
    await phoneSees("CALL_CLOSED");
    await Promise.all([endAt(alice, matrixCallId), endAt(bob, matrixCallId)]);
    await Promise.all([lineIn(alice, alices, /^Missed call\.$/), lineIn(bob, bobs, /^Missed call\.$/)]);
  });
});

describe("A number that rings one person after the other", () => {
  it("rings the second when the first does not answer, and the first no longer", async () => {
    const phoneSees = await call(IN_TURN);
    const { matrixCallId } = await alice.ringing();
    await endAt(alice, matrixCallId);
    expect((await bob.ringing()).matrixCallId).toBe(matrixCallId);
    await bob.phone.answer();
    await bob.inState("connected");
    await phoneSees("CALL_ESTABLISHED");
    await hearEachOther(atPhone(), atBob(), [ALICE_HZ]);
    await bob.phone.hangup();
    await phoneSees("CALL_CLOSED");
  });

  it("rings the second at once when the first declines", async () => {
    const phoneSees = await call(IN_TURN);
    await alice.ringing();
    await alice.phone.reject();
    await bob.ringing(4000);
    await bob.phone.reject();
    expect((await phoneSees("CALL_CLOSED"))["param"]).toMatch(/^603 /);
  });
});

describe("A number that rings in a room", () => {
  it("is whoever's answers first; the others see that it is answered", async () => {
    const phoneSees = await call(IN_ROOM);
    const [{ matrixCallId, roomId }] = await Promise.all([alice.ringing(), bob.ringing()]);
    expect(roomId).toBe(office);
    await alice.phone.answer();
    await alice.inState("connected");
    await phoneSees("CALL_ESTABLISHED");
    await endAt(bob, matrixCallId);
    await hearEachOther(atPhone(), atAlice(), [BOB_HZ]);
    await phone.hangup();
    expect(await endAt(alice, matrixCallId)).toMatchObject({ hangupParty: "remote", errors: [] });
  });
});
