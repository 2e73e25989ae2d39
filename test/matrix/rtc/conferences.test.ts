// What has to be known of a call before a telephone is called for it.
import { expect, onTestFinished, test } from "vitest";
import { deviceId, matrixCallId, roomId, type UserId } from "../../../src/core/ids.ts";
import { Connections } from "../../../src/matrix/http/connections.ts";
import { HomeserverClient } from "../../../src/matrix/client/homeserver-client.ts";
import { Conferences } from "../../../src/matrix/rtc/conferences.ts";
import { FrameKeys } from "../../../src/matrix/rtc/frame-keys.ts";
import { seatOf } from "../../../src/matrix/rtc/tracker/rtc-call.ts";
import { RtcTracker } from "../../../src/matrix/rtc/tracker/tracker.ts";
import { HomeserverError } from "../../../src/ports/homeserver.ts";
import { VirtualClock } from "../../fakes/virtual-clock.ts";
import { collectingLog } from "../edge-rig.ts";

test("no telephone is called where it cannot be found out whether the room is encrypted", async () => {
  const clock = new VirtualClock();
  const log = collectingLog([]);
  const ghost = "@_sip_030901820:example.org" as UserId;
  const room = roomId("!r:example.org");
  const call = matrixCallId("ours");
  const seat = seatOf(room, call);
  const device = deviceId("SIP1");
  const tracker = new RtcTracker({
    isOwn: (user) => user === ghost,
    placeIn: async () => ({ device }),
    find: async () => undefined,
    isConversation: async () => true,
    emit: () => undefined,
    clock,
    log,
  });
  let isAway = true;
  const isEncrypted = async (): Promise<boolean> => {
    if (isAway) throw new HomeserverError("HTTP_502", "Bad Gateway", true);
    return false;
  };
  const nothing = async (): Promise<void> => undefined;
  const letters = {
    arePushed: true,
    address: async () => "SIP1",
    fetch: nothing,
    listen: () => undefined,
    write: nothing,
  };
  const encryption = { works: true, isEncrypted, letters };
  const keys = new FrameKeys({ encryption, tracker, changed: () => undefined, clock, log });
  const connections = new Connections("http://127.0.0.1:9", "token");
  onTestFinished(() => connections.close());
  const conferences = new Conferences({
    client: new HomeserverClient(connections, undefined, clock, log),
    ask: async () => ({ status: 500, body: undefined }),
    tracker,
    services: {
      isAllowed: async () => true,
      mediaServerOf: () => undefined,
      servesMembers: async () => true,
      wasAllowed: () => true,
    },
    keys,
    numberIn: async () => ghost,
    log,
  });
  const state = { kind: "ringing", named: undefined, notifications: [] } as const;
  tracker.ring({ seat, room, matrixCallId: call, device, ghost, service: "https://rtc.example.org", state });
  await expect(conferences.seat(seat).check()).rejects.toMatchObject({ code: "engine" });
  isAway = false;
  await expect(conferences.seat(seat).check()).resolves.toBe(undefined);
});
