// What a homeserver needs for MatrixRTC calls: a media server, and the token service that lets people into it.
import { freePort } from "../../../../dev/loopback/free-ports.ts";
import { startTokenService } from "../../../../dev/token-service/token-service.ts";
import type { Rig } from "../base/rig.ts";
import { type Livekit, startLivekit } from "./livekit.ts";

export interface Conferences {
  readonly livekit: Livekit;
  /** The token service; the homeserver tells it to clients. */
  readonly serviceUrl: string;
  /** The token service answers nobody any more. */
  stopService(): Promise<void>;
  /** `toNobody`: it believes no homeserver who its users are. */
  startService(toNobody?: boolean): Promise<void>;
}

/** Starts both; they end with the rig. The homeserver need not be there yet. */
export async function startConferences(
  rig: Rig,
  homeserver: { readonly url: string; readonly serverName: string },
): Promise<Conferences> {
  const port = await freePort();
  const serviceUrl = `http://127.0.0.1:${port}`;
  const livekit = await startLivekit(rig, { webhookUrl: `${serviceUrl}/sfu_webhook` });
  const start = (toNobody = false) =>
    startTokenService({
      port,
      sfu: livekit,
      homeservers: toNobody ? {} : { [homeserver.serverName]: homeserver.url },
      fullAccess: [homeserver.serverName],
    });
  let service: Awaited<ReturnType<typeof start>> | undefined = await start();
  const stopService = async (): Promise<void> => {
    await service?.stop();
    service = undefined;
  };
  rig.defer("token service", stopService);
  return {
    livekit,
    serviceUrl,
    stopService,
    async startService(toNobody) {
      service ??= await start(toNobody);
    },
  };
}
