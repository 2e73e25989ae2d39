// Where a trunk's servers are, and whether anybody is there. Sends nothing of SIP but the empty lines that every server
// passes over.
import { connect } from "node:net";
import type { SipTransportName, TrunkSettings } from "../../ports/sip.ts";
import type { Resolver } from "../transport/resolver.ts";
import { boundTo } from "../transport/sockets/local-address.ts";
import { portRefused } from "../transport/sockets/port-probe.ts";
import { bracketed, unbracketed, type Target } from "../transport/sockets/target.ts";
import { TransportError, transportError } from "../transport/sockets/transport-error.ts";

export interface ResolvedServer {
  /** As configured. */
  readonly server: string;
  readonly targets: readonly Target[];
  /** Why there are none. */
  readonly failure: TransportError | undefined;
}

/** In the order of the configuration. */
export function resolveServers(settings: TrunkSettings, resolver: Resolver): Promise<readonly ResolvedServer[]> {
  const { server, moreServers, transport } = settings;
  return Promise.all(
    [server, ...moreServers].map(async ({ host, port }): Promise<ResolvedServer> => {
      const named = port === undefined ? host : `${bracketed(host)}:${port}`;
      try {
        const targets = await resolver.resolve({ host, port, path: server.path }, transport);
        return { server: named, targets, failure: undefined };
      } catch (error) {
        return { server: named, targets: [], failure: transportError(error, host) };
      }
    }),
  );
}

/** Undefined: somebody is there, or with UDP, nothing says that nobody is. */
export async function unreachable(
  target: Target,
  transport: SipTransportName,
  localHost: string,
  withinMs: number,
): Promise<TransportError | undefined> {
  const where = `${bracketed(target.address)}:${target.port} ${transport}`;
  if (transport === "udp") {
    const isRefused = await portRefused(target, unbracketed(localHost), Math.min(withinMs, 500));
    return isRefused ? new TransportError("refused", `${where}: nothing listens there`) : undefined;
  }
  return new Promise((resolve) => {
    const { address: host, port } = target;
    const socket = connect({ host, port, ...boundTo(unbracketed(localHost), target) });
    const end = (failure?: TransportError): void => {
      socket.destroy();
      resolve(failure);
    };
    socket.setTimeout(withinMs, () => end(new TransportError("timeout", `${where}: no connection in time`)));
    socket.once("error", (error) => end(transportError(error, where)));
    socket.once("connect", () => end());
  });
}
