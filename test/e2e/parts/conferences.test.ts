// The parts of MatrixRTC prove themselves: LiveKit, the token service, Synapse, and two people with browsers who call each other.
import { beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../../../dev/loopback/free-ports.ts";
import type { ElementCallMode } from "../page/element-call/api.ts";
import type { MembershipFormat } from "../page/rtc/api.ts";
import { type Hearing, silenceAt, toneAt } from "./base/hearing.ts";
import { suiteRig } from "./base/rig.ts";
import { until } from "./base/until.ts";
import { type Browser, startBrowser } from "./clients/browser.ts";
import { elementCallOf } from "./clients/element-call.ts";
import { othersOf, rung, silenced } from "./clients/rtc-called.ts";
import { startSynapse } from "./homeservers/synapse.ts";
import { startConferences } from "./rtc/conferences.ts";

const NEAR_HZ = 440;
const FAR_HZ = 1000;
const RINGS_FOR_MS = 30_000;

describe.each(["a plain room", "an encrypted room"])("In %s", (kind) => {
  const rig = suiteRig(`parts-conferences-${kind}`);
  const encryption = kind === "a plain room" ? "none" : "any";
  let alice: Browser;
  let bob: Browser;
  let roomId: string;

  beforeAll(async () => {
    const port = await freePort();
    const { serviceUrl } = await startConferences(rig, {
      url: `http://127.0.0.1:${port}`,
      serverName: "example.org",
    });
    const synapse = await startSynapse(rig, { port, livekitServiceUrl: serviceUrl });
    const homeserver = synapse.url;
    const account = await synapse.register("alice");
    [alice, bob] = await Promise.all([
      startBrowser(rig, { homeserver, account, toneHz: NEAR_HZ, encryption }),
      startBrowser(rig, { homeserver, account: await synapse.register("bob"), toneHz: FAR_HZ, encryption }),
    ]);
    roomId = await alice.phone.directRoom(bob.userId);
    await until("the invitation", async () => (await bob.phone.invitations()).includes(roomId));
    await bob.phone.join(roomId);
    const state = await synapse.request("GET", `/_matrix/client/v3/rooms/${roomId}/messages?dir=b&limit=50`, {
      token: account.accessToken,
    });
    const isEncrypted = (state["chunk"] as { type: string }[]).some(({ type }) => type === "m.room.encryption");
    expect(isEncrypted).toBe(kind === "an encrypted room");
  });

  const hearEachOther = (atAlice: Hearing) =>
    Promise.all([toneAt(atAlice, FAR_HZ, [NEAR_HZ]), toneAt(bob.rtc.heard, NEAR_HZ, [FAR_HZ])]);

  it.each<MembershipFormat>(["state event", "sticky event"])(
    "two people who are in the call by %s ring, decline, answer, hear each other and hang up",
    async (format) => {
      await alice.rtc.join(roomId, { format, ringsForMs: RINGS_FOR_MS });
      const ring = await rung(bob);
      expect(ring).toMatchObject({ roomId, sender: alice.userId, lifetimeMs: RINGS_FOR_MS, over: undefined });
      await bob.rtc.decline(roomId, ring.notificationId);
      await until("the decline", async () => (await alice.rtc.report()).declinedBy.includes(bob.userId));
      expect(await silenced(bob, ring)).toBe("declined");

      await bob.rtc.join(roomId, { format });
      await hearEachOther(alice.rtc.heard);
      const [other] = await othersOf(alice, 1);
      expect(other).toMatchObject({ userId: bob.userId, deviceId: bob.deviceId });
      const plain = `${bob.userId}:${bob.deviceId}`;
      if (format === "state event") expect(other?.identity).toBe(plain);
      else expect(other?.identity).toMatch(/^[A-Za-z0-9+/]{43}$/);

      await alice.rtc.mute(true);
      await silenceAt(bob.rtc.heard);
      await alice.rtc.mute(false);
      await toneAt(bob.rtc.heard, NEAR_HZ, [FAR_HZ]);

      await bob.rtc.leave();
      await othersOf(alice, 0);
      await alice.rtc.leave();
    },
  );

  describe.each<ElementCallMode>(["compatibility", "matrix_2_0"])("Element Call in mode %s", (mode) => {
    it("calls, is declined, is answered, is heard and hears, and hangs up", async () => {
      const element = elementCallOf(alice, mode);
      await element.call(roomId);
      const { notificationId, sender } = await rung(bob);
      expect(sender).toBe(alice.userId);
      await bob.rtc.decline(roomId, notificationId);
      await element.closed();

      await element.call(roomId);
      await rung(bob);
      await bob.rtc.join(roomId, { format: "state event" });
      await hearEachOther(element.hears);
      await element.hangUp();
      await element.closed();
      await othersOf(bob, 0);
      await bob.rtc.leave();
    });

    it("answers, and leaves when the caller hangs up", async () => {
      const element = elementCallOf(alice, mode);
      await bob.rtc.join(roomId, { format: "state event", ringsForMs: RINGS_FOR_MS });
      await element.answer(await rung(alice));
      await hearEachOther(element.hears);
      await bob.rtc.leave();
      await element.closed();
    });
  });
});
