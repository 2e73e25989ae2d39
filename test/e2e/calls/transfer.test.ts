// Calls that are handed over: by the person's client, blind and after a word with the third party, to telephones and to
// other people; and by the telephone. Who talks to whom afterwards is told by their tones. Real clients and a real proxy;
// telephones are baresip, or the gateway where they are to take Replaces or no REFER at all.
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Gateway, type GatewayCall, type GatewayNumber, startGateway } from "../../../dev/gateway/gateway.ts";
import { type Baresip, startBaresip } from "../parts/telephones/baresip.ts";
import { type Browser, startBrowser } from "../parts/clients/browser.ts";
import { endAt, hearEachOther, joinsWhenInvited, lineIn, type Voice } from "../parts/clients/called.ts";
import { suiteRig } from "../parts/base/rig.ts";
import { type Stage, startStage } from "../parts/stages/stage.ts";
import { until } from "../parts/base/until.ts";

const ALICE_HZ = 440;
const BOB_HZ = 700;
const CALLER_HZ = 1000;
const THIRD_HZ = 1600;
const ALL = [ALICE_HZ, BOB_HZ, CALLER_HZ, THIRD_HZ];

const NUMBERS = { caller: "01632960107", third: "01632960108" } as const;
/** Leads to Alice on each trunk: one of baresips, one of a gateway that takes REFER, one of a gateway that does not. */
const DIDS = { main: "2301", willing: "2302", unwilling: "2303" } as const;
/** Numbers of the gateways. */
const PREFIXES = { willing: "016329602", unwilling: "016329603" } as const;

const rig = suiteRig("features-transfer");
let stage: Stage<keyof typeof NUMBERS>;
let gateways: Readonly<Record<keyof typeof PREFIXES, Gateway>>;
let caller: Baresip;
let third: Baresip;
let alice: Browser;
let bob: Browser;

const ANSWERING: readonly GatewayNumber[] = [
  { ending: "", what: "answers", script: [{ do: "ring" }, { do: "answer", sound: { hz: THIRD_HZ } }] },
  { ending: "486", what: "busy", script: [{ do: "refuse", status: 486, reason: "Busy Here" }] },
];

async function gateway(referStatus: number): Promise<Gateway> {
  const started = await startGateway({ referStatus, numbers: ANSWERING });
  rig.defer("gateway", () => started.stop());
  return started;
}

beforeAll(async () => {
  gateways = { willing: await gateway(202), unwilling: await gateway(403) };
  stage = await startStage(rig, NUMBERS, {
    inbound: {
      trunks: Object.fromEntries(Object.entries(DIDS).map(([trunk, number]) => [number, trunk])),
      table: () => [{ pattern: "23XX", user: "@alice:example.org" }],
    },
    main: { number_format: "national" },
    trunks: () =>
      (["willing", "unwilling"] as const).map((name) => ({
        prefix: PREFIXES[name],
        section: { name, server: `127.0.0.1:${gateways[name].port}`, number_format: "national" },
      })),
  });
  const { synapse, ports } = stage;
  const browser = async (user: string, toneHz: number): Promise<Browser> =>
    startBrowser(rig, { homeserver: synapse.url, account: await synapse.register(user), toneHz });
  [caller, third, alice, bob] = await Promise.all([
    startBaresip(rig, { number: NUMBERS.caller, port: ports.caller, toneHz: CALLER_HZ }),
    startBaresip(rig, { number: NUMBERS.third, port: ports.third, toneHz: THIRD_HZ }),
    browser("alice", ALICE_HZ),
    browser("bob", BOB_HZ),
  ]);
});

// A test that fails in a call leaves none to the next one.
afterEach(() => Promise.all([alice.phone.hangupAll(), bob.phone.hangupAll()]));

const voiceOf = (call: GatewayCall, hz: number): Voice => ({
  hears: (frequencies, durationMs) => (call.heardMs < durationMs ? undefined : call.heard(durationMs, frequencies)),
  hz,
});
const person = (browser: Browser, hz: number): Voice => ({ hears: browser.hears, hz });
const talk = (one: Voice, other: Voice): Promise<unknown> =>
  hearEachOther(
    one,
    other,
    ALL.filter((hz) => hz !== one.hz && hz !== other.hz),
  );

/** The user that stands for a number: during a call the homeserver has its profile, which the client asks for at once. */
async function ghost(number: string): Promise<string> {
  const [user] = await alice.phone.lookup(number);
  if (user === undefined) throw new Error(`nobody stands for ${number}`);
  return user;
}

