// The whole bridge in one process, as `-c -f -p` runs it, before a homeserver that is silent or refuses: what others see of its start.
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { listen } from "../../dev/loopback/listen.ts";
import { startBridge, type RunningBridge } from "../../src/app.ts";
import { parseConfig } from "../../src/config/load.ts";
import { toRegistrationFacts } from "../../src/config/mapping/mapping.ts";
import { makeRegistration } from "../../src/config/registration/registration.ts";

type Answer = { readonly status: number; readonly body: unknown } | "silence";

/** A homeserver that says what the test wants to each request, and remembers what was asked. */
async function homeserver(
  answer: (path: string, body: string) => Answer,
  whoAmI: () => Answer = () => ({ status: 200, body: { user_id: "@_sip_sender:example.org" } }),
): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    request.on("end", () => {
      asked.push(`${request.method} ${request.url}`);
      const said = request.url?.includes("/whoami") === true ? whoAmI() : answer(request.url ?? "", body);
      if (said !== "silence")
        response.writeHead(said.status, { "content-type": "application/json" }).end(JSON.stringify(said.body));
    });
  });
  const port = await listen(server, 0, "::1");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://[::1]:${port}`, asked };
}

interface Started {
  readonly bridge: RunningBridge;
  readonly log: readonly string[];
  readonly folder: string;
  /** Of the application service, with the homeserver's token. */
  readonly ask: (path: string) => Promise<{ status: number; body: unknown }>;
  readonly status: (path: string) => Promise<{ status: number; text: string }>;
}

const asToken = "as-token-0123456789abcdef";
const hsToken = "hs-token-0123456789abcdef";

async function start(url: string, folder = mkdtempSync(join(tmpdir(), "start-")), port = 0): Promise<Started> {
  const config = parseConfig(
    `
homeserver: {url: "${url}", domain: example.org}
rtc: {mode: "off"}
appservice: {listen: {host: "::1", port: ${port}}}
http: {listen: {host: "::1", port: 0}}
ghosts: {gateway: sip.example.org}
database: {path: "${join(folder, "bridge.db")}"}
dial_plan: {country: GB}
trunks: [{name: main, server: "[::1]:9", listen: {host: "::1"}, options_interval_seconds: 0}]
permissions: {"*": call}
media: {workers: 1, rtp: {host: "::1"}}
`,
    { configPath: "config.yaml", env: {} },
  );
  const registration = {
    ...makeRegistration(toRegistrationFacts(config), "http://[::1]"),
    as_token: asToken,
    hs_token: hsToken,
  };
  const log: string[] = [];
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const bridge = await startBridge({ config, registration, version: "0", writeLog: (line) => void log.push(line) });
  onTestFinished(() => bridge.stop());
  return {
    bridge,
    log,
    folder,
    ask: async (path) => {
      const headers = { authorization: `Bearer ${hsToken}` };
      const response = await fetch(`http://[::1]:${bridge.port}/_matrix/app/v1/${path}`, { headers });
      return { status: response.status, body: await response.json() };
    },
    status: async (path) => {
      const response = await fetch(`http://[::1]:${bridge.statusPort}${path}`);
      return { status: response.status, text: await response.text() };
    },
  };
}

describe("while the homeserver is silent", () => {
  test("clients get their dial pad and find numbers, the bridge is alive but not ready", async () => {
    const { url } = await homeserver(() => "silence");
    const { ask, status } = await start(url);
    for (const protocol of ["m.protocol.pstn", "im.vector.protocol.pstn"]) {
      expect(await ask(`thirdparty/protocol/${protocol}`)).toMatchObject({ status: 200, body: { instances: [{}] } });
      expect(await ask(`thirdparty/user/${protocol}?m.id.phone=01818118181`)).toEqual({
        status: 200,
        body: [
          {
            userid: "@_sip_01818118181%40sip.example.org:example.org",
            protocol,
            fields: { "m.id.phone": "01818118181" },
          },
        ],
      });
    }
    expect((await status("/health")).status).toBe(200);
    const ready = await status("/ready");
    expect(ready.status).toBe(503);
    expect(JSON.parse(ready.text)).toMatchObject({ parts: { homeserver: { ready: false }, store: { ready: true } } });
  });

  test("thousands of lookups make a bounded number of ghosts and no series of their own, and no number is told", async () => {
    const { url, asked } = await homeserver(() => "silence");
    const { ask, status, log } = await start(url);
    await ask("thirdparty/user/m.protocol.pstn?m.id.phone=1");
    // What the homeserver is asked meanwhile has series of its own, whoever looks up what.
    const series = (text: string): number =>
      text.split("\n").filter((line) => /^matrix_sip_(?!homeserver_request)/.test(line)).length;
    const before = series((await status("/metrics")).text);
    for (let batch = 0; batch < 20; batch += 1)
      await Promise.all(
        Array.from({ length: 50 }, (_, index) => [
          ask(`thirdparty/user/m.protocol.pstn?m.id.phone=0181811${1000 + batch * 50 + index}`),
          ask(`thirdparty/user/x${batch}-${index}?m.id.phone=1`),
        ]).flat(),
      );
    const { text } = await status("/metrics");
    expect(text).toContain('matrix_sip_lookups_total{protocol="m.protocol.pstn",outcome="found"} 1001');
    expect(text).toContain('matrix_sip_lookups_total{protocol="other",outcome="unknown-protocol"} 1000');
    // One line more: the outcome that had not been there.
    expect(series(text) - before).toBe(1);
    // Four at a time: the rest waits, or is left for the invite.
    expect(asked.filter((request) => request.includes("register")).length).toBeLessThanOrEqual(5);
    for (const told of [...log, text]) {
      expect(told).not.toMatch(/0181811|as-token|hs-token/);
    }
  });
});

