// A real livekit-server on 127.0.0.1: media over one UDP port, nothing on disk but its configuration.
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { stringify } from "yaml";
import { livekitConfiguration } from "../../../../dev/livekit/configuration.ts";
import { freePort } from "../../../../dev/loopback/free-ports.ts";
import { LIVEKIT } from "../../setup/versions.ts";
import { answersHttp, type RunningProcess } from "../base/process.ts";
import type { Rig } from "../base/rig.ts";

export interface LivekitOptions {
  /** Told who comes and goes, and makes the rooms; without it they are made by who enters. */
  readonly webhookUrl?: string;
}

export interface Livekit {
  /** `ws://127.0.0.1:port` */
  readonly url: string;
  readonly apiKey: string;
  readonly apiSecret: string;
  /** SIGKILL: its connections end at once, and so do its rooms. */
  kill(): Promise<void>;
  /** Starts it again after {@link kill}, where it was. */
  restart(): Promise<void>;
}

/** SIGTERM makes it wait until everybody has left. */
const STOP_WITHIN_MS = 100;

/** Starts the media server; it ends with the rig. */
export async function startLivekit(rig: Rig, { webhookUrl }: LivekitOptions = {}): Promise<Livekit> {
  const [port, tcpPort, udpPort] = [await freePort(), await freePort(), await freePort()];
  const apiKey = "test";
  const apiSecret = randomBytes(24).toString("base64url");
  const url = `http://127.0.0.1:${port}`;
  const file = rig.path(`livekit-${port}.yaml`);
  const configuration = livekitConfiguration({ port, tcpPort, udpPort, apiKey, apiSecret, webhookUrl });
  await writeFile(file, stringify(configuration));

  const start = async (): Promise<RunningProcess> => {
    const process = await rig.start("livekit", {
      command: LIVEKIT,
      args: ["--config", file],
      cwd: rig.folder,
      stopWithinMs: STOP_WITHIN_MS,
    });
    await process.until("the media server to listen", () => answersHttp(url), 15_000);
    return process;
  };

  let running = await start();
  return {
    url: url.replace("http", "ws"),
    apiKey,
    apiSecret,
    async kill() {
      running.signal("SIGKILL");
      await running.exited;
    },
    async restart() {
      running = await start();
    },
  };
}
