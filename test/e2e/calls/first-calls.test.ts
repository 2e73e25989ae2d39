// A number that never called before calls, and the person's client rings within 2 s: by each of the ways there are.
// Real Synapse, matrix-js-sdk in Chromium, baresip behind Kamailio.
import { beforeAll, describe, expect, it } from "vitest";
import { type Baresip, startBaresip } from "../parts/telephones/baresip.ts";
import { type Browser, startBrowser } from "../parts/clients/browser.ts";
import { endAt, hearEachOther, joinsTheBot, lineIn } from "../parts/clients/called.ts";
import { suiteRig } from "../parts/base/rig.ts";
import { ghostOf, type Stage, type StageOptions, startStage } from "../parts/stages/stage.ts";
import type { Account } from "../parts/homeservers/real-homeserver.ts";
import { until } from "../parts/base/until.ts";

const NUMBERS = { first: "01632960101", second: "01632960102", third: "01632960103" } as const;
const NAMES = ["first", "second", "third"] as const;
type Name = keyof typeof NUMBERS;
const ALICE = "2001";
const DESK_HZ = 440;
const FIRST_HZ = 1000;
const SECOND_HZ = 1600;
const THIRD_HZ = 2200;
const TONES = { first: FIRST_HZ, second: SECOND_HZ, third: THIRD_HZ };
/** The user that stands for the number, as the trunk's national numbers are understood. */
const callerOf = (name: Name): string => ghostOf(`+44${NUMBERS[name].slice(1)}`);
const RINGS_WITHIN_MS = 2_000;
const BOT = "@_sip_bot:example.org";

/** Alice's client and two telephones, with a homeserver and a bridge as the options say. */
function bench(name: string, options: StageOptions) {
  const rig = suiteRig(name);
  const parts = { unused: [...NAMES] } as unknown as {
    /** Who never called. */
    unused: Name[];
    stage: Stage<Name>;
    account: Account;
    desk: Browser;
    phones: Record<Name, Baresip>;
  };
  beforeAll(async () => {
    const stage = await startStage(rig, NUMBERS, {
      inbound: {
        trunks: { [ALICE]: "main" },
        table: () => [{ number: ALICE, user: "@alice:example.org" }],
      },
      main: { number_format: "national" },
      ...options,
    });
    const account = await stage.synapse.register("alice");
    const { ports } = stage;
    const [desk, first, second, third] = await Promise.all([
      startBrowser(rig, { homeserver: stage.synapse.url, account, toneHz: DESK_HZ }),
      startBaresip(rig, { number: NUMBERS.first, port: ports.first, toneHz: FIRST_HZ }),
      startBaresip(rig, { number: NUMBERS.second, port: ports.second, toneHz: SECOND_HZ }),
      startBaresip(rig, { number: NUMBERS.third, port: ports.third, toneHz: THIRD_HZ }),
    ]);
    Object.assign(parts, { stage, account, desk, phones: { first, second, third } });
  });
  return parts;
}

/**
 * A telephone that never called calls; gives it, and its call as it rang at Alice's in time. A machine that does something
 * else in that moment gets another try, with another number.
 */
async function ringsInTime({ stage, desk, phones, unused }: ReturnType<typeof bench>, way: string) {
  const tookMs: number[] = [];
  for (let name = unused.shift(); name !== undefined; name = unused.shift()) {
    const dialledMs = Date.now();
    await phones[name].dial(`sip:${ALICE}@127.0.0.1:${stage.proxy.port}`);
    const call = await desk.ringing();
    tookMs.push(Math.round(call.moments.began - dialledMs));
    process.stdout.write(`${way}: rang ${tookMs.at(-1)} ms after the number was dialled\n`);
    if ((tookMs.at(-1) ?? 0) < RINGS_WITHIN_MS) return { name, call };
    await desk.phone.reject();
  }
  return expect.fail(`first calls rang after ${tookMs.join(", ")} ms`);
}

async function joinsRoomOf(desk: Browser, name: Name): Promise<string> {
  const { roomId } = await until("the number's invitation", async () =>
    (await desk.phone.inviters()).find(({ sender }) => sender === callerOf(name)),
  );
  await desk.phone.join(roomId);
  return roomId;
}

const stateOf = ({ stage, account }: ReturnType<typeof bench>, room: string, type: string) =>
  stage.synapse.request("GET", `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/state/${type}`, {
    token: account.accessToken,
  });

