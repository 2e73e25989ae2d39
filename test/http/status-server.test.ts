import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { createStatusServer, type StatusServerOptions } from "../../src/http/status-server.ts";
import type { PartReadiness } from "../../src/ports/admin/admin-door.ts";
import { VirtualClock } from "../fakes/virtual-clock.ts";
import { type LogLine, collectingLog } from "../matrix/edge-rig.ts";

type Parts = StatusServerOptions["parts"];

const good: PartReadiness = { ready: true, detail: "fine" };

async function start(
  parts: Parts,
  metrics: StatusServerOptions["metrics"] = async () => ({ contentType: "text/plain; version=0.0.4", text: "up 1\n" }),
  metricsAccess: StatusServerOptions["metricsAccess"] = "open",
): Promise<{ readonly url: string; readonly lines: readonly LogLine[] }> {
  const lines: LogLine[] = [];
  const server = createStatusServer({
    host: "127.0.0.1",
    port: 0,
    parts,
    metrics,
    metricsAccess,
    clock: new VirtualClock(),
    log: collectingLog(lines),
  });
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
    const { url } = await start({ media: () => new Promise<PartReadiness>(() => undefined) });
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

describe("/metrics on an address that others reach", () => {
  const token = "0123456789abcdef0123";
  const ask = async (url: string, authorization?: string): Promise<number> =>
    (await fetch(`${url}/metrics`, { headers: authorization === undefined ? {} : { authorization } })).status;

  it("are for whoever has the token, while health and readiness stay open", async () => {
    const { url } = await start({}, undefined, { token });
    expect(await ask(url)).toBe(401);
    expect(await ask(url, `Bearer ${token}x`)).toBe(401);
    expect(await ask(url, `Bearer ${token}`)).toBe(200);
    expect([(await fetch(`${url}/health`)).status, (await fetch(`${url}/ready`)).status]).toEqual([200, 200]);
  });

  it("are for nobody where there is no token, in words that name the settings", async () => {
    const { url } = await start({}, undefined, { token: undefined });
    const response = await fetch(`${url}/metrics`, { headers: { authorization: "Bearer undefined" } });
    expect(response.status).toBe(403);
    expect(await response.text()).toContain("set admin.token, or http.open_metrics");
  });

  it("are not to be had by guessing: an address that was wrong too often is not listened to", async () => {
    const { url, lines } = await start({}, undefined, { token });
    for (let guess = 0; guess < 10; guess++) expect(await ask(url, `Bearer ${guess}`)).toBe(401);
    expect(await ask(url, `Bearer ${token}`)).toBe(429);
    expect(lines.filter(({ message }) => message.includes("wrong token"))).toHaveLength(1);
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
      metricsAccess: "open",
      clock: new VirtualClock(),
      log: collectingLog([]),
    });
    await expect(second.listen()).rejects.toMatchObject({ code: "EADDRINUSE" });
    await second.stop();
  });
});
