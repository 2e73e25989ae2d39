// Everything the demo runs: gateway, homeserver and the bridge itself, on ports that its configuration names.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startBridge, type RunningBridge } from "../../src/app.ts";
import { packageVersion } from "../../src/cli/version.ts";
import { loadConfig, parseConfig } from "../../src/config/load.ts";
import { toRegistrationFacts } from "../../src/config/mapping/mapping.ts";
import { makeRegistration } from "../../src/config/registration/registration.ts";
import { splitHostPort } from "../../src/config/schema/scalars.ts";
import type { Config } from "../../src/config/schema/schema.ts";
import {
  NUMBERS,
  startGateway,
  type Gateway,
  type GatewayLog,
  type GatewayNumber,
  type GatewayOptions,
} from "../gateway/gateway.ts";
import { freePort } from "../loopback/free-ports.ts";
import { startHomeserver, type Homeserver } from "../homeserver/homeserver.ts";
import { findLivekit, runLivekit } from "../livekit/run-livekit.ts";
import { startTokenService } from "../token-service/token-service.ts";
import { PERSON } from "./config-text.ts";
import { freshConfig } from "./fresh-config.ts";
import { DemoError } from "./options.ts";

const REMEDY = "the configuration names it";

export interface Stack {
  readonly homeserver: Homeserver;
  readonly gateway: Gateway;
  readonly bridge: RunningBridge;
  readonly config: Config;
  /** Where tokens for the media server are to be had; undefined: there is none. */
  readonly livekitServiceUrl: string | undefined;
  /** Ends everything in the order of dependence and leaves no file behind. */
  stop(): Promise<void>;
}

export interface StackOptions {
  readonly transport: "udp" | "tcp";
  readonly configPath: string | undefined;
  /** With a media server for MatrixRTC. */
  readonly rtc?: boolean;
  readonly gatewayLog: GatewayLog;
  /** Instead of the gateway's own. */
  readonly numbers?: readonly GatewayNumber[];
  /** What else is to be different about the gateway. */
  readonly gateway?: Pick<GatewayOptions, "auth" | "referStatus" | "referFailure" | "rtpEvents">;
  /** Lines of the bridge's own log (JSON). */
  readonly bridgeLog: (line: string) => void;
  /** Where admins' commands reach the bridge; undefined: nowhere. */
  readonly adminSocket?: string;
}

/** Throws ConfigError, DemoError, or whatever the bridge throws. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const folder = await mkdtemp(join(tmpdir(), "matrix-appservice-sip-demo-"));
  const stops: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  const stop = async (): Promise<void> => {
    for (const end of stops.splice(0).toReversed()) await end();
  };
  try {
    const config =
      options.configPath === undefined
        ? parseConfig(await freshConfig(options.transport, join(folder, "bridge.db")), {
            configPath: "the demo's configuration",
            env: process.env,
          })
        : loadConfig(options.configPath, process.env);
    const { listen } = config.appservice;
    const registration = makeRegistration(toRegistrationFacts(config), `http://${listen.host}:${listen.port}`);

    const sip = splitHostPort(config.trunks[0]?.server ?? "");
    const gateway = await claim("the SIP gateway", REMEDY, () =>
      startGateway({
        udpPort: sip?.port ?? 5060,
        log: options.gatewayLog,
        numbers: options.numbers ?? NUMBERS,
        ...options.gateway,
      }),
    );
    stops.push(() => gateway.stop());
    const livekitServiceUrl = options.rtc === true ? await startConferences(config, stops) : undefined;
    const homeserver = await claim("the homeserver", REMEDY, () =>
      startHomeserver({
        port: Number(new URL(config.homeserver.url).port),
        domain: config.homeserver.domain,
        registrations: [registration],
        users: [PERSON],
        ...(livekitServiceUrl !== undefined && { mediaServices: [livekitServiceUrl] }),
      }),
    );
    stops.push(() => homeserver.stop());
    const bridge = await claim("the bridge", REMEDY, () =>
      startBridge({
        config,
        registration,
        version: packageVersion(),
        writeLog: options.bridgeLog,
        adminSocket: options.adminSocket,
      }),
    );
    stops.push(() => bridge.stop());
    return { homeserver, gateway, bridge, config, livekitServiceUrl, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A media server, and the token service that lets the homeserver's people into it: gives the address of that. */
async function startConferences({ homeserver }: Config, stops: (() => Promise<unknown>)[]): Promise<string> {
  const program = findLivekit();
  if (program === undefined) {
    const remedy = "Install it, or run the end-to-end tests once: they compile one.";
    throw new DemoError("call-failed", `--rtc needs a livekit-server, and this machine has none. ${remedy}`);
  }
  const port = await freePort();
  const livekit = await runLivekit(program, { webhookUrl: `http://127.0.0.1:${port}/sfu_webhook` });
  stops.push(() => livekit.stop());
  const { url, domain } = homeserver;
  const service = await startTokenService({
    port,
    sfu: livekit,
    homeservers: { [domain]: url },
    fullAccess: [domain],
  });
  stops.push(() => service.stop());
  return service.url;
}

/** Starts what listens; a taken port becomes one line that says whose. */
export async function claim<Started>(what: string, remedy: string, start: () => Promise<Started>): Promise<Started> {
  try {
    return await start();
  } catch (error) {
    const port = takenPort(error);
    if (port === undefined) throw error;
    throw new DemoError("port-taken", `Port ${port} for ${what} is taken by another program; ${remedy}.`, {
      cause: error,
    });
  }
}

function takenPort(error: unknown): number | undefined {
  for (let each = error; each instanceof Error; each = each.cause) {
    if ("code" in each && each.code === "EADDRINUSE") return "port" in each ? Number(each.port) : 0;
  }
  return undefined;
}
