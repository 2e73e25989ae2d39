// Traces for OpenTelemetry, sent over OTLP (HTTP, JSON): a call is a trace, its phases and orders are spans, its facts events.
import { AsyncLocalStorage } from "node:async_hooks";
import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Span,
  type Tracer,
} from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type SpanExporter,
} from "@opentelemetry/sdk-trace";
import type { CallRecord } from "../core/call/model/record.ts";
import type { CallId } from "../core/ids.ts";
import type { Log } from "../ports/telemetry.ts";
import type { CallTrace, Tracing } from "../ports/tracing.ts";

export interface TracingOptions {
  /** Of the collector, `/v1/traces` included. */
  readonly url: string;
  /** The share of calls that is traced, from 0 to 1. */
  readonly sampleRatio: number;
  readonly version: string;
  readonly log: Log;
}

export interface RunningTracing extends Tracing {
  /** Sends what has not been sent. Never rejects. */
  stop(): Promise<void>;
}

const serviceName = "matrix-appservice-sip";
/** A collector that does not answer must not hold up a stop for longer. */
const patienceMs = 2_000;

/** The variable OTEL_EXPORTER_OTLP_HEADERS, which the exporter reads, may hold what the collector wants to be shown. */
export function createTracing({ url, sampleRatio, version, log }: TracingOptions): RunningTracing {
  const exporter = toldOf(new OTLPTraceExporter({ url, timeoutMillis: patienceMs }), log);
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ "service.name": serviceName, "service.version": version }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sampleRatio) }),
    spanProcessors: [new BatchSpanProcessor({ exporter })],
  });
  return new OpenTelemetry(provider, version);
}

class OpenTelemetry implements RunningTracing {
  readonly #provider: TracerProvider;
  readonly #tracer: Tracer;
  /** The order that is being carried out. */
  readonly #order = new AsyncLocalStorage<Span>();

  constructor(provider: TracerProvider, version: string) {
    this.#provider = provider;
    this.#tracer = provider.getTracer(serviceName, version);
  }

  call(id: CallId, direction: CallRecord["direction"]): CallTrace {
    const attributes = { "call.id": id, "call.direction": direction };
    const root = this.#tracer.startSpan(`${direction} call`, { kind: SpanKind.SERVER, attributes, root: true });
    let phase: Span | undefined;
    return {
      phase: (kind) => {
        phase?.end();
        phase = this.#start(kind, root, SpanKind.INTERNAL);
      },
      fact: (kind) => void (phase ?? root).addEvent(kind),
      order: (kind, work) => {
        const span = this.#start(kind, root, SpanKind.INTERNAL);
        return this.#order.run(span, () => settled(span, work));
      },
      ended: (record) => {
        phase?.end();
        root.setAttributes(attributesOf(record));
        if (record.result === "bridge" || record.result === "upstream")
          root.setStatus({ code: SpanStatusCode.ERROR, message: record.cause });
        root.end();
      },
    };
  }

  async request<Answer extends { readonly status: number }>(
    name: string,
    work: () => Promise<Answer>,
  ): Promise<Answer> {
    const order = this.#order.getStore();
    // What no call wants belongs to no trace.
    if (order === undefined) return work();
    const span = this.#start(name, order, SpanKind.CLIENT);
    return settled(span, async () => {
      const answer = await work();
      span.setAttribute("http.response.status_code", answer.status);
      if (answer.status >= 400) span.setStatus({ code: SpanStatusCode.ERROR });
      return answer;
    });
  }

  async stop(): Promise<void> {
    await this.#provider.shutdown().catch(() => undefined);
  }

  #start(name: string, parent: Span, kind: SpanKind): Span {
    return this.#tracer.startSpan(name, { kind }, trace.setSpan(ROOT_CONTEXT, parent));
  }
}

/** Says in the log when the collector begins to take nothing, and when it takes spans again. */
function toldOf(exporter: SpanExporter, log: Log): SpanExporter {
  let lost = 0;
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        if (result.error !== undefined) {
          if (lost === 0) log.warn("traces are lost: the collector does not take them", { error: result.error });
          lost += spans.length;
        } else if (lost > 0) {
          log.info("the collector takes traces again", { lostSpans: lost });
          lost = 0;
        }
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => exporter.forceFlush?.(),
  };
}

async function settled<Result>(span: Span, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    // Its message may hold numbers, and what a peer wrote.
    span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.name : "thrown" });
    throw error;
  } finally {
    span.end();
  }
}

/** No numbers: whoever needs them finds the call by its id. */
function attributesOf({ direction, trunk, result, cause, sipStatus, media, ...record }: CallRecord): Attributes {
  return {
    "call.direction": direction,
    "call.result": result,
    "call.cause": cause,
    "call.trunk": trunk,
    "call.codec": media.codec,
    "matrix.call_id": record.matrixCallId,
    "sip.call_id": record.sipCallId,
    "sip.status": sipStatus,
    "media.from_matrix.packets": media.a.packets,
    "media.from_matrix.lost": media.a.lost,
    "media.from_trunk.packets": media.b.packets,
    "media.from_trunk.lost": media.b.lost,
  };
}
