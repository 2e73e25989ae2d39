// A person is rung in both ways at once: whoever takes or refuses the call with one client is not rung on by the other.
import { beforeEach, describe, expect, test } from "vitest";
import type { LegAddress } from "../../../src/core/call/model/matrix-leg.ts";
import { deviceId } from "../../../src/core/ids.ts";
import { legacyClient } from "../../../src/matrix/legs/legacy-form.ts";
import { declineType, memberType, number, ringType, type RtcWorld, startRtcWorld } from "./rtc-world.ts";

const sdp = "v=0\r\n";
let world: RtcWorld;
let leg: LegAddress;

beforeEach(async () => {
  world = await startRtcWorld();
  const { homeserver } = world.rig.edge;
  await expect.poll(() => homeserver.clientKinds).toEqual(["legacy", "rtc"]);
  leg = { ...homeserver.ownSide(["legacy", "rtc"]), room: world.room, ghost: number };
  await homeserver.signal(leg, { kind: "invite", description: sdp, lifetimeMs: 60_000, invitee: world.alice });
});

const legacyRings = (): boolean => world.said("m.call.invite").length > world.said("m.call.hangup").length;
const isInCall = (): boolean => "application" in (world.memberships().at(-1)?.content ?? {});
const rtcRings = (): boolean => isInCall() && world.said("m.room.redaction").length === 0;

describe("a person who is rung in both ways", () => {
  test("rings in both, with one call id, and SDP for the clients that want it", () => {
    expect([legacyRings(), rtcRings()]).toEqual([true, true]);
    expect(leg.form).toMatchObject({ kind: "both", media: "client" });
    expect(world.said("m.call.invite")).toMatchObject([
      { content: { call_id: leg.matrixCallId, party_id: leg.own, offer: { sdp }, invitee: world.alice } },
    ]);
    expect(world.memberships()).toMatchObject([{ content: { device_id: leg.own } }]);
  });

  test("answers with Element Call: the other client stops at once and shows no missed call, and the number stays", async () => {
    await world.join();
    await world.rig.factCount(2);
    const answer = world.rig.facts[1];
    if (answer?.kind !== "call.answered") throw new Error("not answered");
    const taken = { ...leg, form: answer.form };
    await world.rig.edge.homeserver.signal(taken, { kind: "select", device: deviceId("PHONE") });
    expect([legacyRings(), isInCall()]).toEqual([false, true]);
    expect(world.said("m.call.hangup")).toMatchObject([{ content: { reason: "answered_elsewhere" } }]);
    expect(world.said("m.call.select_answer")).toEqual([]);
  });

  test("answers with a client of the VoIP module: Element Call stops at once, and the call goes on", async () => {
    const taken = { ...leg, form: legacyClient("1").form };
    await world.rig.edge.homeserver.signal(taken, { kind: "select", device: deviceId("LAPTOP") });
    expect([legacyRings(), isInCall(), rtcRings()]).toEqual([true, false, false]);
    expect(world.said("m.call.select_answer")).toMatchObject([{ content: { selected_party_id: "LAPTOP" } }]);
  });

  test("declines with Element Call, and no other client rings on", async () => {
    const event_id = world.said(ringType)[0]?.event_id;
    await world.send(declineType, { "m.relates_to": { rel_type: "m.reference", event_id } });
    await expect.poll(() => [legacyRings(), isInCall()]).toEqual([false, false]);
  });

  test("declines with a client of the VoIP module, and Element Call does not ring on", async () => {
    await world.send("m.call.reject", { call_id: leg.matrixCallId, version: "1", party_id: "LAPTOP" });
    await expect.poll(() => [isInCall(), rtcRings()]).toEqual([false, false]);
  });

  test("is rung by neither when the caller gives up", async () => {
    await world.rig.edge.homeserver.signal(leg, { kind: "hangup", cause: "caller-cancelled" });
    expect([legacyRings(), isInCall(), rtcRings()]).toEqual([false, false, false]);
    expect(world.said("m.room.redaction")).toHaveLength(1);
  });
});

test("a bridge that died while both rang ends both with what is stored of the leg", async () => {
  const rig = await world.restart();
  const stored = JSON.parse(JSON.stringify(leg)) as LegAddress;
  await rig.edge.homeserver.signal(stored, { kind: "hangup", cause: "restarted" });
  expect([legacyRings(), isInCall(), rtcRings()]).toEqual([false, false, false]);
  expect(world.said("m.room.redaction")).toHaveLength(1);
});

test("where a whole room is rung, whoever refuses speaks for themselves: the others ring on", async () => {
  await world.rig.edge.homeserver.signal(leg, { kind: "hangup", cause: "caller-cancelled" });
  const { homeserver } = world.rig.edge;
  const again = { ...homeserver.ownSide(["legacy", "rtc"]), room: world.room, ghost: number };
  await homeserver.signal(again, { kind: "invite", description: sdp, lifetimeMs: 60_000, invitee: undefined });
  const before = world.rig.facts.length;
  await world.send("m.call.reject", { call_id: again.matrixCallId, version: "1", party_id: "LAPTOP" });
  await world.rig.factCount(before + 1);
  await world.rig.edge.idle();
  // What the number would have said of itself is said before this.
  await homeserver.notice(world.room, number, "still ringing");
  expect([legacyRings(), isInCall()]).toEqual([true, true]);
});

test("where the number may take no part in calls of the room, the other clients ring all the same", async () => {
  const levels = await world.ask("GET", `v3/rooms/${world.room}/state/m.room.power_levels`);
  const events = { ...(levels["events"] as object), [memberType]: 101 };
  await world.ask("PUT", `v3/rooms/${world.room}/state/m.room.power_levels`, { ...levels, events });
  const { homeserver } = world.rig.edge;
  const again = { ...homeserver.ownSide(["legacy", "rtc"]), room: world.room, ghost: number };
  await homeserver.signal(again, { kind: "invite", description: sdp, lifetimeMs: 60_000, invitee: undefined });
  expect(world.said("m.call.invite")).toHaveLength(2);
  const warning = world.rig.lines.find(({ message }) => message === "only one kind of clients could be rung");
  expect(String(warning?.fields?.["error"])).toContain(`the power level of ${memberType} must be 0`);
});
