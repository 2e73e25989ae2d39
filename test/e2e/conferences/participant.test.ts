import { AccessToken } from "livekit-server-sdk";
import { describe } from "vitest";
import { conferenceContract } from "../../contract/conference/conference.contract.ts";
import { suiteRig } from "../parts/base/rig.ts";
import { startLivekit } from "../parts/rtc/livekit.ts";

describe("a conference at a real LiveKit server", () => {
  const rig = suiteRig("participant");
  conferenceContract(async () => {
    const livekit = await startLivekit(rig);
    return {
      admission: async (identity, room) => {
        const token = new AccessToken(livekit.apiKey, livekit.apiSecret, { identity });
        token.addGrant({ roomJoin: true, room, canPublish: true, canSubscribe: true });
        return { url: livekit.url, token: await token.toJwt() };
      },
      restart: async () => {
        await livekit.kill();
        await livekit.restart();
      },
      stop: async () => livekit.kill(),
    };
  });
});
