// What a real client makes of the events that a number sends, and what it sends itself: the Matrix edge alone before a real
// Synapse, matrix-js-sdk in two browsers of one person, and for a telephone a bare peer connection in the first of them.
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { systemClock } from "../../../src/clock/system-clock.ts";
import type { LegAddress } from "../../../src/core/call/model/matrix-leg.ts";
import { matrixCallId, deviceId, type RoomId, type UserId } from "../../../src/core/ids.ts";
import { createMatrixEdge } from "../../../src/matrix/edge.ts";
import type { Homeserver, MatrixFact } from "../../../src/ports/homeserver.ts";
import { openMemoryStore } from "../../fakes/memory-store.ts";
import { FakeTelemetry } from "../../fakes/telemetry.ts";
import { type Browser, startBrowser } from "../parts/clients/browser.ts";
import { freePort } from "../../../dev/loopback/free-ports.ts";
import { suiteRig } from "../parts/base/rig.ts";
import { startSynapse } from "../parts/homeservers/synapse.ts";
import { until } from "../parts/base/until.ts";
import { sdpIn } from "../../../src/core/media-description.ts";
import { legacyClient } from "../../../src/matrix/legs/legacy-form.ts";

const domain = "example.org";
const rig = suiteRig("client-signals");

type FactOf<Kind extends MatrixFact["kind"]> = Extract<MatrixFact, { kind: Kind }>;

