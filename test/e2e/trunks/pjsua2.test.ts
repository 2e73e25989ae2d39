// A telephone of the SIP stack that most softphones and Asterisk are made of: calls both ways, holds by re-INVITE and by
// UPDATE, keys by RTP and by INFO, session timers, SRTP, and each kind of transfer, by it and to it.
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import type { CallFact } from "../../../dev/headless/call-view.ts";
import type { HeadlessCall, HeadlessCaller } from "../../../dev/headless/caller.ts";
import { hearEachOther, type Voice } from "../parts/clients/called.ts";
import { toneAt } from "../parts/base/hearing.ts";
import { type Kamailio, startKamailio } from "../parts/proxies/kamailio.ts";
import { type Pjsua2, type Pjsua2Options, startPjsua2 } from "../parts/telephones/pjsua2.ts";
import { freePort } from "../../../dev/loopback/free-ports.ts";
import { suiteRig } from "../parts/base/rig.ts";
import { startTrunkStage, type TrunkStage } from "../parts/stages/trunk-stage.ts";
import { until } from "../parts/base/until.ts";

const ANN_HZ = 440;
const PHONE_HZ = 1000;
const THIRD_HZ = 1600;
const ALL = [ANN_HZ, PHONE_HZ, THIRD_HZ];

const PHONE = "01632960110";
const THIRD = "01632960111";
const SECURE = "01632961112";
/** Ann's numbers: over the proxy, and on the trunk that knows its peer by the address alone. */
const DIDS = { proxied: "2401", secure: "2403" } as const;

const rig = suiteRig("trunk-pjsua2");
let proxy: Kamailio;
let stage: TrunkStage;
let ann: HeadlessCaller;
let phone: Pjsua2;
let third: Pjsua2;
let secure: Pjsua2;

beforeAll(async () => {
  const ports = { phone: await freePort(), third: await freePort(), secure: await freePort(), door: await freePort() };
  proxy = await startKamailio(rig, {
    numbers: { [PHONE]: ports.phone, [THIRD]: ports.third, [DIDS.proxied]: ports.door },
  });
  stage = await startTrunkStage(rig, {
    trunks: [
      {
        name: "proxied",
        server: `127.0.0.1:${proxy.port}`,
        listen: { host: "127.0.0.1", port: ports.door },
        prefix: "016329601",
      },
      {
        name: "secure",
        server: `127.0.0.1:${ports.secure}`,
        prefix: "016329611",
        transport: "tcp",
        media: { srtp: "required" },
        dtmf: "info",
        session_timer: { expires_seconds: 90, min_seconds: 90 },
      },
    ],
    numbers: { [DIDS.proxied]: "ann", [DIDS.secure]: "ann" },
  });
  const telephone = (options: Pjsua2Options) => startPjsua2(rig, options);
  [ann, phone, third, secure] = await Promise.all([
    stage.caller("ann", ANN_HZ),
    telephone({ number: PHONE, toneHz: PHONE_HZ, port: ports.phone }),
    telephone({ number: THIRD, toneHz: THIRD_HZ, port: ports.third }),
    telephone({
      number: SECURE,
      toneHz: PHONE_HZ,
      port: ports.secure,
      codec: "PCMA",
      srtp: "required",
      sessionTimer: "always",
    }),
  ]);
});

// A test that fails in a call leaves none to the next one.
afterEach(() => Promise.all(ann.calls.map((call) => call.hangup())));

const personIn = (call: HeadlessCall): Voice => ({
  hears: (frequencies, durationMs) => (call.heardMs < durationMs ? undefined : call.heard(durationMs, frequencies)),
  hz: ANN_HZ,
});
const voiceOf = (telephone: Pjsua2): Voice => ({
  hears: telephone.hears,
  hz: telephone === third ? THIRD_HZ : PHONE_HZ,
});
const talk = (one: Voice, other: Voice): Promise<unknown> =>
  hearEachOther(
    one,
    other,
    ALL.filter((hz) => hz !== one.hz && hz !== other.hz),
  );