describe("A first call, with the bridge joining people to rooms,", () => {
  const parts = bench("first-calls-joined", { config: { inbound: { join_for_people: true } } });

  it("rings in the number's own room, which the client knows as direct, and is talked through", async () => {
    const { name, call } = await ringsInTime(parts, "joined in the person's name");
    const { desk, phones, stage, account } = parts;
    const phone = phones[name];
    await desk.phone.answer();
    await desk.inState("connected");
    await hearEachOther({ hears: phone.hears, hz: TONES[name] }, { hears: desk.hears, hz: DESK_HZ });
    await desk.phone.hangup();
    await endAt(desk, call.matrixCallId);
    const path = `/_matrix/client/v3/user/${encodeURIComponent(account.userId)}/account_data/m.direct`;
    const direct = await stage.synapse.request("GET", path, { token: account.accessToken });
    expect(direct[callerOf(name)]).toEqual([call.roomId]);
  });
});

describe("A first call, with a homeserver that accepts invitations,", () => {
  const parts = bench("first-calls-accepted", { acceptInvites: true });

  it("rings in the number's own room", async () => {
    const { name, call } = await ringsInTime(parts, "accepted by the homeserver");
    await parts.desk.phone.reject();
    expect(await stateOf(parts, call.roomId, `m.room.member/${encodeURIComponent(callerOf(name))}`)).toMatchObject({
      membership: "join",
    });
    await parts.desk.message(
      /^Hello\. I connect Matrix calls to telephones\.\nCalls to these numbers ring you: 2001\./,
    );
  });
});

describe("A first call, with a stock homeserver,", () => {
  const parts = bench("first-calls-stock", {});
  let botRoom: string;
  /** Who calls first, and who calls meanwhile. */
  let caller: Name = "first";
  let other: Name = "second";

  it("rings in the room with the bot, to which the bot invited the person, and is talked through", async () => {
    const { desk, phones } = parts;
    botRoom = await joinsTheBot(desk);
    await desk.message(/Calls to these numbers ring you: 2001\./);
    const { name, call } = await ringsInTime(parts, "in the bot's room");
    const phone = phones[name];
    caller = name;
    other = NAMES[NAMES.indexOf(name) + 1] ?? "first";
    expect(call.roomId).toBe(botRoom);
    expect(await stateOf(parts, botRoom, "io.element.functional_members")).toEqual({ service_members: [BOT] });
    await desk.phone.answer();
    await desk.inState("connected");
    await hearEachOther({ hears: phone.hears, hz: TONES[name] }, { hears: desk.hears, hz: DESK_HZ });
  });

  it("of a second number meanwhile waits for the person in its own room, and the bot says so", async () => {
    const { desk, phones, stage } = parts;
    await phones[other].dial(`sip:${ALICE}@127.0.0.1:${stage.proxy.port}`);
    await desk.message(/^\+[\d ]+ is calling too\. Join this room to answer: https:\/\/matrix\.to\/#\/!/);
    await phones[caller].hangup();
    const own = await joinsRoomOf(desk, other);
    expect((await desk.ringing()).roomId).toBe(own);
    await desk.phone.reject();
  });

  it("leaves the room to the bot, with the way to the number's own room, in which the next call rings", async () => {
    const { desk, phones, stage } = parts;
    const line = await lineIn(
      desk,
      botRoom,
      /^Call ended after \d+ s\. Call back or write in the room of this number: /,
    );
    const own = await joinsRoomOf(desk, caller);
    expect(line.body).toContain(encodeURIComponent(own));
    const ghost = await until("the number to leave", async () => {
      const member = `m.room.member/${encodeURIComponent(callerOf(caller))}`;
      return (await stateOf(parts, botRoom, member))["membership"] === "leave";
    });
    expect(ghost).toBe(true);
    await until("the room to be the bot's again", async () => {
      const { service_members: members } = await stateOf(parts, botRoom, "io.element.functional_members");
      return Array.isArray(members) && members.length === 0;
    });
    await phones[caller].dial(`sip:${ALICE}@127.0.0.1:${stage.proxy.port}`);
    expect((await desk.ringing()).roomId).toBe(own);
    await desk.phone.reject();
  });

  it("is called back from the room with the bot only in words", async () => {
    const { desk } = parts;
    await desk.phone.callIn(botRoom);
    expect(await desk.inState("ended")).toMatchObject({ shown: "Call Failed" });
    await desk.message(
      /^To call a number back, use its own room\. These numbers called you here last:\n\+[\d ]+: https/,
    );
  });
});
