// A person whose client takes calls of MatrixRTC: in a room with a number and one with the bot.
import { isJson, logIn, path, text, type ClientApi } from "../../dev/headless/client-api.ts";
import { placeRtcCall, type RtcCall } from "../../dev/headless/rtc-call.ts";
import { startSync, type SyncLoop } from "../../dev/headless/sync-loop.ts";

interface RtcPersonOptions {
  readonly homeserverUrl: string;
  readonly user: string;
  readonly password: string;
  readonly bindHost: string;
  readonly livekitServiceUrl: string;
}

export class RtcPerson {
  readonly userId: string;
  readonly #api: ClientApi;
  readonly #sync: SyncLoop;
  readonly #options: RtcPersonOptions;

  private constructor(api: ClientApi, sync: SyncLoop, options: RtcPersonOptions) {
    this.userId = api.userId;
    this.#api = api;
    this.#sync = sync;
    this.#options = options;
  }

  static async logIn(options: RtcPersonOptions): Promise<RtcPerson> {
    const api = await logIn({ ...options, deviceName: "MatrixRTC client" });
    const sync = await startSync(api, {
      heard: () => undefined,
      invited: (roomId) => void api.ask("POST", path`/join/${roomId}`, {}),
      settled: () => undefined,
    });
    return new RtcPerson(api, sync, options);
  }

  async roomWith(user: string): Promise<string> {
    const body = { preset: "trusted_private_chat", is_direct: true, invite: [user] };
    const made = await this.#api.ask("POST", path`/createRoom`, body);
    return text(isJson(made) ? made["room_id"] : undefined) ?? "";
  }

  async write(roomId: string, body: string): Promise<void> {
    await this.#api.send(roomId, "m.room.message", { msgtype: "m.text", body });
  }

  /** `rings`: they call; else they answer. */
  join(roomId: string, rings: boolean): Promise<RtcCall> {
    const { livekitServiceUrl, bindHost } = this.#options;
    return placeRtcCall(this.#api, { roomId, livekitServiceUrl, toneHz: 800, bindHost, rings });
  }

  stop(): Promise<void> {
    return this.#sync.stop();
  }
}
