// This machine: Node, the database, the ports to listen on. Leaves nothing open and writes nothing.
import { createSocket } from "node:dgram";
import { accessSync, constants, existsSync, statfsSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, resolve } from "node:path";
import { toStorePlace } from "../../../config/mapping/database-mapping.ts";
import { formatPath, type ConfigPath } from "../../../config/reading/problem.ts";
import { codeOf } from "../../../config/reading/secrets.ts";
import type { Config } from "../../../config/schema/schema.ts";
import { StoreError } from "../../../ports/store.ts";
import type { Beside } from "../beside.ts";
import { failed, finding, ok, skipped, warning, type Check, type Finding, type Problem } from "../check.ts";

export interface MachineParts {
  readonly configPath: string;
  readonly config: Config;
  /** Instead of `appservice.listen.port`. */
  readonly port: number | undefined;
  readonly nodeVersion: string;
  /** A bridge that runs holds database and ports. */
  readonly beside: Beside;
}

export function machineChecks(parts: MachineParts): readonly Check[] {
  return [
    { id: "node", needs: [], run: () => checkNode(parts.nodeVersion) },
    { id: "store", needs: [], limitMs: 8_000, run: () => checkStore(parts) },
    { id: "ports", needs: [], run: () => checkPorts(parts) },
  ];
}

/** Lines of Node that get security updates for years. What is older than the first does not get this far (main.ts). */
const longLived: readonly string[] = ["22", "24"];

function checkNode(version: string): Finding {
  const [major = ""] = version.split(".");
  if (longLived.includes(major)) return ok(`Node ${version}`);
  return warning(`Node ${version} has not been tried with the bridge`, `use Node ${longLived.join(" or ")}`);
}

/** A bridge needs little. Below this, whatever else writes there fills the disk soon. */
const littleSpace = 100 * 1024 * 1024;

async function checkStore({ config, configPath, beside }: MachineParts): Promise<Finding> {
  const part = beside.kind === "bridge" ? beside.status.parts["store"] : undefined;
  if (part?.ready === false)
    return failed(`the running bridge says: ${part.detail}`, "docs/operation.md#when-the-store-fails");
  const place = toStorePlace(config);
  if (place.kind === "postgres") {
    // The driver is loaded only where it is used.
    const { probePostgres } = await import("../../../store/postgres/probe.ts");
    return probePostgres(place.server).then(
      () => ok(`PostgreSQL at ${place.server.host} takes the bridge`),
      (error: unknown) => {
        const words = error instanceof Error ? error.message : String(error);
        return failed(`${configPath}: ${words}`, "docs/operation.md#postgresql");
      },
    );
  }
  const path = resolve(place.path);
  const folder = dirname(path);
  const written = [folder, ...(existsSync(path) ? [path] : [])];
  for (const one of written) {
    try {
      accessSync(one, constants.W_OK);
    } catch (error) {
      const what = one === folder ? `the folder ${folder}` : path;
      return failed(
        `${configPath}: database.path needs ${what}, and the bridge cannot write there: ${codeOf(error)}`,
        "docs/operation.md#when-the-store-fails",
      );
    }
  }
  const { probeSqlite } = await import("../../../store/sqlite/probe.ts");
  try {
    if (existsSync(path)) probeSqlite(path);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return failed(error.message, "docs/troubleshooting.md#store");
  }
  const { bavail, bsize } = statfsSync(folder);
  const left = `${Math.floor((bavail * bsize) / 1024 / 1024)} MB are left on its disk`;
  if (bavail * bsize < littleSpace)
    return warning(`${path}: ${left}`, "make room: when the disk is full, no calls begin");
  return ok(`${path} can be written${beside.kind === "bridge" ? " (the running bridge has it)" : ""}; ${left}`);
}

interface Listener {
  readonly path: ConfigPath;
  readonly kind: "tcp" | "udp";
  readonly host: string;
  readonly port: number;
}

function listenersOf({ appservice, http, admin, trunks }: Config, given: number | undefined): readonly Listener[] {
  return [
    { path: ["appservice", "listen"], kind: "tcp", ...appservice.listen, port: given ?? appservice.listen.port },
    { path: ["http", "listen"], kind: "tcp", ...http.listen },
    ...(admin.listen === undefined ? [] : [{ path: ["admin", "listen"], kind: "tcp", ...admin.listen } as const]),
    ...trunks.map(({ transport, listen: { host, port } }, index): Listener => {
      return { path: ["trunks", index, "listen"], kind: transport === "udp" ? "udp" : "tcp", host, port };
    }),
  ];
}

async function checkPorts({ config, configPath, port, beside }: MachineParts): Promise<Finding> {
  if (beside.kind === "bridge") return ok("the running bridge listens on them");
  if (beside.kind === "unknown") return skipped("what listens there may be the bridge");
  const listeners = listenersOf(config, port);
  const problems: Problem[] = [];
  for (const listener of listeners) {
    const code = await bindingFailure(listener);
    if (code === undefined) continue;
    const words = wordsByCode[code] ?? `cannot be used (${code})`;
    problems.push({
      found: `${configPath}: ${formatPath(listener.path)}: ${listener.host}:${listener.port} ${words}`,
      mend: "docs/troubleshooting.md#ports",
    });
  }
  return finding("failed", problems, `${listeners.length} addresses are free`);
}

const wordsByCode: Readonly<Record<string, string>> = {
  EADDRINUSE: "is in use: by another program, or by the bridge if it is running",
  EADDRNOTAVAIL: "does not belong to this machine",
  EACCES: "needs more rights; choose a port above 1023",
  ENOTFOUND: "is a host name that this machine does not know",
};

/** Undefined: it can be bound. */
export function bindingFailure({ kind, host, port }: Omit<Listener, "path">): Promise<string | undefined> {
  return new Promise((done) => {
    const failedWith = (error: NodeJS.ErrnoException): void => done(error.code ?? error.message);
    if (kind === "udp") {
      const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
      socket.once("error", (error) => (socket.close(), failedWith(error)));
      socket.bind(port, host, () => socket.close(() => done(undefined)));
    } else {
      const server = createServer();
      server.once("error", failedWith);
      server.listen(port, host, () => server.close(() => done(undefined)));
    }
  });
}