const atProxy = (number: string): string => `sip:${number}@127.0.0.1:${proxy.port}`;
const over = (call: HeadlessCall): Promise<unknown> => call.until(({ state }) => state === "ended");
const marks = (...telephones: Pjsua2[]): number[] => telephones.map(({ events }) => events.length);
const closed = (telephone: Pjsua2, call: number | undefined, from = 0): Promise<unknown> =>
  telephone.event({ event: "state", state: "DISCONNECTED", ...(call === undefined ? {} : { call }) }, from);

/** The telephone calls Ann, and they talk. */
async function phoneCallsAnn(): Promise<{ call: HeadlessCall; leg: number }> {
  await phone.listenAnew();
  const leg = await phone.dial(atProxy(DIDS.proxied));
  const call = await ann.incoming();
  await call.answer();
  await talk(voiceOf(phone), personIn(call));
  return { call, leg };
}

/** Ann calls a telephone, and they talk. */
async function annCalls(telephone: Pjsua2): Promise<HeadlessCall> {
  await telephone.listenAnew();
  const call = await ann.call(telephone.number);
  await call.until(({ state }) => state === "connected");
  await talk(voiceOf(telephone), personIn(call));
  return call;
}

/** The two telephones hear each other, and Ann no more. */
async function telephonesTalk(): Promise<void> {
  await Promise.all([phone.listenAnew(), third.listenAnew()]);
  await talk(voiceOf(phone), voiceOf(third));
}

const isRenegotiated =
  (direction?: "sendonly" | "sendrecv") =>
  (fact: CallFact): fact is Extract<CallFact, { kind: "renegotiated" }> =>
    fact.kind === "renegotiated" && (direction === undefined || fact.direction === direction);

/** Nothing of Ann comes to the telephone, though it is long enough on hold for her last packets to have arrived. */
async function hearsNothing(telephone: Pjsua2): Promise<void> {
  let heardMs = -1;
  let since = 0;
  await until("silence at the telephone", async () => {
    const now = await telephone.heardMs();
    if (now !== heardMs) since = performance.now();
    heardMs = now;
    return performance.now() - since > 600;
  });
}

describe("A pjsua2 telephone behind a proxy", () => {
  it("calls a person: they hear each other, its keys arrive, and it hangs up", async () => {
    const { call, leg } = await phoneCallsAnn();
    await phone.press("42#", "RFC 4733");
    await until("the keys", () => call.keys.join("").startsWith("42#"));
    await phone.hangup(leg);
    await over(call);
    expect(call.end).toMatchObject({ by: "bridge", how: "hung up" });
  });

  it("is called by a person: they hear each other, their keys arrive, and they hang up", async () => {
    const [from] = marks(phone);
    const call = await annCalls(phone);
    await call.dtmf("17*");
    await until("the keys", () => phone.digits("RFC 4733").endsWith("17*"));
    await call.hangup();
    await closed(phone, undefined, from);
  });

  it.for(["re-INVITE", "UPDATE"] as const)(
    "holds the person and takes them back by %s: the client shows it, and meanwhile they hear the telephone, and it not them",
    async (by) => {
      const { call, leg } = await phoneCallsAnn();
      await phone.hold(by, leg);
      await call.until(({ facts }) => facts.some(isRenegotiated("sendonly")));
      await toneAt(personIn(call).hears, PHONE_HZ, [ANN_HZ]);
      await hearsNothing(phone);
      await phone.resume(by, leg);
      await call.until(({ facts }) => facts.findLast(isRenegotiated())?.direction === "sendrecv");
      await phone.listenAnew();
      await talk(voiceOf(phone), personIn(call));
      expect(phone.log.text).toMatch(by === "UPDATE" ? /^UPDATE sip:proxied@/m : /^INVITE sip:proxied@/m);
      await call.hangup();
      await closed(phone, leg);
    },
  );
});

