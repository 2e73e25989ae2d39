// Calls of telephones in encrypted rooms that the bridge made, on a homeserver that encrypts nothing by itself: on one device
// of the person, on a second one that comes later, and handed over. Real parts only.
import { afterEach, beforeAll, expect, it } from "vitest";
import { suiteRig } from "../parts/base/rig.ts";
import { until } from "../parts/base/until.ts";
import { type Browser, startBrowser } from "../parts/clients/browser.ts";
import { endAt, hearEachOther, joinsWhenInvited, lineIn } from "../parts/clients/called.ts";
import type { Account } from "../parts/homeservers/real-homeserver.ts";
import { type Stage, startStage } from "../parts/stages/stage.ts";
import { type Baresip, startBaresip } from "../parts/telephones/baresip.ts";

const DESK_HZ = 440;
const POCKET_HZ = 700;
const PHONE_HZ = 1000;
const THIRD_HZ = 1600;
const NUMBERS = { phone: "01632960101", third: "01632960102" } as const;
const ALICE = "2001";
const PATIENCE_MS = 30_000;

const rig = suiteRig("encrypted-rooms");
let stage: Stage<keyof typeof NUMBERS>;
let phone: Baresip;
let third: Baresip;
let account: Account;
let desk: Browser;
/** Alice's second device. */
let pocket: Browser | undefined;
/** Of Alice and the telephone. */
let room: string;

const browser = (user: string, toneHz: number): Promise<Browser> =>
  startBrowser(rig, { homeserver: stage.synapse.url, account: { ...account, user }, toneHz, encryption: true });

beforeAll(async () => {
  stage = await startStage(rig, NUMBERS, {
    config: { rooms: { encrypted: "always" } },
    inbound: {
      trunks: { [ALICE]: "main" },
      table: () => [{ number: ALICE, user: "@alice:example.org" }],
    },
  });
  account = await stage.synapse.register("alice");
  [phone, third, desk] = await Promise.all([
    startBaresip(rig, { number: NUMBERS.phone, port: stage.ports.phone, toneHz: PHONE_HZ }),
    startBaresip(rig, { number: NUMBERS.third, port: stage.ports.third, toneHz: THIRD_HZ }),
    browser(account.user, DESK_HZ),
  ]);
});

// A test that fails in a call leaves none to the next one.
afterEach(() => Promise.all([desk.phone.hangupAll(), pocket?.phone.hangupAll()]));

const atPhone = () => ({ hears: phone.hears, hz: PHONE_HZ });
const atDesk = () => ({ hears: desk.hears, hz: DESK_HZ });

/** The telephone calls Alice; gives a way to wait for what becomes of it there. */
async function call() {
  const from = phone.events.length;
  await phone.dial(`sip:${ALICE}@127.0.0.1:${stage.proxy.port}`);
  return (type: string) => phone.event(type, { from, timeoutMs: PATIENCE_MS });
}

/** What the server has of the room: nothing that it could read. */
async function typesIn(roomId: string): Promise<readonly string[]> {
  const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/messages?dir=b&limit=100`;
  const { chunk } = (await stage.synapse.request("GET", path, { token: account.accessToken })) as {
    chunk: { type: string; state_key?: string }[];
  };
  return [...new Set(chunk.filter((event) => event.state_key === undefined).map(({ type }) => type))];
}

it("A number calls for the first time: its room is encrypted, it rings there, and is answered", async () => {
  const phoneSees = await call();
  room = await joinsWhenInvited(desk);
  const { roomId, matrixCallId } = await desk.ringing(PATIENCE_MS);
  expect(roomId).toBe(room);
  await desk.phone.answer();
  await desk.inState("connected", PATIENCE_MS);
  await phoneSees("CALL_ESTABLISHED");
  await hearEachOther(atPhone(), atDesk());
  await lineIn(desk, room, /bridge decrypts what is said and written/);
  await phone.hangup();
  expect(await endAt(desk, matrixCallId)).toMatchObject({ hangupParty: "remote", errors: [] });
  expect(await typesIn(room)).toEqual(["m.room.encrypted"]);
});

it("A device that logged in since the last call rings too; it answers, and the other one falls silent", async () => {
  // The whole user id keeps the two browsers' folders apart.
  const second = await browser(account.userId, POCKET_HZ);
  pocket = second;
  const phoneSees = await call();
  const [{ matrixCallId, roomId }] = await Promise.all([desk.ringing(PATIENCE_MS), second.ringing(PATIENCE_MS)]);
  expect(roomId).toBe(room);
  await second.phone.answer();
  await second.inState("connected", PATIENCE_MS);
  await phoneSees("CALL_ESTABLISHED");
  expect((await endAt(desk, matrixCallId)).hangupReason).toBe("answered_elsewhere");
  await hearEachOther(atPhone(), { hears: second.hears, hz: POCKET_HZ }, [DESK_HZ]);
  await second.phone.hangup();
  await phoneSees("CALL_CLOSED");
  expect(await endAt(second, matrixCallId)).toMatchObject({ hangupParty: "local", errors: [] });
});

it("A person hands the telephone over to another number: the two telephones talk, and the person is out of it", async () => {
  const from = third.events.length;
  const phoneSees = await call();
  const { matrixCallId } = await desk.ringing(PATIENCE_MS);
  await desk.phone.answer();
  await desk.inState("connected", PATIENCE_MS);
  await hearEachOther(atPhone(), atDesk());
  await until("the call may be handed over", async () => (await desk.report(matrixCallId)).transferable);
  const [ghost = ""] = await desk.phone.lookup(NUMBERS.third);
  await desk.phone.transfer(ghost);
  expect(await endAt(desk, matrixCallId)).toMatchObject({ errors: [] });
  await third.event("CALL_ESTABLISHED", { from });
  await hearEachOther(atPhone(), { hears: third.hears, hz: THIRD_HZ }, [DESK_HZ, POCKET_HZ]);
  await third.hangup();
  await phoneSees("CALL_CLOSED");
  expect(await typesIn(room)).toEqual(["m.room.encrypted"]);
});
