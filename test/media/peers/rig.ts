// An embedded engine for tests, with a log and a list of what its sessions reported.
import { freePorts } from "../../../dev/loopback/free-ports.ts";
import type { MediaEnd } from "../../../src/core/media-end.ts";
import { callId, type CallId } from "../../../src/core/ids.ts";
import { createEmbeddedEngine, type EmbeddedEngineOptions } from "../../../src/media/embedded/engine/engine.ts";
import { createCallMedia } from "../../../src/media/negotiation/negotiation.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import type { ConferenceAccess } from "../../../src/ports/conference.ts";
import type {
  CallMedia,
  EndOptions,
  IceServer,
  MediaReport,
  MediaSession,
  TrunkMedia,
} from "../../../src/ports/media.ts";
import type { Log, LogLevel } from "../../../src/ports/telemetry.ts";
import { scan } from "../../setup/scanner.ts";
import type { Waiting } from "./ear.ts";

interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

function recordingLog(lines: LogLine[], written: () => void): Log {
  const at =
    (level: LogLevel) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      scan(level, message, fields);
      lines.push({ level, message, fields });
      written();
    };
  const log: Log = {
    trace: at("trace"),
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: (fields) => {
      scan("info", "fields of a log", fields);
      return log;
    },
  };
  return log;
}

const realClock: Clock = {
  nowMs: () => Date.now(),
  wallMs: () => Date.now(),
  at: (atMs, then) => {
    const timer = setTimeout(then, Math.max(0, atMs - Date.now()));
    return () => clearTimeout(timer);
  },
  newId: () => Math.random().toString(36).slice(2),
};

/** A slice of ports that no other test uses, in this process or in another. */
export async function portSlice(pairs: number): Promise<{ portMin: number; portMax: number }> {
  const portMin = await freePorts(pairs * 2);
  return { portMin, portMax: portMin + pairs * 2 - 1 };
}

export interface Rig {
  readonly engine: CallMedia<string>;
  readonly log: LogLine[];
  /** Resolves when `message` has been logged `times`. */
  logged(message: string, times?: number): Promise<void>;
  /** `other`: another trunk at end `a`, instead of a client. */
  open(
    trunk?: Partial<TrunkMedia>,
    iceServers?: readonly IceServer[],
    other?: TrunkMedia,
    legs?: Partial<Record<MediaEnd, CallId>>,
  ): Promise<OpenSession>;
  openEnds(call: CallId, ends: Readonly<Record<MediaEnd, EndOptions>>): Promise<OpenSession>;
}

export interface OpenSession {
  readonly session: MediaSession<string>;
  readonly facts: MediaReport[];
  /** Resolves with the first fact of that kind, past or to come. */
  readonly fact: <Kind extends MediaReport["kind"]>(kind: Kind) => Promise<MediaReport & { kind: Kind }>;
}

export async function startRig(
  options: Partial<EmbeddedEngineOptions> = {},
  conferences?: ConferenceAccess,
): Promise<Rig> {
  const log: LogLine[] = [];
  let watching: Waiting[] = [];
  const written = (): void => {
    watching = watching.filter((each) => {
      if (!each.isSo()) return true;
      each.resolve();
      return false;
    });
  };
  const logged = async (message: string, times = 1): Promise<void> => {
    const isSo = (): boolean => log.filter((line) => line.message === message).length >= times;
    if (!isSo()) await new Promise<void>((resolve) => watching.push({ isSo, resolve }));
  };
  const recorded = recordingLog(log, written);
  const engine = createCallMedia(
    createEmbeddedEngine({
      workers: 1,
      sessionsPerWorker: 20,
      rtp: { host: "127.0.0.1", ...(await portSlice(10)) },
      ice: { bindHost: "127.0.0.1" },
      silenceTimeoutMs: 30_000,
      log: recorded,
      clock: realClock,
      ...options,
    }),
    recorded,
    { conferences },
  );
  await engine.start();
  let count = 0;
  const openEnds: Rig["openEnds"] = async (call, ends) => {
    const facts: MediaReport[] = [];
    const waiting: { kind: string; resolve: (fact: MediaReport) => void }[] = [];
    const session = await engine.open({ call, ...ends }, (fact) => {
      facts.push(fact);
      for (const each of waiting.filter(({ kind }) => kind === fact.kind)) each.resolve(fact);
    });
    return {
      session,
      facts,
      fact: async (kind) => {
        const known = facts.find((fact) => fact.kind === kind);
        const found = known ?? (await new Promise<MediaReport>((resolve) => waiting.push({ kind, resolve })));
        return found as MediaReport & { kind: typeof kind };
      },
    };
  };
  const open: Rig["open"] = async (trunk = {}, iceServers = [], other?, legs = {}) => {
    count += 1;
    const media: TrunkMedia = { srtp: "off", codecs: ["PCMU", "PCMA"], rtpNetworks: [], ...trunk };
    return openEnds(callId(`c-${count}`), {
      a:
        other === undefined
          ? { kind: "client", iceServers, codecs: media.codecs }
          : { kind: "trunk", media: other, leg: legs.a ?? callId(`c-${count}-left`) },
      b: { kind: "trunk", media, leg: legs.b ?? callId(`c-${count}`) },
    });
  };
  return { engine, log, logged, open, openEnds };
}
