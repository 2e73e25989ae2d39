// A Synapse at which nobody logs in: an authentication service (MAS) gives people their tokens. Numbers and the bot have none;
// they get users, devices, identities and key backups all the same, so that calls and texts in encrypted rooms work. Real parts,
// but for the authentication service.
import { afterEach, beforeAll, expect, it } from "vitest";
import type { RunningProcess } from "../parts/base/process.ts";
import { suiteRig, testRig } from "../parts/base/rig.ts";
import { until } from "../parts/base/until.ts";
import { type Browser, startBrowser } from "../parts/clients/browser.ts";
import { hearEachOther, lineIn } from "../parts/clients/called.ts";
import type { Account } from "../parts/homeservers/real-homeserver.ts";
import { ghostOf, type Stage, startStage } from "../parts/stages/stage.ts";
import { type Baresip, startBaresip } from "../parts/telephones/baresip.ts";
import { startSipp } from "../parts/telephones/sipp.ts";

const ALICE_HZ = 440;
const PHONE_HZ = 1000;
const NUMBERS = { phone: "01632960101", texts: "01632960102" } as const;
const ALICE = "2001";
const BOT = "@_sip_bot:example.org";

const rig = suiteRig("delegated-login");
let stage: Stage<keyof typeof NUMBERS>;
let bridge: RunningProcess;
let phone: Baresip;
let account: Account;
let alice: Browser;
/** Of Alice and the telephone. */
let room: string;

beforeAll(async () => {
  stage = await startStage(rig, NUMBERS, {
    encryptByDefault: true,
    delegatedLogin: true,
    inbound: {
      trunks: { [ALICE]: "main" },
      table: () => [{ number: ALICE, user: "@alice:example.org" }],
    },
  });
  bridge = stage.running;
  account = await stage.synapse.register("alice");
  [phone, alice] = await Promise.all([
    startBaresip(rig, { number: NUMBERS.phone, port: stage.ports.phone, toneHz: PHONE_HZ }),
    startBrowser(rig, { homeserver: stage.synapse.url, account, toneHz: ALICE_HZ, encryption: "any" }),
  ]);
});

// A test that fails in a call leaves none to the next one.
afterEach(() => alice.phone.hangupAll());

const keysOf = (user: string) => until("keys", async () => (await alice.phone.deviceIdsOf(user)).length > 0);

it("The homeserver lets nobody log in", async () => {
  const login = stage.synapse.request("POST", "/_matrix/client/v3/login", { body: { type: "m.login.password" } });
  await expect(login).rejects.toThrow("404");
});

it("A person calls a telephone in an encrypted room, and each hears the other", async () => {
  const [ghost = ""] = await alice.phone.lookup(NUMBERS.phone);
  expect(ghost).toBe(ghostOf(NUMBERS.phone));
  room = await alice.phone.directRoom(ghost);
  await keysOf(ghost);
  const from = phone.events.length;
  await alice.phone.callIn(room);
  await alice.inState("connected");
  await phone.event("CALL_ESTABLISHED", { from });
  await hearEachOther({ hears: phone.hears, hz: PHONE_HZ }, { hears: alice.hears, hz: ALICE_HZ });
  await alice.phone.hangup();
  await phone.event("CALL_CLOSED", { from });
  expect(await alice.inState("ended")).toMatchObject({ hangupParty: "local", errors: [] });
});

it("The number's device is signed by an identity of its own", async () => {
  const ghost = ghostOf(NUMBERS.phone);
  const answer = (await stage.synapse.request("POST", "/_matrix/client/v3/keys/query", {
    token: account.accessToken,
    body: { device_keys: { [ghost]: [] } },
  })) as {
    readonly self_signing_keys: Record<string, { readonly keys: Record<string, string> }>;
    readonly device_keys: Record<
      string,
      Record<string, { readonly signatures: Record<string, Record<string, string>> }>
    >;
  };
  const [selfSigning = ""] = Object.keys(answer.self_signing_keys[ghost]?.keys ?? {});
  const [device] = Object.values(answer.device_keys[ghost] ?? {});
  expect(Object.keys(device?.signatures[ghost] ?? {})).toContain(selfSigning);
});

it("A telephone calls the person, who answers", async () => {
  const from = phone.events.length;
  await phone.dial(`sip:${ALICE}@127.0.0.1:${stage.proxy.port}`);
  const { roomId } = await alice.ringing();
  expect(roomId).toBe(room);
  await alice.phone.answer();
  await alice.inState("connected");
  await phone.event("CALL_ESTABLISHED", { from });
  await phone.hangup();
  expect(await alice.inState("ended")).toMatchObject({ hangupParty: "remote", errors: [] });
});

it("The bot reads and answers in an encrypted room", async () => {
  const withBot = await alice.phone.directRoom(BOT);
  await keysOf(BOT);
  await alice.phone.send(withBot, "help");
  expect(await lineIn(alice, withBot, /^I connect Matrix calls to telephones/)).toMatchObject({ sender: BOT });
});

it("What is written while the bridge is down is read after its start, with the key of the backup", async () => {
  const ghost = ghostOf(NUMBERS.texts);
  const withTexts = await alice.phone.directRoom(ghost);
  await keysOf(ghost);
  const first = await startSipp(testRig(), { scenario: "uas-message", port: stage.ports.texts });
  await alice.phone.send(withTexts, "before");
  await first.done();
  expect(await first.messages()).toContain("before");
  await until("the key to be backed up", () =>
    stage.synapse
      .requests()
      .some(
        (line) => line.includes("PUT /_matrix/client/v3/room_keys/keys?") && line.includes(encodeURIComponent(ghost)),
      ),
  );
  bridge.signal("SIGTERM");
  await bridge.exited;
  const second = await startSipp(testRig(), { scenario: "uas-message", port: stage.ports.texts });
  await alice.phone.send(withTexts, "meanwhile");
  bridge = await stage.bridge.start();
  await second.done();
  expect(await second.messages()).toContain("meanwhile");
});
