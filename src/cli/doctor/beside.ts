// Is a bridge running with this configuration? Then it is asked, instead of fighting with it for ports and registrations.
import { createConnection } from "node:net";
import type * as z from "zod";
import type { Config } from "../../config/schema/schema.ts";
import { status } from "../../http/admin/wire/bridge.ts";
import { trunkList } from "../../http/admin/wire/schemas.ts";
import { CommandFailure, connectTo, type Connection } from "../admin/connection.ts";
import type { Terminal } from "../terminal.ts";
import { failed, ok, warning, type Check, type Finding } from "./check.ts";

type BridgeStatus = z.infer<typeof status>;
export type TrunkState = z.infer<typeof trunkList>["trunks"][number];

export type Beside =
  | { readonly kind: "nothing" }
  | {
      readonly kind: "bridge";
      readonly connection: Connection;
      readonly status: BridgeStatus;
      readonly trunks: readonly TrunkState[];
    }
  /** Something holds the bridge's port, and does not answer over the admin API. `why` says what came back. */
  | { readonly kind: "unknown"; readonly why: string };

/** Never rejects. `port`: where the bridge listens for the homeserver. */
export async function lookBeside(
  configPath: string,
  terminal: Terminal,
  { host, port }: Config["appservice"]["listen"],
): Promise<Beside> {
  try {
    const connection = connectTo(configPath, terminal, 3_000);
    const [now, { trunks }] = await Promise.all([
      connection.get("/status", status),
      connection.get("/trunks", trunkList),
    ]);
    return { kind: "bridge", connection, status: now, trunks };
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    return (await isTaken(host, port)) ? { kind: "unknown", why: error.message } : { kind: "nothing" };
  }
}

export function bridgeCheck(beside: Beside): Check {
  return { id: "bridge", needs: [], run: () => describe(beside) };
}

function describe(beside: Beside): Finding {
  switch (beside.kind) {
    case "nothing":
      return ok("none runs: the doctor asks homeserver and trunks by itself");
    case "unknown":
      return warning(
        `something listens where the bridge would, and the admin API does not answer: ${beside.why}`,
        "if it is the bridge, run the doctor as its user, with its configuration; if not, end it",
      );
    case "bridge": {
      const { version, calls, closed } = beside.status;
      if (closed === undefined) return ok(`version ${version} runs, with ${calls} calls`);
      const words = {
        draining: "it drains",
        restarting: "it is being stopped",
        "cannot-store": "it cannot store them",
      };
      return failed(`version ${version} runs and begins no calls: ${words[closed]}`, "docs/operation.md#stopping");
    }
  }
}

function isTaken(host: string, port: number): Promise<boolean> {
  if (port === 0) return Promise.resolve(false);
  const everywhere: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };
  return new Promise((resolve) => {
    const socket = createConnection({ host: everywhere[host] ?? host, port, timeout: 1_000 });
    const end = (taken: boolean): void => {
      socket.destroy();
      resolve(taken);
    };
    socket.once("connect", () => end(true));
    socket.once("timeout", () => end(false));
    socket.once("error", () => end(false));
  });
}
