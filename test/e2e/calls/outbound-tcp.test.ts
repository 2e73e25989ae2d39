// The same call over a trunk of another kind: TCP, a SHA-256 digest, A-law; and a bridge that is stopped.
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Baresip, startBaresip } from "../parts/telephones/baresip.ts";
import { type Browser, startBrowser } from "../parts/clients/browser.ts";
import { toneAt } from "../parts/base/hearing.ts";
import { suiteRig } from "../parts/base/rig.ts";
import { type Stage, startStage } from "../parts/stages/stage.ts";

const NEAR_HZ = 440;
const FAR_HZ = 1000;
const NUMBERS = { phone: "01818118181" } as const;

const rig = suiteRig("outbound-tcp");
let stage: Stage<keyof typeof NUMBERS>;
let phone: Baresip;
let alice: Browser;

beforeAll(async () => {
  stage = await startStage(rig, NUMBERS, { transport: "tcp", algorithm: "SHA-256" });
  phone = await startBaresip(rig, {
    number: NUMBERS.phone,
    port: stage.ports.phone,
    toneHz: FAR_HZ,
    codec: "PCMA",
    answers: "when told",
  });
  const account = await stage.synapse.register("alice");
  alice = await startBrowser(rig, { homeserver: stage.synapse.url, account, toneHz: NEAR_HZ });
});

// A test that fails in a call leaves none to the next one.
afterEach(() => alice.phone.hangupAll());

describe("A call over TCP with SHA-256 and A-law", () => {
  it("rings until it is answered, and each side hears the other; leaving the room hangs up", async () => {
    const { roomId } = await alice.phone.dial(NUMBERS.phone);
    await phone.event("CALL_INCOMING");
    expect(await alice.report()).toMatchObject({ state: "invite_sent" });
    await phone.answer();
    await alice.inState("connected");
    await Promise.all([toneAt(alice.hears, FAR_HZ, [NEAR_HZ]), toneAt(phone.hears, NEAR_HZ, [FAR_HZ])]);
    expect(stage.proxy.log.text).toMatch(/request ACK \S+ from tcp:/);
    await alice.phone.leave(roomId);
    await phone.event("CALL_CLOSED");
  });

  it("is ended on both sides when the bridge is stopped", async () => {
    const from = phone.events.length;
    await alice.phone.dial(NUMBERS.phone);
    await phone.event("CALL_INCOMING", { from });
    await phone.answer();
    await alice.inState("connected");
    expect(await stage.running.stop()).toEqual({ code: 0, signal: null });
    await phone.event("CALL_CLOSED", { from });
    expect(await alice.inState("ended")).toMatchObject({ hangupParty: "remote" });
  });
});
