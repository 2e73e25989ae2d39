// A server of HTTP that nobody can fill with silent connections, and that stops at once.
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo, ListenOptions } from "node:net";
import { crowdOf } from "../core/policy/crowd.ts";
import type { Log } from "../ports/telemetry.ts";

export interface Listener {
  /** Rejects where the address is taken. */
  listen(place: Pick<ListenOptions, "host" | "port" | "path">): Promise<void>;
  /** The port listened on, after `listen`. */
  port(): number;
  stop(): Promise<void>;
}

/** Questions are short; whoever takes longer asks nothing. */
const patience = { headersTimeout: 10_000, requestTimeout: 15_000, connectionsCheckingInterval: 2_000 };
const maxHeaderSize = 8_192;
const crowdLimits = { all: 200, fromOneAddress: 100 };

/** `name` is what the log calls it. */
export function createListener(answer: RequestListener, name: string, log: Log): Listener {
  const server = createServer({ ...patience, maxHeaderSize }, answer);
  crowdOf(server, crowdLimits, (peer) =>
    log.debug("closed an HTTP connection: too many are open", { listener: name, peer }),
  );
  return {
    listen: (place) =>
      new Promise((resolve, reject) => {
        server.once("error", reject);
        server.listen(place, () => {
          server.off("error", reject);
          server.on("error", (error) => log.error("an HTTP listener failed", { listener: name, error }));
          resolve();
        });
      }),
    port: () => (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((resolve) => {
        if (!server.listening) {
          resolve();
          return;
        }
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
