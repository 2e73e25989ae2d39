// A homeserver that encrypts nothing by itself: a room becomes encrypted in a call, and from then on the bridge makes
// encrypted ones for that person (`rooms.encrypted: auto`). There telephones ring on one device of the person and on a second
// one that comes later, and are handed over. Real parts only.
import { afterEach, beforeAll, expect, it } from "vitest";
import { type Gateway, startGateway } from "../../../dev/gateway/gateway.ts";
import { toneAt } from "../parts/base/hearing.ts";
import { suiteRig } from "../parts/base/rig.ts";
import { until } from "../parts/base/until.ts";
import { type Browser, startBrowser } from "../parts/clients/browser.ts";
import { endAt, hearEachOther, joinsWhenInvited, lineIn } from "../parts/clients/called.ts";
import type { Account } from "../parts/homeservers/real-homeserver.ts";
import { timelineOf, typesIn } from "../parts/homeservers/timeline.ts";
import { type Stage, startStage } from "../parts/stages/stage.ts";
import { type Baresip, startBaresip } from "../parts/telephones/baresip.ts";

const DESK_HZ = 440;
const POCKET_HZ = 700;
const PHONE_HZ = 1000;
const THIRD_HZ = 1600;
const NUMBERS = { phone: "01632960101", third: "01632960102" } as const;
const ALICE = "2001";
/** Alice too, on the trunk of a gateway that takes no REFER; and the numbers of its own. */
const GATEWAY_DID = "2002";
const GATEWAY_PREFIX = "016329603";
const GATEWAY_HZ = 1300;

const rig = suiteRig("encrypted-rooms");
let stage: Stage<keyof typeof NUMBERS>;
let phone: Baresip;
let third: Baresip;
let account: Account;
let desk: Browser;
/** Alice's second device. */
let pocket: Browser | undefined;
let gateway: Gateway;
/** Of Alice and the telephone. */
let room: string;

const browser = (user: string, toneHz: number): Promise<Browser> =>
  startBrowser(rig, { homeserver: stage.synapse.url, account: { ...account, user }, toneHz, encryption: "any" });

