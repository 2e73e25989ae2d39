// The bridge as an operator runs it: its own process from `dist`, with a config file and the
// registration that it wrote itself. Homeserver and bridge need each other's address, so that the
// order is: registration, homeserver, bridge, and only then the first client.
import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { parse, stringify } from "yaml";
import { freePort } from "../../../../dev/loopback/free-ports.ts";
import { plantSecretsOf, scanLine } from "../../../setup/scanner.ts";
import { type RunningProcess } from "../base/process.ts";
import type { Rig } from "../base/rig.ts";

const MAIN = resolve(import.meta.dirname, "../../../../dist/main.js");

/** A bridge with a name and an address, not yet running. */
export interface RegisteredBridge {
  /** Where the homeserver pushes to: `http://127.0.0.1:port`. */
  readonly url: string;
  readonly registrationFile: string;
  readonly configFile: string;
  /** The token the homeserver sends. */
  readonly homeserverToken: string;
  /** Starts it and waits until it answers. May be called again after a stop. */
  start(): Promise<RunningProcess>;
}

/**
 * Writes a configuration and has the bridge write its registration.
 * @param config what config.yaml holds
 * @param preload a module that is loaded before the bridge's own
 */
export async function registerBridge(
  rig: Rig,
  config: Readonly<Record<string, unknown>>,
  preload?: string,
): Promise<RegisteredBridge> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const configFile = rig.path("config.yaml");
  const registrationFile = rig.path("registration.yaml");
  await writeFile(configFile, stringify(config));

  const run = (name: string, ...args: string[]): Promise<RunningProcess> =>
    rig.start(name, {
      command: process.execPath,
      args: [
        ...(preload === undefined ? [] : ["--import", preload]),
        MAIN,
        ...args,
        "-c",
        configFile,
        "-f",
        registrationFile,
      ],
      cwd: rig.folder,
      env: { NODE_ENV: "production", NO_COLOR: "1" },
      stopWithinMs: 10_000,
    });

  const writing = await run("bridge-registration", "-r", "-u", url);
  const { code } = await writing.exited;
  if (code !== 0) throw new Error(`the bridge did not write a registration\n${writing.log.tail()}`);
  const registration = parse(await readFile(registrationFile, "utf8")) as { hs_token?: unknown };
  const homeserverToken = String(registration.hs_token);
  plantSecretsOf(config);
  plantSecretsOf(registration);

  const answers = async (): Promise<boolean> => {
    try {
      const response = await fetch(`${url}/_matrix/app/v1/thirdparty/protocol/m.protocol.pstn`, {
        headers: { authorization: `Bearer ${homeserverToken}` },
        signal: AbortSignal.timeout(2000),
      });
      await response.arrayBuffer();
      return response.ok;
    } catch {
      return false; // not listening yet
    }
  };

  return {
    url,
    registrationFile,
    configFile,
    homeserverToken,
    async start() {
      const bridge = await run("bridge", "-p", `${port}`);
      bridge.log.eachLine(scanLine);
      await bridge.until("the bridge to answer for its protocol", answers, 30_000);
      return bridge;
    },
  };
}
