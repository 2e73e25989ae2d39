// The telephone parts prove themselves: SIPp, Kamailio and baresip, before a bridge calls them.
import { describe, expect, it } from "vitest";
import { startBaresip } from "./telephones/baresip.ts";
import { toneAt } from "./base/hearing.ts";
import { startKamailio } from "./proxies/kamailio.ts";
import { testRig } from "./base/rig.ts";
import { openRtpEar } from "./telephones/rtp-ear.ts";
import { type Scenario, type SippOptions, startSipp } from "./telephones/sipp.ts";
import { until } from "./base/until.ts";

const NEAR_HZ = 440;
const FAR_HZ = 1000;

describe("Kamailio with baresip behind it", () => {
  const account = { user: "bridge", password: "correct horse" };

  it("asks a caller for credentials, relays the call, and each side hears the other's tone", async () => {
    const rig = testRig();
    const phone = await startBaresip(rig, { number: "01818118181", toneHz: FAR_HZ });
    const proxy = await startKamailio(rig, { numbers: { [phone.number]: phone.port }, account });
    const ear = await openRtpEar(rig, { toneHz: NEAR_HZ });
    const caller = await startSipp(rig, {
      scenario: "uac-digest",
      target: `127.0.0.1:${proxy.port}`,
      number: phone.number,
      credentials: account,
      rtpPort: ear.port,
      talkMs: 3000,
    });
    await phone.event("CALL_ESTABLISHED");
    await Promise.all([toneAt(phone.hears, NEAR_HZ, [FAR_HZ]), toneAt(ear.hears, FAR_HZ, [NEAR_HZ])]);
    await phone.command("sndcode", "5");
    await until("a key press at the ear", () => ear.keypresses().length > 0);
    expect(ear.keypresses().map(({ digit }) => digit)).toEqual(["5"]);
    await caller.done();
    await phone.event("CALL_CLOSED");
    expect(proxy.log.text).toMatch(/request BYE/);
    expect(await caller.messages()).toMatch(/^Record-Route: <sip:127\.0\.0\.1:\d+/m);
  });

  it("refuses a caller with the wrong password again and again", async () => {
    const rig = testRig();
    const proxy = await startKamailio(rig, { numbers: { "100": 9 }, account });
    const caller = await startSipp(rig, {
      scenario: "uac-digest",
      target: `127.0.0.1:${proxy.port}`,
      number: "100",
      credentials: { ...account, password: "wrong" },
    });
    await expect(caller.done()).rejects.toThrow(/407 Proxy Authentication Required/);
  });

  it("can ask for SHA-256", async () => {
    const rig = testRig();
    const proxy = await startKamailio(rig, { numbers: {}, account, algorithm: "SHA-256" });
    const caller = await startSipp(rig, {
      scenario: "uac-digest",
      target: `127.0.0.1:${proxy.port}`,
      number: "100",
      credentials: account,
    });
    // SIPp 3.6 itself knows MD5 only, and says so.
    await expect(caller.done()).rejects.toThrow(/algorithm=SHA-256/);
  });
});

/** baresip calls a SIPp through a Kamailio that asks for nothing. */
const call = async (scenario: Scenario, options: Partial<SippOptions> = {}) => {
  const rig = testRig();
  const far = await startSipp(rig, { scenario, timeoutMs: 15_000, ...options });
  const proxy = await startKamailio(rig, { numbers: { "300": far.port } });
  const phone = await startBaresip(rig, { number: "100", toneHz: NEAR_HZ });
  await phone.command("dial", `sip:300@127.0.0.1:${proxy.port}`);
  return { rig, far, phone, proxy };
};

describe("SIPp behind Kamailio, called by baresip", () => {
  it.for([
    ["uas-busy", "486 Busy Here"],
    ["uas-not-found", "404 Not Found"],
  ] as const)("%s refuses with %s", async ([scenario, words]) => {
    const { far, phone } = await call(scenario);
    expect(await phone.event("CALL_CLOSED")).toMatchObject({ param: words });
    await far.done();
  });

  it("an unknown number does not exist", async () => {
    const rig = testRig();
    const proxy = await startKamailio(rig, { numbers: {} });
    const phone = await startBaresip(rig, { number: "100", toneHz: NEAR_HZ });
    await phone.command("dial", `sip:301@127.0.0.1:${proxy.port}`);
    expect(await phone.event("CALL_CLOSED")).toMatchObject({ param: "404 Not Found" });
  });

  it("uas-no-answer rings until it is cancelled", async () => {
    const { far, phone } = await call("uas-no-answer");
    await phone.event("CALL_RINGING");
    await phone.hangup();
    await far.done();
  });

  it("uas-answers-cancelled answers in spite of it, and is hung up on", async () => {
    const { far, phone } = await call("uas-answers-cancelled");
    await phone.event("CALL_RINGING");
    await phone.hangup();
    await far.done();
  });

  it("uas-answer-then-bye hangs up after a while", async () => {
    const { far, phone } = await call("uas-answer-then-bye", { talkMs: 200 });
    await phone.event("CALL_ESTABLISHED");
    await phone.event("CALL_CLOSED");
    await far.done();
  });

  it("uas-wait-bye waits for the caller to hang up", async () => {
    const { far, phone } = await call("uas-wait-bye");
    await phone.event("CALL_ESTABLISHED");
    await phone.hangup();
    await far.done();
  });

  it("uas-hold wants to be held and resumed", async () => {
    const { far, phone } = await call("uas-hold");
    await phone.event("CALL_ESTABLISHED");
    await phone.command("hold");
    await until("the answer to hold", async () => /a=recvonly/.test(await far.messages()));
    await phone.command("resume");
    await until("the ACK after resume", async () => (await far.messages()).match(/^ACK /gm)?.length === 3);
    await phone.hangup();
    await far.done();
  });

  it("uas-hold does not take a hang-up for a hold", async () => {
    const { far, phone } = await call("uas-hold");
    await phone.event("CALL_ESTABLISHED");
    await phone.hangup();
    await expect(far.done()).rejects.toThrow(/exit code 1/);
  });
});
