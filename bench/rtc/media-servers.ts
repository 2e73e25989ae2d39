// Where the people of a benchmark's conferences meet the bridge: at the media server of the tests, which is in this process, or at
// livekit-servers.
import { AccessToken } from "livekit-server-sdk";
import { findLivekit, runLivekit, type RunningLivekit } from "../../dev/livekit/run-livekit.ts";
import { freePort } from "../../dev/loopback/free-ports.ts";
import type { Admission } from "../../src/ports/conference.ts";
import { fakeAdmission, FakeSfu } from "../../test/fakes/sfu/sfu.ts";

export interface MediaServers {
  /** To one that takes these codecs. */
  admit(identity: string, room: string, codecs: readonly string[]): Promise<Admission>;
  stop(): Promise<void>;
}

/** What all people of one measurement are admitted with, it takes. */
export async function serverOfTests(): Promise<MediaServers> {
  const port = await freePort();
  const sfu = await FakeSfu.start(port);
  return {
    async admit(identity, room, codecs) {
      sfu.codecs = codecs;
      return fakeAdmission(port, identity, room);
    },
    stop: () => sfu.stop(),
  };
}

/** undefined: the machine has none. */
export async function livekitServers(): Promise<MediaServers | undefined> {
  const program = findLivekit();
  if (program === undefined) return undefined;
  const running = new Map<string, RunningLivekit>();
  return {
    async admit(identity, room, codecs) {
      const key = codecs.join();
      const livekit = running.get(key) ?? (await runLivekit(program, { codecs }));
      running.set(key, livekit);
      const { url, apiKey, apiSecret } = livekit;
      const token = new AccessToken(apiKey, apiSecret, { identity });
      token.addGrant({ room, roomJoin: true, canPublish: true, canSubscribe: true });
      return { url, token: await token.toJwt() };
    },
    async stop() {
      for (const livekit of running.values()) await livekit.stop();
    },
  };
}