/** Who has a room with Alice already. */
const known = new Set<string>();

/** Alice answers that number's call; she comes into its room if it is new. */
async function aliceAnswers(number: string): Promise<string> {
  if (!known.has(number)) await joinsWhenInvited(alice);
  known.add(number);
  const { matrixCallId } = await alice.ringing();
  await alice.phone.answer();
  await alice.inState("connected");
  return matrixCallId;
}

/** A telephone of a gateway calls Alice; they talk. */
async function calledBy(trunk: keyof typeof PREFIXES) {
  const from = `${PREFIXES[trunk]}01`;
  const call = await gateways[trunk].call({
    to: DIDS[trunk],
    at: { host: "127.0.0.1", port: stage.doorOf(trunk) },
    from,
    sound: { hz: CALLER_HZ },
  });
  const matrixCallId = await aliceAnswers(from);
  const voice = voiceOf(call, CALLER_HZ);
  await talk(voice, person(alice, ALICE_HZ));
  return { call, matrixCallId, voice };
}

/** The newest call that came for that number. */
const callTo = (trunk: keyof typeof PREFIXES, number: string): Promise<GatewayCall> =>
  gateways[trunk].until((calls) =>
    calls.findLast((call) => call.direction === "in" && call.number === number && call.state === "answered"),
  );

/** The call with which a telephone followed a REFER. */
const followed = (call: GatewayCall): Promise<GatewayCall> =>
  gateways.willing.until(() => call.referrals.find(({ notified }) => notified.includes(200))?.call);

const over = (trunk: keyof typeof PREFIXES, call: GatewayCall): Promise<unknown> =>
  gateways[trunk].until(() => call.state === "ended");

describe("A person who hands a telephone over to another number", () => {
  it("is out of it, and the two telephones talk: the trunk's own doing", async () => {
    const from = [caller, third].map(({ events }) => events.length);
    await caller.dial(`sip:${DIDS.main}@127.0.0.1:${stage.proxy.port}`);
    const matrixCallId = await aliceAnswers(NUMBERS.caller);
    await talk({ hears: caller.hears, hz: CALLER_HZ }, person(alice, ALICE_HZ));
    await alice.phone.transfer(await ghost(NUMBERS.third));
    expect(await endAt(alice, matrixCallId)).toMatchObject({ errors: [] });
    await third.event("CALL_ESTABLISHED", { from: from[1] ?? 0 });
    await talk({ hears: caller.hears, hz: CALLER_HZ }, { hears: third.hears, hz: THIRD_HZ });
    expect(stage.proxy.log.text).toMatch(/request REFER/);
    await third.hangup();
    await caller.event("CALL_CLOSED", { from: from[0] ?? 0 });
  });

  it("is out of it, and the two telephones talk: in the bridge, where the trunk takes no REFER", async () => {
    const { call, matrixCallId, voice } = await calledBy("unwilling");
    const number = `${PREFIXES.unwilling}02`;
    await alice.phone.transfer(await ghost(number));
    await endAt(alice, matrixCallId);
    const answered = await callTo("unwilling", number);
    await talk(voice, voiceOf(answered, THIRD_HZ));
    expect(call.requests).toContain("REFER");
    await answered.hangUp();
    await over("unwilling", call);
  });

  it("is out of it, and the two telephones talk: in the bridge, where they are of different trunks", async () => {
    const { call, matrixCallId, voice } = await calledBy("unwilling");
    const from = third.events.length;
    await alice.phone.transfer(await ghost(NUMBERS.third));
    await endAt(alice, matrixCallId);
    await third.event("CALL_ESTABLISHED", { from });
    await talk(voice, { hears: third.hears, hz: THIRD_HZ });
    expect(call.requests).not.toContain("REFER");
    await call.hangUp();
    await third.event("CALL_CLOSED", { from });
  });

  it.for(["willing", "unwilling"] as const)(
    "asks the other first, and is out of it, and the two talk, on a trunk that is %s to take REFER",
    async (trunk) => {
      const { call, matrixCallId, voice } = await calledBy(trunk);
      const number = `${PREFIXES[trunk]}03`;
      await alice.phone.hold(true);
      const consulted = await alice.phone.dial(number);
      await alice.inState("connected");
      const answered = await callTo(trunk, number);
      await talk(voiceOf(answered, THIRD_HZ), person(alice, ALICE_HZ));
      await alice.phone.transferHeld(matrixCallId);
      await Promise.all([endAt(alice, matrixCallId), endAt(alice, consulted.matrixCallId)]);
      if (trunk === "unwilling") {
        await talk(voice, voiceOf(answered, THIRD_HZ));
        expect(call.requests).toContain("REFER");
        await call.hangUp();
        await over(trunk, answered);
        return;
      }
      // The call that is referred takes the place of the one that Alice had (Replaces).
      const following = await followed(call);
      expect(following.sipCallId).not.toBe(answered.sipCallId);
      await over(trunk, answered);
      expect(answered.end).toMatchObject({ how: "replaced" });
      const taken = await gateways[trunk].until((calls) =>
        calls.find((one) => one.direction === "in" && one.sipCallId === following.sipCallId),
      );
      await talk(voiceOf(following, CALLER_HZ), voiceOf(taken, THIRD_HZ));
      await following.hangUp();
      await over(trunk, call);
    },
  );

  it.for(["willing", "unwilling"] as const)(
    "reads why it went wrong and has the telephone back, on a trunk that is %s to take REFER",
    async (trunk) => {
      const { call, matrixCallId, voice } = await calledBy(trunk);
      const { roomId } = await alice.report(matrixCallId);
      await alice.phone.transfer(await ghost(`${PREFIXES[trunk]}486`));
      await endAt(alice, matrixCallId);
      expect((await lineIn(alice, roomId, /transfer/)).body).toBe("The transfer failed: The number was busy.");
      await alice.ringing();
      await alice.phone.answer();
      await talk(voice, person(alice, ALICE_HZ));
      await call.hangUp();
      expect(await alice.inState("ended")).toMatchObject({ hangupParty: "remote", errors: [] });
    },
  );
});