describe("A pjsua2 telephone that hands the person over", () => {
  it("is out of it, and they talk to the other telephone (REFER)", async () => {
    const { call, leg } = await phoneCallsAnn();
    await third.listenAnew();
    await phone.transfer(atProxy(THIRD), leg);
    await talk(voiceOf(third), personIn(call));
    await phone.event({ event: "transfer status", call: leg, code: 200, final: true });
    await call.hangup();
    await closed(third, third.events.findLast(({ event }) => event === "incoming")?.call);
  });

  it("asks the other telephone first, and then sends the person to it (REFER with Replaces)", async () => {
    const { call, leg } = await phoneCallsAnn();
    await phone.hold("re-INVITE", leg);
    await third.listenAnew();
    const consulted = await phone.dial(atProxy(THIRD));
    await talk(voiceOf(phone), voiceOf(third));
    await phone.transferTo(consulted, leg);
    await third.event({ event: "replaced" });
    await third.listenAnew();
    await talk(voiceOf(third), personIn(call));
    await closed(phone, consulted);
    await call.hangup();
  });

  it("asks the other telephone first, and then sends that one to the person (INVITE with Replaces)", async () => {
    const { call, leg } = await phoneCallsAnn();
    await phone.hold("re-INVITE", leg);
    const consulted = await phone.dial(atProxy(THIRD));
    await talk(voiceOf(phone), voiceOf(third));
    await phone.transferTo(leg, consulted);
    await third.event({ event: "transfer asked" });
    await closed(phone, leg);
    await third.listenAnew();
    await talk(voiceOf(third), personIn(call));
    await call.hangup();
  });
});

describe("A person who hands a pjsua2 telephone over", () => {
  it("is out of it, and the two telephones talk (REFER)", async () => {
    const { call } = await phoneCallsAnn();
    const [fromPhone, fromThird] = marks(phone, third);
    await call.transfer((await ann.lookup(THIRD)) ?? "");
    await over(call);
    await phone.event({ event: "transfer asked" }, fromPhone);
    await telephonesTalk();
    await third.hangup();
    await closed(third, undefined, fromThird);
  });

  it("asks the other telephone first, and the two talk (REFER with Replaces)", async () => {
    const call = await annCalls(phone);
    await call.hold();
    const consulted = await annCalls(third);
    const [from] = marks(third);
    await call.transferTo(consulted);
    await Promise.all([over(call), over(consulted)]);
    await third.event({ event: "replaced" }, from);
    await telephonesTalk();
    await third.hangup();
    await closed(third, undefined, from);
  });
});

describe("A pjsua2 telephone that the trunk knows by its address, with SRTP and a session timer", () => {
  it("is called and calls, and each hears the other", async () => {
    const call = await annCalls(secure);
    await call.hangup();
    await secure.listenAnew();
    const [from] = marks(secure);
    await secure.dial(`sip:${DIDS.secure}@${stage.door("secure")};transport=tcp`);
    const called = await ann.incoming();
    await called.answer();
    await talk(voiceOf(secure), personIn(called));
    await called.hangup();
    await closed(secure, undefined, from);
  });

  it("takes keys by INFO, and sends them so", async () => {
    const call = await annCalls(secure);
    await call.dtmf("90#");
    await until("the keys", () => secure.digits("INFO") === "90#");
    await secure.press("5*", "INFO");
    await until("the keys", () => call.keys.join("").startsWith("5*"));
    await call.hangup();
  });

  it("agrees on a session timer with the bridge, whoever calls", async () => {
    const [from] = marks(secure);
    await secure.dial(`sip:${DIDS.secure}@${stage.door("secure")};transport=tcp`);
    const call = await ann.incoming();
    await call.answer();
    await talk(voiceOf(secure), personIn(call));
    expect(secure.log.text).toMatch(/Session-Expires: 90;refresher=/);
    await call.hangup();
    await closed(secure, undefined, from);
  });
});
