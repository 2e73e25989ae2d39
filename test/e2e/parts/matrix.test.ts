// The Matrix parts prove themselves: Synapse, Chromium with the test telephone, and how a process ends.
import { describe, expect, it } from "vitest";
import { startBrowser } from "./clients/browser.ts";
import { silenceAt, toneAt } from "./base/hearing.ts";
import { suiteRig, testRig } from "./base/rig.ts";
import { startSynapse } from "./homeservers/synapse.ts";
import { until } from "./base/until.ts";

const NEAR_HZ = 440;
const FAR_HZ = 1000;

describe("A part of the rig", () => {
  it("that ends before it is ready says so, with what it said last", async () => {
    const part = await testRig().start("short-lived", {
      command: "sh",
      args: ["-c", "echo no such option >&2; exit 3"],
    });
    await expect(part.saying(/listening/)).rejects.toThrow(/short-lived ended before it was ready[^]*no such option/);
    expect(await part.stop()).toEqual({ code: 3, signal: null });
  });

  it("that does not obey SIGTERM is killed, and its children with it", async () => {
    const part = await testRig().start("stubborn", {
      command: "sh",
      args: ["-c", "trap '' TERM; sh -c 'trap \"\" TERM; echo child; while :; do sleep 1; done' & echo up; wait; wait"],
      stopWithinMs: 100,
    });
    await part.saying(/child/);
    // Its output is shared with its child: it has only ended when both of them have.
    expect(await part.stop()).toEqual({ code: null, signal: "SIGKILL" });
  });

  it("that is not installed is named", async () => {
    const part = await testRig().start("absent", { command: "/nowhere/at-all", args: [] });
    await expect(part.saying(/anything/)).rejects.toThrow(/\/nowhere\/at-all/);
  });
});

describe("Synapse", () => {
  const rig = suiteRig("parts-synapse");

  it("takes new people and lets them make rooms", async () => {
    const synapse = await startSynapse(rig);
    const alice = await synapse.register("alice");
    expect(alice.userId).toBe("@alice:example.org");
    const room = await synapse.request("POST", "/_matrix/client/v3/createRoom", {
      token: alice.accessToken,
      body: { preset: "trusted_private_chat" },
    });
    expect(room["room_id"]).toMatch(/^!/);
  });
});

describe("Two people with browsers on one Synapse", () => {
  const rig = suiteRig("parts-browsers");

  it("call each other and hear each other's tone", async () => {
    const synapse = await startSynapse(rig);
    const [alice, bob] = await Promise.all(
      [
        { name: "alice", toneHz: NEAR_HZ },
        { name: "bob", toneHz: FAR_HZ },
      ].map(async ({ name, toneHz }) =>
        startBrowser(rig, { homeserver: synapse.url, account: await synapse.register(name), toneHz }),
      ),
    );
    if (alice === undefined || bob === undefined) throw new Error("two were started");
    const { roomId } = await alice.phone.call(bob.userId);
    await until("the invitation", async () => (await bob.phone.invitations()).includes(roomId));
    await bob.phone.join(roomId);
    await bob.ringing();
    await bob.phone.answer();
    await alice.inState("connected");
    await bob.inState("connected");
    await Promise.all([toneAt(alice.hears, FAR_HZ, [NEAR_HZ]), toneAt(bob.hears, NEAR_HZ, [FAR_HZ])]);

    await alice.phone.mute(true);
    await silenceAt(bob.hears);
    await alice.phone.mute(false);
    await toneAt(bob.hears, NEAR_HZ, [FAR_HZ]);

    await alice.phone.hold(true);
    await silenceAt(bob.hears);
    expect((await bob.report()).localOnHold).toBe(true);
    await alice.phone.hold(false);
    await toneAt(bob.hears, NEAR_HZ, [FAR_HZ]);

    await alice.phone.dtmf("15", 100);
    await alice.phone.send(roomId, "that was me");
    expect((await bob.message(/that was/)).sender).toBe(alice.userId);
    await bob.phone.hangup();
    expect(await alice.inState("ended")).toMatchObject({
      hangupParty: "remote",
      hangupReason: "user_hangup",
      errors: [],
    });

    await alice.phone.call(bob.userId);
    await bob.ringing();
    await bob.phone.reject();
    expect(await alice.inState("ended")).toMatchObject({ shown: "Call declined" });
  });
});

describe("A Synapse that encrypts every room", () => {
  const rig = suiteRig("parts-encrypted");

  it("lets a client call, in events that only the members can read", async () => {
    const synapse = await startSynapse(rig, { encryptByDefault: true });
    const [account, other] = await Promise.all([synapse.register("alice"), synapse.register("bob")]);
    const alice = await startBrowser(rig, { homeserver: synapse.url, account, toneHz: NEAR_HZ, encryption: "any" });
    const { roomId } = await alice.phone.call(other.userId);
    await alice.inState("invite_sent");
    const token = account.accessToken;
    const types = await until("the encrypted invite", async () => {
      const { chunk } = await synapse.request("GET", `/_matrix/client/v3/rooms/${roomId}/messages?dir=b&limit=20`, {
        token,
      });
      const seen = (chunk as { type: string }[]).map(({ type }) => type);
      return seen.includes("m.room.encrypted") && seen;
    });
    expect(types).not.toContain("m.call.invite");
    await alice.phone.hangup();
  });
});