describe("A person who hands a telephone over to another person", () => {
  it("is out of it: the other is rung, answers, and they talk", async () => {
    const { call, matrixCallId, voice } = await calledBy("willing");
    await alice.phone.transfer(bob.userId);
    await endAt(alice, matrixCallId);
    await joinsWhenInvited(bob);
    await bob.ringing();
    await bob.phone.answer();
    await bob.inState("connected");
    await talk(voice, person(bob, BOB_HZ));
    await call.hangUp();
    expect(await bob.inState("ended")).toMatchObject({ hangupParty: "remote", errors: [] });
  });
});

describe("A telephone that hands the person over to another one", () => {
  it("is out of it, and the person talks on in the same call", async () => {
    const { call, matrixCallId } = await calledBy("willing");
    const number = `${PREFIXES.willing}04`;
    const { roomId } = await alice.report(matrixCallId);
    expect(await call.refer(number)).toBe(202);
    const answered = await callTo("willing", number);
    await talk(voiceOf(answered, THIRD_HZ), person(alice, ALICE_HZ));
    await gateways.willing.until(() => call.notified.includes(200));
    await lineIn(alice, roomId, /^You are now connected to /);
    expect((await alice.report()).assertedName?.replaceAll(" ", "")).toBe(number);
    await alice.phone.hangup();
    await Promise.all([over("willing", answered), over("willing", call)]);
    expect(await endAt(alice, matrixCallId)).toMatchObject({ hangupParty: "local", errors: [] });
  });

  it("within its own house says who it is now (UPDATE), and the person sees it", async () => {
    const { call, matrixCallId } = await calledBy("willing");
    const asserted = ["P-Asserted-Identity", `<sip:${PREFIXES.willing}05@127.0.0.1>`] as const;
    expect(await call.update([asserted])).toBe(200);
    await until("the other number", async () => {
      return (await alice.report()).assertedName?.replaceAll(" ", "") === `+44${PREFIXES.willing.slice(1)}05`;
    });
    await alice.phone.hangup();
    await over("willing", call);
    await endAt(alice, matrixCallId);
  });

  it("is a baresip, and the third is one too", async () => {
    const from = [caller, third].map(({ events }) => events.length);
    await caller.dial(`sip:${DIDS.main}@127.0.0.1:${stage.proxy.port}`);
    const matrixCallId = await aliceAnswers(NUMBERS.caller);
    await talk({ hears: caller.hears, hz: CALLER_HZ }, person(alice, ALICE_HZ));
    await caller.command("transfer", `sip:${NUMBERS.third}@127.0.0.1:${stage.proxy.port}`);
    await third.event("CALL_ESTABLISHED", { from: from[1] ?? 0 });
    await talk({ hears: third.hears, hz: THIRD_HZ }, person(alice, ALICE_HZ));
    await third.hangup();
    await endAt(alice, matrixCallId);
    await caller.event("CALL_CLOSED", { from: from[0] ?? 0 });
  });
});
