// Calls by MatrixRTC in an encrypted room: the sound is encrypted from the person to the bridge, and the keys go by Olm. Real
// parts only.
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import type { ElementCallMode } from "../page/element-call/api.ts";
import type { MembershipFormat } from "../page/rtc/api.ts";
import { suiteRig } from "../parts/base/rig.ts";
import { type Browser, startBrowser } from "../parts/clients/browser.ts";
import { hearEachOther, joinsWhenInvited } from "../parts/clients/called.ts";
import { until } from "../parts/base/until.ts";
import { elementCallOf } from "../parts/clients/element-call.ts";
import { aloneIn, asksForKeypad, leavesCall, rung, silenced, tapsKeys } from "../parts/clients/rtc-called.ts";
import type { Account } from "../parts/homeservers/real-homeserver.ts";
import { type Stage, startStage } from "../parts/stages/stage.ts";
import { type Baresip, startBaresip } from "../parts/telephones/baresip.ts";

const PERSON_HZ = 440;
const PHONE_HZ = 1000;
const RINGS_FOR_MS = 60_000;
const NUMBERS = { phone: "01632960101" } as const;
const ALICE = "2001";
const BACK_WITHIN_MS = 10_000;

const rig = suiteRig("rtc-encrypted");
let stage: Stage<keyof typeof NUMBERS>;
let phone: Baresip;
let account: Account;
let alice: Browser;
/** Alice's room with the telephone. */
let room: string;

beforeAll(async () => {
  stage = await startStage(rig, NUMBERS, {
    matrixRtc: true,
    config: { people: { calls: "rtc" }, rooms: { encrypted: "always" } },
    inbound: { trunks: { [ALICE]: "main" }, table: () => [{ number: ALICE, user: "@alice:example.org" }] },
    // The trunk tells numbers as they are written at home, and wants them so.
    main: { number_format: "national" },
  });
  account = await stage.synapse.register("alice");
  [phone, alice] = await Promise.all([
    startBaresip(rig, { number: NUMBERS.phone, port: stage.ports.phone, toneHz: PHONE_HZ }),
    startBrowser(rig, { homeserver: stage.synapse.url, account, toneHz: PERSON_HZ, encryption: "any" }),
  ]);
});

// A test that fails in a call leaves none to the next one.
afterEach(() => leavesCall(alice));

async function call() {
  const from = phone.events.length;
  await phone.dial(`sip:${ALICE}@127.0.0.1:${stage.proxy.port}`);
  return (type: string) => phone.event(type, { from });
}

const atPhone = () => ({ hears: phone.hears, hz: PHONE_HZ });

describe("A telephone that calls a person for the first time", () => {
  it("rings in a room that is encrypted, gives up, and rings no longer", async () => {
    const phoneSees = await call();
    room = await joinsWhenInvited(alice);
    const ring = await rung(alice);
    expect(ring.roomId).toBe(room);
    const { chunk } = await stage.synapse.request(
      "GET",
      `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/messages?dir=b&limit=50`,
      { token: account.accessToken },
    );
    const types = (chunk as { type: string }[]).map(({ type }) => type);
    expect(types).toContain("m.room.encryption");
    expect(types).not.toContain("org.matrix.msc4075.rtc.notification");
    await phone.hangup();
    await phoneSees("CALL_CLOSED");
    expect(await silenced(alice, ring)).toBe("redacted");
  });
});

describe.each<MembershipFormat>(["state event", "sticky event"])("A person who is in the call by %s", (format) => {
  const atAlice = () => ({ hears: alice.rtc.heard, hz: PERSON_HZ });

  it("answers a telephone, both hear each other, and the telephone hangs up", async () => {
    const phoneSees = await call();
    await rung(alice);
    await alice.rtc.join(room, { format });
    await phoneSees("CALL_ESTABLISHED");
    await hearEachOther(atPhone(), atAlice());
    // As the telephone says it.
    expect(await alice.rtc.report()).toMatchObject({ heardEncrypted: true, heardCodecs: ["audio/PCMU"] });
    await phone.hangup();
    await aloneIn(alice, room);
  });

  it("calls a telephone, both hear each other, and the person hangs up", async () => {
    const from = phone.events.length;
    await alice.rtc.join(room, { format, ringsForMs: RINGS_FOR_MS });
    await phone.event("CALL_ESTABLISHED", { from });
    await hearEachOther(atPhone(), atAlice());
    expect(await alice.rtc.othersIn(room)).toMatchObject([{ format }]);
    await alice.rtc.leave();
    await phone.event("CALL_CLOSED", { from });
  });
});

describe.each<ElementCallMode>(["compatibility", "matrix_2_0"])("A person with Element Call in mode %s", (mode) => {
  const element = () => elementCallOf(alice, mode);
  const atAlice = () => ({ hears: element().hears, hz: PERSON_HZ });

  it("answers a telephone, both hear each other, and the telephone hangs up", async () => {
    const phoneSees = await call();
    await element().answer(await rung(alice));
    await phoneSees("CALL_ESTABLISHED");
    await hearEachOther(atPhone(), atAlice());
    await phone.hangup();
    await element().closed();
  });

  it("calls a telephone, taps keys for it, and hangs up", async () => {
    const [from, pressed] = [phone.events.length, phone.digits().length];
    await element().call(room);
    await phone.event("CALL_ESTABLISHED", { from });
    await hearEachOther(atPhone(), atAlice());
    const format = mode === "matrix_2_0" ? "sticky event" : "state event";
    expect(await alice.rtc.othersIn(room)).toMatchObject([{ format }]);
    const keypad = await asksForKeypad(alice, room);
    await tapsKeys(alice, room, keypad, "100#");
    await until("the keys", () => phone.digits().slice(pressed) === "100#");
    await element().hangUp();
    await phone.event("CALL_CLOSED", { from });
    await element().closed();
  });
});

it("A bridge that is killed in a call whose memberships it cannot read any more is out of it when it is back", async () => {
  const phoneSees = await call();
  await rung(alice);
  await alice.rtc.join(room, { format: "sticky event" });
  await phoneSees("CALL_ESTABLISHED");
  expect(await alice.rtc.othersIn(room)).toMatchObject([{ format: "sticky event" }]);
  stage.running.signal("SIGKILL");
  await stage.running.exited;
  await stage.bridge.start();
  // Long before the homeserver would send the leave by itself.
  await aloneIn(alice, room, BACK_WITHIN_MS);
  await phoneSees("CALL_CLOSED");
});