beforeAll(async () => {
  gateway = await startGateway({ referStatus: 403, numbers: [] });
  rig.defer("gateway", () => gateway.stop());
  stage = await startStage(rig, NUMBERS, {
    inbound: {
      trunks: { [ALICE]: "main", [GATEWAY_DID]: "gateway" },
      table: () => [{ pattern: "200X", user: "@alice:example.org" }],
    },
    main: { number_format: "national" },
    trunks: () => [
      {
        prefix: GATEWAY_PREFIX,
        section: { name: "gateway", server: `127.0.0.1:${gateway.port}`, number_format: "national" },
      },
    ],
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
const atThird = () => ({ hears: third.hears, hz: THIRD_HZ });
const atDesk = () => ({ hears: desk.hears, hz: DESK_HZ });

/** The telephone calls Alice; gives a way to wait for what becomes of it there. */
async function call() {
  const from = phone.events.length;
  await phone.dial(`sip:${ALICE}@127.0.0.1:${stage.proxy.port}`);
  return (type: string) => phone.event(type, { from });
}

/** What the server has of the room: nothing that it could read. */
const typesOf = (roomId: string) => typesIn(stage.synapse, account, roomId);

it("A room becomes encrypted in a call: the call goes on, is held and resumed, and ends there", async () => {
  const phoneSees = await call();
  room = await joinsWhenInvited(desk);
  const { matrixCallId } = await desk.ringing();
  await desk.phone.answer();
  await desk.inState("connected");
  await phoneSees("CALL_ESTABLISHED");
  expect(await typesOf(room)).not.toContain("m.room.encrypted");
  await desk.phone.encryptRoom(room);
  await lineIn(desk, room, /bridge decrypts what is said and written/);
  await hearEachOther(atPhone(), atDesk());
  const invites = () => stage.proxy.log.text.match(/request INVITE/g)?.length ?? 0;
  const before = invites();
  await desk.phone.hold(true);
  await until("the INVITE of the hold", () => invites() === before + 1);
  await desk.phone.hold(false);
  await until("the INVITE of the resumption", () => invites() === before + 2);
  // The telephone's recording ends with its first re-INVITE.
  await toneAt(desk.hears, PHONE_HZ, [DESK_HZ]);
  await phone.hangup();
  expect(await endAt(desk, matrixCallId)).toMatchObject({ hangupParty: "remote", errors: [] });
  const types = (await timelineOf(stage.synapse, account, room)).map(({ type }) => type);
  expect(new Set(types.slice(types.indexOf("m.room.encrypted")))).toEqual(new Set(["m.room.encrypted"]));
});

it("Another number calls for the first time: its room is encrypted from the start, and the call is answered there", async () => {
  const from = third.events.length;
  await third.dial(`sip:${ALICE}@127.0.0.1:${stage.proxy.port}`);
  const own = await joinsWhenInvited(desk);
  const { roomId, matrixCallId } = await desk.ringing();
  expect(roomId).toBe(own);
  await desk.phone.answer();
  await desk.inState("connected");
  await third.event("CALL_ESTABLISHED", { from });
  await hearEachOther(atThird(), atDesk());
  await lineIn(desk, own, /bridge decrypts what is said and written/);
  await third.hangup();
  expect(await endAt(desk, matrixCallId)).toMatchObject({ hangupParty: "remote", errors: [] });
  expect(await typesOf(own)).toEqual(["m.room.encrypted"]);
});

it("A device that logged in since the last call rings too; it answers, and the other one falls silent", async () => {
  // The whole user id keeps the two browsers' folders apart.
  const second = await browser(account.userId, POCKET_HZ);
  pocket = second;
  const phoneSees = await call();
  const [{ matrixCallId, roomId }] = await Promise.all([desk.ringing(), second.ringing()]);
  expect(roomId).toBe(room);
  await second.phone.answer();
  await second.inState("connected");
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
  const { matrixCallId } = await desk.ringing();
  await desk.phone.answer();
  await desk.inState("connected");
  await hearEachOther(atPhone(), atDesk());
  await until("the call may be handed over", async () => (await desk.report(matrixCallId)).transferable);
  const [ghost = ""] = await desk.phone.lookup(NUMBERS.third);
  await desk.phone.transfer(ghost);
  expect(await endAt(desk, matrixCallId)).toMatchObject({ errors: [] });
  await third.event("CALL_ESTABLISHED", { from });
  await hearEachOther(atPhone(), atThird(), [DESK_HZ, POCKET_HZ]);
  await third.hangup();
  await phoneSees("CALL_CLOSED");
});

it("A person asks the third party first, and then connects the two: each call had its own encrypted room", async () => {
  const far = await gateway.call({
    to: GATEWAY_DID,
    at: { host: "127.0.0.1", port: stage.doorOf("gateway") },
    from: `${GATEWAY_PREFIX}01`,
    sound: { hz: GATEWAY_HZ },
  });
  const atGateway = {
    hears: (frequencies: readonly number[], durationMs: number) =>
      far.heardMs < durationMs ? undefined : far.heard(durationMs, frequencies),
    hz: GATEWAY_HZ,
  };
  const own = await joinsWhenInvited(desk);
  const { matrixCallId } = await desk.ringing();
  await desk.phone.answer();
  await desk.inState("connected");
  await hearEachOther(atGateway, atDesk());
  await desk.phone.hold(true);
  // As it called: that number has keys.
  const consulted = await desk.phone.dial(`+44${NUMBERS.third.slice(1)}`);
  await desk.inState("connected");
  await hearEachOther(atThird(), atDesk());
  await desk.phone.transferHeld(matrixCallId);
  await Promise.all([endAt(desk, matrixCallId), endAt(desk, consulted.matrixCallId)]);
  await hearEachOther(atGateway, atThird(), [DESK_HZ]);
  const from = third.events.length;
  await far.hangUp();
  await third.event("CALL_CLOSED", { from });
  for (const roomId of [own, consulted.roomId]) expect(await typesOf(roomId)).toEqual(["m.room.encrypted"]);
});
