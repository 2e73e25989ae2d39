// Calls in encrypted rooms where the homeserver pushes keys with its transactions: the bridge asks for none, unless one is lost.
// Real parts only.
import { afterEach, beforeAll, expect, it } from "vitest";
import { suiteRig } from "../parts/base/rig.ts";
import { until } from "../parts/base/until.ts";
import { type Browser, startBrowser } from "../parts/clients/browser.ts";
import { hearEachOther, lineIn } from "../parts/clients/called.ts";
import { openTransactionDoor, type TransactionDoor } from "../parts/homeservers/transaction-door.ts";
import { ghostOf, type Stage, startStage } from "../parts/stages/stage.ts";
import { type Baresip, startBaresip } from "../parts/telephones/baresip.ts";

const ALICE_HZ = 440;
const PHONE_HZ = 1000;
const NUMBERS = { phone: "01632960101" } as const;
const ALICE = "2001";

const rig = suiteRig("encrypted-pushed");
let door: TransactionDoor;
let stage: Stage<keyof typeof NUMBERS>;
let phone: Baresip;
let alice: Browser;
/** Of Alice and the telephone. */
let room: string;

beforeAll(async () => {
  stage = await startStage(rig, NUMBERS, {
    config: { encryption: { pushed_keys: true } },
    encryptByDefault: true,
    pushesKeys: async (bridge) => {
      door = await openTransactionDoor(rig, bridge);
      return door.url;
    },
    inbound: {
      trunks: { [ALICE]: "main" },
      table: () => [{ number: ALICE, user: "@alice:example.org" }],
    },
  });
  const account = await stage.synapse.register("alice");
  [phone, alice] = await Promise.all([
    startBaresip(rig, { number: NUMBERS.phone, port: stage.ports.phone, toneHz: PHONE_HZ }),
    startBrowser(rig, { homeserver: stage.synapse.url, account, toneHz: ALICE_HZ, encryption: "any" }),
  ]);
});

// A test that fails in a call leaves none to the next one.
afterEach(() => alice.phone.hangupAll());

/** How often the bridge has asked for what numbers are told. */
const fetches = () =>
  stage.synapse.requests().filter((line) => /^GET \S+\/sync\?/.test(line) && line.includes("device_id=SIPBRIDGE_"))
    .length;

async function talk(): Promise<void> {
  const from = phone.events.length;
  await alice.phone.callIn(room);
  await alice.inState("connected");
  await phone.event("CALL_ESTABLISHED", { from });
  await hearEachOther({ hears: phone.hears, hz: PHONE_HZ }, { hears: alice.hears, hz: ALICE_HZ });
  await alice.phone.hangup();
  await phone.event("CALL_CLOSED", { from });
  expect(await alice.inState("ended")).toMatchObject({ hangupParty: "local", errors: [] });
}

it("A person calls a telephone, and is called by it, without the bridge having asked for keys", async () => {
  const [ghost = ""] = await alice.phone.lookup(NUMBERS.phone);
  expect(ghost).toBe(ghostOf(NUMBERS.phone));
  room = await alice.phone.directRoom(ghost);
  await until("keys of the number", async () => (await alice.phone.deviceIdsOf(ghost)).length > 0);
  await talk();
  await lineIn(alice, room, /bridge decrypts what is said and written/);
  const from = phone.events.length;
  await phone.dial(`sip:${ALICE}@127.0.0.1:${stage.proxy.port}`);
  const { roomId } = await alice.ringing();
  expect(roomId).toBe(room);
  await alice.phone.answer();
  await alice.inState("connected");
  await phone.event("CALL_ESTABLISHED", { from });
  await phone.hangup();
  expect(await alice.inState("ended")).toMatchObject({ hangupParty: "remote", errors: [] });
  expect(door.passed.length).toBeGreaterThan(0);
  expect(fetches()).toBe(0);
});

it("A key that is lost on its way is asked for: the call is connected all the same", async () => {
  door.losesKeys = true;
  const before = door.lost.length;
  await alice.phone.newKey(room);
  await talk();
  expect(door.lost.length).toBeGreaterThan(before);
  expect(fetches()).toBeGreaterThan(0);
});
