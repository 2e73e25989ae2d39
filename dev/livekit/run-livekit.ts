// A livekit-server for as long as this process wants it: the machine's own, or the one that the end-to-end tests compiled.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { freePort } from "../loopback/free-ports.ts";
import { livekitConfiguration, type LivekitPlaces } from "./configuration.ts";

const cache = resolve(import.meta.dirname, "../../.cache");
const upWithinMs = 15_000;
const lookEveryMs = 50;

export interface RunningLivekit {
  /** `ws://127.0.0.1:port` */
  readonly url: string;
  readonly apiKey: string;
  readonly apiSecret: string;
  stop(): Promise<void>;
}

/** Where the program is; undefined: there is none. */
export function findLivekit(): string | undefined {
  const installed = (process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, "livekit-server"));
  const compiled = (existsSync(cache) ? readdirSync(cache) : [])
    .filter((name) => name.startsWith("livekit-server-"))
    .map((name) => join(cache, name, "server"));
  return [...installed, ...compiled].find((file) => existsSync(file));
}

/** Throws where it does not come up. */
export async function runLivekit(
  program: string,
  options: Partial<Pick<LivekitPlaces, "webhookUrl" | "codecs">>,
): Promise<RunningLivekit> {
  const [port, tcpPort, udpPort] = [await freePort(), await freePort(), await freePort()];
  const [apiKey, apiSecret] = ["demo", randomBytes(24).toString("base64url")];
  const { webhookUrl, codecs } = options;
  const configuration = livekitConfiguration({ port, tcpPort, udpPort, apiKey, apiSecret, webhookUrl, codecs });
  const child = spawn(program, ["--config-body", JSON.stringify(configuration)], { stdio: "ignore" });
  const gone = new Promise<void>((done) => {
    child.once("exit", () => done());
    child.once("error", () => done());
  });
  const stop = async (): Promise<void> => {
    // SIGTERM makes it wait until everybody has left.
    child.kill("SIGKILL");
    await gone;
  };
  const answers = async (): Promise<boolean> => {
    const response = await fetch(`http://127.0.0.1:${port}`, { signal: AbortSignal.timeout(lookEveryMs * 10) });
    return response.ok;
  };
  const untilMs = performance.now() + upWithinMs;
  while (!(await answers().catch(() => false))) {
    if (performance.now() > untilMs || child.exitCode !== null) {
      await stop();
      throw new Error(`${program} does not come up`);
    }
    await Promise.race([once(AbortSignal.timeout(lookEveryMs), "abort"), gone]);
  }
  return { url: `ws://127.0.0.1:${port}`, apiKey, apiSecret, stop };
}
