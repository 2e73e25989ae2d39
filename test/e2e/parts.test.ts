// Each real part of the rig proves itself before a bridge stands between them.
import { describe, expect, it } from "vitest";
import { suiteRig } from "./parts/rig.ts";
import { startSynapse } from "./parts/synapse.ts";

describe("Synapse", () => {
  const rig = suiteRig("parts-synapse");

  it("takes new people and lets them talk to each other", async () => {
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
