// The demo's configuration for this machine as it is now.
import { networkInterfaces } from "node:os";
import { freePort } from "../loopback/free-ports.ts";
import { demoConfig } from "./config-text.ts";

/** The configuration as text, with free ports in it. */
export async function freshConfig(transport: "udp" | "tcp", databasePath: string): Promise<string> {
  return demoConfig({
    homeserverPort: await freePort(),
    bridgePort: await freePort(),
    sipPort: await freePort(),
    trunkPort: await freePort(),
    transport,
    databasePath,
    iceHost: onlyAddress(),
  });
}

/** A machine without a network still has itself. */
function onlyAddress(): string | undefined {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.some(({ internal }) => !internal) ? undefined : "127.0.0.1";
}
