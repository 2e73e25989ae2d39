import { createServer, type Server } from "node:http";
import { json } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { listen } from "../../dev/loopback/listen.ts";
import { callId } from "../../src/core/ids.ts";
import { createTracing } from "../../src/telemetry/tracing.ts";
import { recordOf } from "../contract/store-examples.ts";
import { FakeTelemetry } from "../fakes/telemetry.ts";

interface Span {
  readonly name: string;
  readonly spanId: string;
  readonly traceId: string;
  readonly parentSpanId?: string;
  readonly status: { readonly code?: number };
  readonly events: readonly { readonly name: string }[];
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
}
interface Export {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly Span[] }[] }[];
}

/** A collector of OTLP over HTTP, in JSON. */
async function collector(): Promise<{ url: string; spans: Span[]; server: Server }> {
  const spans: Span[] = [];
  const server = createServer((request, response) => {
    void json(request).then((body) => {
      for (const { scopeSpans } of (body as Export).resourceSpans)
        for (const scope of scopeSpans) spans.push(...scope.spans);
      response.setHeader("content-type", "application/json").end("{}");
    });
  });
  const url = `http://127.0.0.1:${await listen(server)}/v1/traces`;
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url, spans, server };
}

const { log, lines } = new FakeTelemetry();
const open = (url: string, sampleRatio = 1) => createTracing({ url, sampleRatio, version: "1", log });

test("a call is one trace: its phases and orders, what was asked of the homeserver for them, its facts, its end", async () => {
  const { url, spans } = await collector();
  const tracing = open(url);
  const call = tracing.call(callId("c-1"), "outbound");
  call.phase("inviting");
  call.fact("sip.progressed");
  await call.order("matrix.signal answer", () => tracing.request("PUT rooms/send", async () => ({ status: 429 })));
  await expect(call.order("sip.invite", async () => Promise.reject(new Error("+441632960123")))).rejects.toThrow();
  call.phase("ended");
  call.ended({ ...recordOf("c-1", 61_000), number: "+441632960123", result: "bridge", cause: "fault" });
  await tracing.stop();

  const named = (name: string): Span | undefined => spans.find((span) => span.name === name);
  const root = named("outbound call");
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
  expect(root?.parentSpanId).toBeUndefined();
  expect(root).toMatchObject({
    status: { code: 2, message: "fault" },
    attributes: expect.arrayContaining([{ key: "call.id", value: { stringValue: "c-1" } }]) as unknown,
  });
  for (const name of ["inviting", "ended", "matrix.signal answer", "sip.invite"])
    expect(named(name)?.parentSpanId).toBe(root?.spanId);
  expect(named("inviting")?.events).toMatchObject([{ name: "sip.progressed" }]);
  expect(named("PUT rooms/send")).toMatchObject({
    parentSpanId: named("matrix.signal answer")?.spanId,
    status: { code: 2 },
    attributes: [{ key: "http.response.status_code", value: { intValue: 429 } }],
  });
  expect(named("sip.invite")?.status).toEqual({ code: 2, message: "Error" });
  expect(JSON.stringify(spans)).not.toContain("1632960123");
});

test("what no call asked for is in no trace, and neither is a call that is not in the sample", async () => {
  const { url, spans } = await collector();
  const tracing = open(url, 0);
  await tracing.request("GET versions", async () => ({ status: 200 }));
  const call = tracing.call(callId("c-1"), "outbound");
  await call.order("matrix.signal answer", () => tracing.request("PUT rooms/send", async () => ({ status: 200 })));
  call.ended(recordOf("c-1", 61_000));
  await tracing.stop();
  expect(spans).toEqual([]);
});

test("a collector that is not there is said once, and holds nothing up", async () => {
  const { url, server } = await collector();
  await new Promise((resolve) => server.close(resolve));
  const tracing = open(url);
  tracing.call(callId("c-1"), "inbound").ended(recordOf("c-1", 61_000));
  await tracing.stop();
  expect(lines.map(({ message }) => message)).toEqual(["traces are lost: the collector does not take them"]);
});
