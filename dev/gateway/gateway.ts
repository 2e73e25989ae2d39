// A small telephone gateway on real sockets: SIP over UDP and TCP, G.711 over RTP, and numbers that behave.
// For the demo and for tests; see README.md for the numbers. Come in through `startGateway`.
import { digestGate, type DigestOptions } from "./digest.ts";
import { NUMBERS, type GatewayNumber } from "./numbers.ts";
import type { GatewayCall, GatewayLog } from "./observation.ts";
import type { CodecName } from "./session-description.ts";
import { openSockets } from "./sockets.ts";
import { UserAgent } from "./user-agent.ts";

export { NUMBERS, type GatewayNumber, type ScriptStep } from "./numbers.ts";
export type { GatewayCall, GatewayLog } from "./observation.ts";

export interface GatewayOptions {
  /** Address to bind; loopback by default. */
  readonly host?: string;
  /** 0, the default: any free one. */
  readonly udpPort?: number;
  /** The same number as the UDP port by default. */
  readonly tcpPort?: number;
  /** Who may call; everybody by default. */
  readonly auth?: DigestOptions;
  /** Replaces the table of numbers. */
  readonly numbers?: readonly GatewayNumber[];
  /** Codecs taken; PCMU and PCMA by default. */
  readonly codecs?: readonly CodecName[];
  /** RFC 3261's T1, 500 ms by default; T2 and T4 keep their proportions. */
  readonly t1Ms?: number;
  readonly log?: GatewayLog;
}

export interface Gateway {
  readonly host: string;
  /** UDP. */
  readonly port: number;
  readonly tcpPort: number;
  /** The last 1,000 in the order of their INVITEs; the objects live and change. */
  readonly calls: readonly GatewayCall[];
  /**
   * Looks at the calls now and at each change, until `look` gives something other than undefined or false.
   * Rejects after `timeoutMs` (10 s by default).
   */
  until<Found>(look: (calls: readonly GatewayCall[]) => Found | undefined | false, timeoutMs?: number): Promise<Found>;
  /** Hangs up whatever is left, and closes all sockets. */
  stop(): Promise<void>;
}

const STOP_LIMIT_MS = 1_000;

/** Throws what binding throws (EADDRINUSE). */
export async function startGateway(options: GatewayOptions = {}): Promise<Gateway> {
  const { host = "127.0.0.1", t1Ms = 500, log = () => undefined } = options;
  const watchers = new Set<() => void>();
  let userAgent: UserAgent | undefined;
  const sockets = await openSockets({
    host,
    udpPort: options.udpPort ?? 0,
    tcpPort: options.tcpPort,
    arrived: (bytes, flow) => userAgent?.arrived(bytes, flow),
    failed: (what, error) => log({ kind: "fault", what, error }),
  });
  userAgent = new UserAgent(
    {
      numbers: options.numbers ?? NUMBERS,
      codecs: options.codecs ?? ["PCMU", "PCMA"],
      gate: options.auth && digestGate(options.auth),
      timers: { t1Ms, t2Ms: 8 * t1Ms, t4Ms: 10 * t1Ms },
      log,
      changed: () => {
        for (const watcher of watchers) watcher();
      },
    },
    sockets,
  );
  const { calls } = userAgent;
  const agent = userAgent;

  return {
    host,
    port: sockets.udpPort,
    tcpPort: sockets.tcpPort,
    calls,
    until: (look, timeoutMs = 10_000) =>
      new Promise((resolve, reject) => {
        const finish = (settle: () => void): void => {
          watchers.delete(watch);
          clearTimeout(timer);
          settle();
        };
        const watch = (): void => {
          try {
            const found = look(calls);
            if (found !== undefined && found !== false) finish(() => resolve(found));
          } catch (error) {
            finish(() => reject(error instanceof Error ? error : new Error(String(error))));
          }
        };
        const timer = setTimeout(
          () =>
            finish(() =>
              reject(new Error(`the gateway saw nothing of the kind in ${timeoutMs} ms: ${look.toString()}`)),
            ),
          timeoutMs,
        );
        watchers.add(watch);
        watch();
      }),
    async stop() {
      let limit: NodeJS.Timeout | undefined;
      await Promise.race([
        agent.hangUpAll(),
        new Promise<void>((resolve) => {
          limit = setTimeout(resolve, STOP_LIMIT_MS);
        }),
      ]);
      clearTimeout(limit);
      agent.end();
      await sockets.stop();
    },
  };
}