describe("a person whom a number calls", () => {
  const facts: MatrixFact[] = [];
  let homeserver: Homeserver;
  let ann: UserId;
  let desk: Browser;
  let pocket: Browser;
  let numbers = 0;

  beforeAll(async () => {
    const port = await freePort();
    const registration = {
      id: "sip",
      url: `http://127.0.0.1:${port}`,
      as_token: randomBytes(16).toString("hex"),
      hs_token: randomBytes(16).toString("hex"),
      sender_localpart: "_sip_bot",
      rate_limited: false,
      namespaces: { users: [{ regex: "^@_sip_.*:example\\.org$", exclusive: true }] },
    };
    const registrationFile = rig.path("registration.yaml");
    await writeFile(registrationFile, stringify(registration));
    const synapse = await startSynapse(rig, { serverName: domain, registrations: [registrationFile] });
    const edge = createMatrixEdge({
      registration,
      bot: "_sip_bot",
      homeserverUrl: synapse.url,
      domain,
      host: "127.0.0.1",
      port,
      telemetry: new FakeTelemetry(),
      clock: systemClock,
    });
    await edge.listen({
      inbox: openMemoryStore().inbox,
      heard: async (fact) => void facts.push(fact),
      ours: async () => [],
      queries: {
        protocol: () => undefined,
        usersByField: () => undefined,
        usersById: () => [],
        lookupDelay: () => undefined,
        userExists: async () => false,
      },
    });
    rig.defer("the Matrix edge", () => edge.stop());
    await edge.deliver();
    homeserver = edge.homeserver;
    const account = await synapse.register("ann");
    ann = account.userId as UserId;
    desk = await startBrowser(rig, { homeserver: synapse.url, account, toneHz: 440 });
    // The same person once more; the whole user id keeps the two browsers' folders apart.
    pocket = await startBrowser(rig, {
      homeserver: synapse.url,
      account: { ...account, user: account.userId },
      toneHz: 660,
    });
  }, 120_000);

  /** A number with a room that Ann has joined, unless she has not yet. */
  async function number({ joined = true } = {}): Promise<{ ghost: UserId; room: RoomId }> {
    numbers += 1;
    const ghost = `@_sip_+4416329601${String(numbers).padStart(2, "0")}:${domain}` as UserId;
    await homeserver.register(ghost);
    await homeserver.setDisplayName(ghost, `+44 1632 9601${numbers}`);
    const room = await homeserver.createDirectRoom(ghost, ann);
    if (joined) {
      await desk.phone.join(room);
      // Both devices know the room before it rings.
      for (const device of [desk, pocket])
        await until("the room", async () => (await device.phone.displayName(room, ghost)) !== undefined);
    }
    return { ghost, room };
  }

  function legOf({ ghost, room }: { ghost: UserId; room: RoomId }): LegAddress {
    return { room, ghost, matrixCallId: matrixCallId(`zzz${numbers}`), own: deviceId("OURS"), ...legacyClient("1") };
  }

  const invite = (leg: LegAddress, sdp: string): Promise<void> =>
    homeserver.signal(leg, { kind: "invite", description: sdp, lifetimeMs: 90_000, invitee: ann });

  function fact<Kind extends MatrixFact["kind"]>(kind: Kind, leg: LegAddress): Promise<FactOf<Kind>> {
    return until(`a ${kind} from the room`, () =>
      facts.find((one): one is FactOf<Kind> => one.kind === kind && one.room === leg.room),
    );
  }

  const ended = async (device: Browser, leg: LegAddress) =>
    until("the call to end", async () => {
      const call = await device.report(leg.matrixCallId);
      return call.state === "ended" && call;
    });

  /** Answered on the desk, over the whole of signalling and ICE. */
  async function connected(): Promise<LegAddress> {
    const leg = legOf(await number());
    await invite(leg, await desk.phone.farOffer());
    await desk.ringing();
    await desk.phone.answer();
    const answered = await fact("call.answered", leg);
    await homeserver.signal(leg, { kind: "select", device: answered.device ?? deviceId("") });
    await desk.phone.farAnswered(sdpIn(answered.description));
    await desk.inState("connected");
    return leg;
  }

  test("hears it on both devices, and the one that does not answer falls silent", async () => {
    const leg = legOf(await number());
    await invite(leg, await desk.phone.farOffer());
    await Promise.all([desk.ringing(), pocket.ringing()]);
    await desk.phone.answer();
    const answered = await fact("call.answered", leg);
    expect(answered).toMatchObject({
      sender: ann,
      device: desk.deviceId,
      matrixCallId: leg.matrixCallId,
      ...legacyClient("1"),
    });
    await homeserver.signal(leg, { kind: "select", device: deviceId(desk.deviceId) });
    await desk.phone.farAnswered(sdpIn(answered.description));
    expect(await desk.inState("connected")).toMatchObject({ transferable: true, takesKeys: true });
    expect((await ended(pocket, leg)).hangupReason).toBe("answered_elsewhere");

    await homeserver.signal(leg, { kind: "identity", identity: { ghost: leg.ghost, displayName: "The boss" } });
    await until("the other name", async () => (await desk.report()).assertedName === "The boss");

    await homeserver.signal(leg, { kind: "hangup", cause: "callee-hung-up" });
    expect(await ended(desk, leg)).toMatchObject({ hangupParty: "remote", hangupReason: "user_hangup" });
  });

  test("who joins the room while it rings can still answer", async () => {
    const where = await number({ joined: false });
    const leg = legOf(where);
    await invite(leg, await desk.phone.farOffer());
    await until("the invitation", async () => (await desk.phone.invitations()).includes(where.room));
    await desk.phone.join(where.room);
    expect((await desk.ringing()).matrixCallId).toBe(leg.matrixCallId);
    await desk.phone.answer();
    await fact("call.answered", leg);
    await homeserver.signal(leg, { kind: "hangup", cause: "callee-hung-up" });
    await ended(desk, leg);
  });

  test("declines on one device, and the other falls silent", async () => {
    const leg = legOf(await number());
    await invite(leg, await desk.phone.farOffer());
    await Promise.all([desk.ringing(), pocket.ringing()]);
    await pocket.phone.reject();
    expect(await fact("call.rejected", leg)).toMatchObject({ sender: ann, device: pocket.deviceId });
    await Promise.all([ended(desk, leg), ended(pocket, leg)]);
  });

  test.each(["answered-elsewhere", "no-answer", "missed"] as const)(
    "is not rung any longer when the number gives up: %s",
    async (cause) => {
      const leg = legOf(await number());
      await invite(leg, await desk.phone.farOffer());
      await Promise.all([desk.ringing(), pocket.ringing()]);
      await homeserver.signal(leg, { kind: "hangup", cause });
      await Promise.all([ended(desk, leg), ended(pocket, leg)]);
    },
  );

  test("who calls the number in the same moment talks in the one call that is left", async () => {
    const where = await number();
    const leg = legOf(where);
    const sdp = await desk.phone.farOffer();
    const theirs = await desk.phone.callIn(where.room);
    await invite(leg, sdp);
    await pocket.ringing();
    const invited = await fact("call.invited", leg);
    expect(invited).toMatchObject({ matrixCallId: theirs.matrixCallId, invitee: undefined });
    // The number gives way.
    await homeserver.signal(leg, { kind: "hangup", cause: "callee-hung-up" });
    const own = { ...leg, matrixCallId: invited.matrixCallId };
    await homeserver.signal(own, {
      kind: "answer",
      description: await desk.phone.farAnswer(sdpIn(invited.description)),
    });
    expect(await fact("call.selected", leg)).toMatchObject({ matrixCallId: own.matrixCallId, selected: leg.own });
    await until("the call to stand", async () => (await desk.report(own.matrixCallId)).state === "connected");
    await ended(pocket, leg);
    await homeserver.signal(own, { kind: "hangup", cause: "callee-hung-up" });
    await ended(desk, own);
  });

  test("hands the call over to a number, and is out of it without another word", async () => {
    const leg = await connected();
    const { ghost } = await number();
    await desk.phone.transfer(ghost);
    expect(await fact("call.replaced", leg)).toMatchObject({
      matrixCallId: leg.matrixCallId,
      device: desk.deviceId,
      replacement: { kind: "create", token: expect.any(String) as string, target: ghost },
    });
    expect((await desk.report(leg.matrixCallId)).state).toBe("ended");
    expect(facts.some((one) => one.kind === "call.hungUp" && one.room === leg.room)).toBe(false);
  });

  test("connects two numbers after a word with one of them: two halves of one transfer", async () => {
    const held = await connected();
    const consulted = await connected();
    await desk.phone.transferHeld(held.matrixCallId);
    const create = await fact("call.replaced", held);
    const awaits = await fact("call.replaced", consulted);
    expect(create.replacement).toMatchObject({ kind: "create", target: consulted.ghost });
    expect(awaits.replacement).toEqual({ kind: "await", token: create.replacement.token });
    expect(facts.indexOf(awaits)).toBeLessThan(facts.indexOf(create));
  });
});
