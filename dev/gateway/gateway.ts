// A small telephone gateway on real sockets: SIP over UDP and TCP, G.711 over RTP, numbers that behave, a registrar, and
// calls and texts of its own. For the demo and for tests; see README.md for the numbers. Come in through `startGateway`.
import { patienceMs } from "../loopback/patience.ts";
import { escapeUser, parseUri } from "../../src/core/address/uri.ts";
import type { Credentials } from "./user-agent/client-digest.ts";
import { hopOf } from "./user-agent/dialog.ts";
import { digestGate, type DigestOptions } from "./user-agent/digest.ts";
import type { Headers } from "./wire/message-text.ts";
import { NUMBERS, type GatewayNumber } from "./numbers.ts";
import type { GatewayCall, GatewayLog, GatewayMessage, GatewayRegistration } from "./observation.ts";
import { Registrar, type RegistrarOptions } from "./registrar.ts";
import type { CodecName } from "./media/session-description.ts";
import { openSockets, type SipTransport } from "./wire/sockets.ts";
import type { SoundName } from "./media/sounds.ts";
import type { Destination } from "./switchboard.ts";
import { UserAgent } from "./user-agent/user-agent.ts";

export { NUMBERS, type GatewayNumber, type ScriptStep } from "./numbers.ts";
export type { GatewayCall, GatewayLog } from "./observation.ts";

export interface GatewayOptions {
  /** Address to bind; loopback by default. */
  readonly host?: string;
  /** 0, the default: any free one. */
  readonly udpPort?: number;
  /** The same number as the UDP port by default. */
  readonly tcpPort?: number;
  /** Who may call, write and register; everybody by default. */
  readonly auth?: DigestOptions;
  readonly registrar?: RegistrarOptions;
  /** Replaces the table of numbers. */
  readonly numbers?: readonly GatewayNumber[];
  /** Codecs taken; PCMU and PCMA by default. */
  readonly codecs?: readonly CodecName[];
  /** False: keys as RTP events are neither offered nor taken, so that they have to come as INFO. */
  readonly rtpEvents?: boolean;
  /** What a REFER is answered with, and not followed, if it is 300 or above; 202 by default. */
  readonly referStatus?: number;
  /** Accepts REFER and tells by NOTIFY at once that it failed so, as a switch does whose leg is in a queue or menu. */
  readonly referFailure?: number;
  /** RFC 3261's T1, 500 ms by default; T2 and T4 keep their proportions. */
  readonly t1Ms?: number;
  readonly log?: GatewayLog;
}

/** Whom the gateway calls or writes to, and as whom. */
interface Address {
  /** A number or name at `at`, or a whole URI, which then is the Request-URI. */
  readonly to: string;
  /** Where it goes; without it: to the Contact that was registered last, by the path that it named. */
  readonly at?: { readonly host: string; readonly port: number; readonly transport?: SipTransport };
  /** A number or name of the gateway's own, or a whole URI: From. */
  readonly from: string;
  readonly displayName?: string;
  /** P-Asserted-Identity, the header's value. */
  readonly asserted?: string;
  readonly headers?: Headers;
  /** Answers challenges. */
  readonly credentials?: Credentials;
}

export interface OutgoingCall extends Address {
  /** What the other side hears; silence by default. */
  readonly sound?: SoundName;
  /** `late`: no SDP in the INVITE, the answer in the ACK. */
  readonly sdp?: "offer" | "late";
  /** Given up with CANCEL after so long; by default never. */
  readonly answerTimeoutMs?: number;
}

interface OutgoingMessage extends Address {
  readonly text: string;
}

/** The gateway does not know where to send it. */
class NoDestinationError extends Error {
  override readonly name = "NoDestinationError";
  readonly code = "no_destination";
}

export interface Gateway {
  readonly host: string;
  /** UDP. */
  readonly port: number;
  readonly tcpPort: number;
  /** The last 1,000 of both directions in the order of their INVITEs; the objects live and change. */
  readonly calls: readonly GatewayCall[];
  /** Texts that came, the last 1,000. */
  readonly messages: readonly GatewayMessage[];
  /** Who is registered now, in the order of the last REGISTERs. */
  readonly registrations: readonly GatewayRegistration[];
  /** As a registrar that has lost its memory. */
  forgetRegistrations(): void;
  /**
   * Calls. Resolves when the INVITE is out; the call shows what becomes of it. Throws NoDestinationError where nobody
   * is registered or the URI is none.
   */
  call(call: OutgoingCall): Promise<GatewayCall>;
  /** Writes (RFC 3428). The final status; undefined where none came. Throws NoDestinationError. */
  message(message: OutgoingMessage): Promise<number | undefined>;
  /**
   * Looks at the calls now and at each change, until `look` gives something other than undefined or false.
   * Rejects after `timeoutMs`.
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
  const registrar = new Registrar(options.registrar ?? {});
  userAgent = new UserAgent(
    {
      registrar,
      rtpEvents: options.rtpEvents ?? true,
      referStatus: options.referStatus ?? 202,
      referFailure: options.referFailure,
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
  const agent = userAgent;
  const { switchboard } = agent;
  const { calls, messages } = switchboard;

  /** A number of somebody else's at `host`, or a whole URI. */
  const uriOf = (text: string, place: string) => {
    const uri = parseUri(/^(sips?|tel):/i.test(text) ? text : `sip:${escapeUser(text)}@${place}`);
    if (uri === undefined) throw new NoDestinationError(`no SIP URI: ${text}`);
    return uri;
  };
  const destination = ({ to, at, credentials }: Address): Destination => {
    if (at !== undefined) {
      const { host: name, port, transport = "UDP" } = at;
      const place = `${name.includes(":") ? `[${name}]` : name}:${port}${transport === "TCP" ? ";transport=tcp" : ""}`;
      const uri = uriOf(to, place);
      return { uri, to: uri, flow: sockets.flowTo(transport, name, port), routes: [], credentials };
    }
    const binding = registrar.bindings.at(-1);
    const hop = hopOf(binding?.uri);
    if (binding === undefined || hop === undefined) throw new NoDestinationError("nobody is registered");
    // The number called, at the Contact that was registered: what trunks with many numbers send.
    const place = binding.contact.replace(/^[^:]*:/, "").replace(/^[^@]*@/, "");
    const { flow } = binding;
    const way = flow.open && flow.transport === "TCP" ? flow : sockets.flowTo(flow.transport, hop.host, hop.port);
    return { uri: uriOf(to, place), to: uriOf(to, host), flow: way, routes: binding.path, credentials };
  };
  const sender = ({ from, displayName = "", asserted, headers = [] }: Address, transport: SipTransport) => ({
    from: { displayName, uri: uriOf(from, switchboard.place(transport)) },
    headers: asserted === undefined ? headers : [["P-Asserted-Identity", asserted] as const, ...headers],
  });

  return {
    host,
    port: sockets.udpPort,
    tcpPort: sockets.tcpPort,
    calls,
    messages,
    get registrations() {
      return registrar.bindings;
    },
    forgetRegistrations: () => registrar.forget(),
    async call(order) {
      const where = destination(order);
      const { sound = "silence", sdp = "offer", answerTimeoutMs } = order;
      const plan = { ...sender(order, where.flow.transport), sound, lateOffer: sdp === "late", answerTimeoutMs };
      return await switchboard.call({ ...plan, happened: () => undefined }, where);
    },
    async message(order) {
      const where = destination(order);
      const { from, headers } = sender(order, where.flow.transport);
      return await switchboard.message(from, order.text, headers, where);
    },
    until: (look, timeoutMs = patienceMs) =>
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
        switchboard.hangUpAll(),
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