test("a homeserver that refuses the form of ghosts' ids ends it, and is told with the setting to change", async () => {
  const { url, asked } = await homeserver((path, body) => {
    if (path.includes("register") && body.includes("%40"))
      return { status: 400, body: { errcode: "M_INVALID_USERNAME", error: "no" } };
    return { status: 200, body: {} };
  });
  const { bridge } = await start(url);
  await expect(bridge.refused).rejects.toMatchObject({
    name: "HomeserverCheckError",
    code: "encoding-refused",
    message: expect.stringContaining("set ghosts.encoding to grammar (now percent)"),
  });
  // No ping of a homeserver with which it cannot work.
  expect(asked.some((request) => request.includes("/ping"))).toBe(false);
});

test("a homeserver of another domain ends it, and is told with the setting to change", async () => {
  const whoAmI = () => ({ status: 200, body: { user_id: "@_sip_sender:example.com" } });
  const { bridge } = await start((await homeserver(() => ({ status: 200, body: {} }), whoAmI)).url);
  await expect(bridge.refused).rejects.toMatchObject({ message: expect.stringContaining("set homeserver.domain") });
});

test("a homeserver without the registration is waited for, said in one line and by /ready, and goes on once it has it", async () => {
  let has = false;
  const unknown = { status: 401, body: { errcode: "M_UNKNOWN_TOKEN", error: "Unrecognised access token" } };
  const { url } = await homeserver(
    (path) => {
      if (!has) return unknown;
      return path.includes("/ping") ? { status: 404, body: { errcode: "M_UNRECOGNIZED" } } : { status: 200, body: {} };
    },
    () => (has ? { status: 200, body: { user_id: "@_sip_sender:example.org" } } : unknown),
  );
  const { status, log } = await start(url);
  const line = /homeserver does not know the bridge: add the registration file .*app_service_config_files/;
  const homeserverPart = async () =>
    (JSON.parse((await status("/ready")).text) as { parts: { homeserver: unknown } }).parts.homeserver;
  await expect.poll(homeserverPart).toEqual({ ready: false, detail: expect.stringMatching(line) });
  expect(log.filter((each) => line.test(each))).toHaveLength(1);
  has = true;
  await expect.poll(homeserverPart).toMatchObject({ ready: true });
  expect(log.filter((each) => line.test(each))).toHaveLength(1);
});

test("a homeserver that takes them is pinged by the registration's id, and then the bridge is ready but for its trunk", async () => {
  let pinged: () => void = () => undefined;
  const ping = new Promise<void>((resolve) => {
    pinged = resolve;
  });
  const { url, asked } = await homeserver((path) => {
    if (path.includes("/ping")) pinged();
    return path.includes("/ping") ? { status: 404, body: { errcode: "M_UNRECOGNIZED" } } : { status: 200, body: {} };
  });
  const { status, log } = await start(url);
  await ping;
  await expect
    .poll(async () => JSON.parse((await status("/ready")).text) as unknown)
    .toMatchObject({
      parts: { homeserver: { ready: true, detail: "answers, but does not support pings" } },
    });
  expect(asked.map((request) => request.replace(/\?.*/, ""))).toContain(
    "POST /_matrix/client/v1/appservice/matrix-appservice-sip/ping",
  );
  expect(log.filter((line) => line.includes('"level":"error"'))).toEqual([]);
});

test("a second one on its port or its database leaves the first one alone", async () => {
  const { url } = await homeserver(() => "silence");
  const first = await start(url);
  await expect(start(url, first.folder)).rejects.toMatchObject({ code: "locked" });
  await expect(start(url, undefined, first.bridge.port)).rejects.toMatchObject({ code: "EADDRINUSE" });
  expect((await first.ask("thirdparty/protocol/m.protocol.pstn")).status).toBe(200);
});
