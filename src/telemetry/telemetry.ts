// Log and metrics in one: the Telemetry port. Writes the line that each call leaves when it is over.
import { sideNames, type MediaEnd } from "../core/media-end.ts";
import type { CallRecord } from "../core/call/model/record.ts";
import type { Scope } from "../core/policy/spending/allowance.ts";
import type { Suspicion } from "../core/policy/spending/patterns.ts";
import type { MediaStats, EndStats } from "../core/call/model/media-stats.ts";
import type { TrunkName } from "../core/ids.ts";
import type { Log, LookupOutcome, Telemetry, TextDirection, TextOutcome } from "../ports/telemetry.ts";
import { noTracing } from "../ports/tracing.ts";
import { Mask } from "./mask.ts";
import { Metrics } from "./metrics.ts";
import { createLog, type LogOptions } from "./pino-log.ts";
import type { RunningTracing } from "./tracing.ts";

export type { LogOptions } from "./pino-log.ts";

export interface OwnTelemetry extends Telemetry {
  /** For `/metrics`: the text in Prometheus' exposition format and its media type. */
  exposition(): Promise<{ readonly contentType: string; readonly text: string }>;
  /** Sends the traces that have not been sent. Never rejects. */
  stop(): Promise<void>;
}

function endFields(end: EndStats): Readonly<Record<string, number>> {
  return { packets: end.packets, lost: end.lost, jitterMs: Math.round(end.jitterMs) };
}

function mediaFields(media: MediaStats): Readonly<Record<string, unknown>> {
  const { codec, converted } = media;
  const only = converted?.only && sideNames[converted.only];
  const codecs = converted && { [sideNames.a]: converted.a, [sideNames.b]: converted.b, only };
  return { codec, converted: codecs, fromMatrix: endFields(media.a), fromTrunk: endFields(media.b) };
}

/** From the first time to the second; undefined where one of them never came. */
function between(fromMs: number | undefined, toMs: number | undefined): number | undefined {
  return fromMs === undefined || toMs === undefined ? undefined : toMs - fromMs;
}

function recordFields(record: CallRecord): Readonly<Record<string, unknown>> {
  return {
    call: record.id,
    matrixCall: record.matrixCallId,
    sipCall: record.sipCallId,
    direction: record.direction,
    person: record.person,
    room: record.room,
    number: record.number,
    called: record.called,
    trunk: record.trunk,
    result: record.result,
    cause: record.cause,
    sipStatus: record.sipStatus,
    ringingAfterMs: between(record.startedAtMs, record.ringingAtMs),
    answeredAfterMs: between(record.startedAtMs, record.answeredAtMs),
    talkedMs: between(record.answeredAtMs, record.endedAtMs),
    unsettled: record.unsettled || undefined,
    media: mediaFields(record.media),
  };
}

/** `openTracing` is given the log for what goes wrong; undefined: calls are not traced. */
export function createTelemetry(options: LogOptions, openTracing?: (log: Log) => RunningTracing): OwnTelemetry {
  const { log, level, setLevel } = createLog(options);
  const tracing = openTracing?.(log);
  const metrics = new Metrics();
  const mask = new Mask(options.maskNumbers, options.ghostPrefix);
  return {
    log,
    tracing: tracing ?? noTracing,
    logLevel: level,
    setLogLevel: setLevel,
    shownNumber: (number: string) => mask.number(number),
    callStarted: (direction: CallRecord["direction"]) => metrics.callStarted(direction),
    callAnswered: (setupMs: number) => metrics.callAnswered(setupMs),
    callEnded: (record: CallRecord, begunAs: CallRecord["direction"]) => {
      metrics.callEnded(record, begunAs);
      log.info("call ended", recordFields(record));
    },
    texted: (direction: TextDirection, outcome: TextOutcome) => metrics.texted(direction, outcome),
    lookedUp: (protocol: string, outcome: LookupOutcome) => metrics.lookedUp(protocol, outcome),
    callUnheard: (end: MediaEnd) => metrics.callUnheard(end),
    factIgnored: (fact: string, phase: string) => metrics.factIgnored(fact, phase),
    homeserverAnswered: (request: string, status: number, tookMs: number) =>
      metrics.homeserverAnswered(request, status, tookMs),
    limitTold: (scope: Scope["kind"], what: "warned" | "reached") => metrics.limitTold(scope, what),
    callsHeld: (shape: Suspicion["shape"]) => metrics.callsHeld(shape),
    trunkState: (trunk: TrunkName, up: boolean) => metrics.trunkState(trunk, up),
    certificateEnds: (trunk: TrunkName, atMs: number) => metrics.certificateEnds(trunk, atMs),
    eventsTaken: (count: number, duplicates: number) => metrics.eventsTaken(count, duplicates),
    inboxDepth: (events: number) => metrics.inboxDepth(events),
    exposition: () => metrics.exposition(),
    stop: async () => tracing?.stop(),
  };
}
