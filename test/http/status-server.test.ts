import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { createStatusServer, type PartState, type StatusServerOptions } from "../../src/http/status-server.ts";
import { type LogLine, collectingLog } from "../matrix/edge-rig.ts";

type Parts = StatusServerOptions["parts"];

const good: PartState = { ready: true, detail: "fine" };

async function start(
  parts: Parts,
  metrics: StatusServerOptions["metrics"] = async () => ({ contentType: "text/plain; version=0.0.4", text: "up 1\n" }),
): Promise<{ readonly url: string; readonly lines: readonly LogLine[] }> {
  const lines: LogLine[] = [];
  const server = createStatusServer({ host: "127.0.0.1", port: 0, parts, metrics, log: collectingLog(lines) });
  await server.listen();
  onTestFinished(() => server.stop());
  return { url: `http://127.0.0.1:${server.port()}`, lines };
}

describe("/health", () => {
  it("is alive as long as the process answers, even if nothing is ready", async () => {
    const { url } = await start({ store: () => ({ ready: false, detail: "disk full" }) });
    const response = await fetch(`${url}/health`);
    expect([response.status, await response.json()]).toEqual([200, { status: "alive" }]);
    expect(response.headers.get("cache-control")).toBe("no-store");
  });
});

it("connections on which nothing is asked keep nobody out", async () => {
  const { url } = await start({});
  const { hostname, port } = new URL(url);
  const silent = Array.from({ length: 300 }, () =>
    connect(Number(port), hostname)
      .on("error", () => {})
      .resume(),
  );
  onTestFinished(() => silent.forEach((socket) => void socket.destroy()));
  await Promise.all(silent.map((socket) => once(socket, "connect")));
  expect((await fetch(`${url}/health`)).status).toBe(200);
  await expect.poll(() => silent.filter(({ closed }) => !closed).length).toBeLessThan(101);
});

describe("/ready", () => {
  it("is 200 with every part's words when all parts are ready", async () => {
    const { url } = await start({ store: async () => good, trunks: () => ({ ready: true, detail: "main is up" }) });
    const response = await fetch(`${url}/ready`);
    expect([response.status, await response.json()]).toEqual([
      200,
      { status: "ready", parts: { store: good, trunks: { ready: true, detail: "main is up" } } },
    ]);
  });

  it("is 503 and names the part that is not, also one that throws", async () => {
    const { url } = await start({
      store: () => {
        throw new Error("the database cannot be used: disk full");
      },
      homeserver: () => Promise.reject(new Error("last ping failed")),
      media: () => good,
    });
    const response = await fetch(`${url}/ready`);
    expect([response.status, await response.json()]).toEqual([
      503,
      {
        status: "not ready",
        parts: {
          store: { ready: false, detail: "the database cannot be used: disk full" },
          homeserver: { ready: false, detail: "last ping failed" },
          media: good,
        },
      },
    ]);
  });

  it("does not wait for a part that never answers", async () => {
    const { url } = await start({ media: () => new Promise<PartState>(() => undefined) });
    const response = await fetch(`${url}/ready`);
    expect([response.status, await response.json()]).toEqual([
      503,
      { status: "not ready", parts: { media: { ready: false, detail: "does not answer" } } },
    ]);
  });
});

describe("/metrics", () => {
  it("gives the text as it is, with its media type", async () => {
    const { url } = await start({});
    const response = await fetch(`${url}/metrics`);
    expect(response.headers.get("content-type")).toContain("text/plain; version=0.0.4");
    expect(await response.text()).toBe("up 1\n");
  });

  it("that cannot be had are a 500 and a line in the log, not the end of the process", async () => {
    const { url, lines } = await start({}, () => Promise.reject(new Error("defect")));
    expect((await fetch(`${url}/metrics`)).status).toBe(500);
    expect(lines).toMatchObject([{ level: "error", message: "status request failed" }]);
    expect((await fetch(`${url}/health`)).status).toBe(200);
  });
});

describe("the status server", () => {
  it("knows no other page", async () => {
    const { url } = await start({});
    expect((await fetch(`${url}/`)).status).toBe(404);
    expect((await fetch(`${url}/health`, { method: "POST" })).status).toBe(404);
  });

  it("says that its port is taken", async () => {
    const { url } = await start({});
    const second = createStatusServer({
      host: "127.0.0.1",
      port: Number(new URL(url).port),
      parts: {},
      metrics: async () => ({ contentType: "", text: "" }),
      log: collectingLog([]),
    });
    await expect(second.listen()).rejects.toMatchObject({ code: "EADDRINUSE" });
    await second.stop();
  });
});
