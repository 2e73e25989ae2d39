// Logging in to the console, staying there and leaving.
import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { ask, startAdmin, token } from "../admin-rig.ts";
import { browserAt, startConsole, withToken } from "./console-rig.ts";

const hangUp = "/calls/c-1/hangup";

describe("an admin with the token", () => {
  test("is let in by it, acts, and leaves; each is in the log of what admins did", async () => {
    const { browser, door } = await startConsole();
    expect((await browser("/calls")).status).toBe(401);
    const { status, body } = await browser("/session", withToken);
    expect([status, body]).toMatchObject([200, { who: "token from 127.0.0.1", session: { idle_seconds: 1800 } }]);
    expect((await browser("/calls")).status).toBe(200);
    expect((await browser("/session")).body).toEqual(body);
    expect((await browser(hangUp, { method: "POST" })).status).toBe(202);
    expect(door.ended).toEqual([["c-1", "none given"]]);
    expect((await browser("/session", { method: "DELETE" })).status).toBe(200);
    expect((await browser("/calls")).status).toBe(401);
    const who = "token from 127.0.0.1";
    expect(door.noted).toMatchObject([
      { who, action: "log in" },
      { who, action: "hang up call" },
      { who, action: "log out" },
    ]);
  });

  test("has a cookie that no script reads and no other site brings, and that stays on TLS where the page came by it", async () => {
    const { port } = await startConsole();
    const plain = await browserAt(port)("/session", withToken);
    expect(plain.headers["set-cookie"]).toEqual([
      expect.stringMatching(/^matrix-sip-console=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/),
    ]);
    const overTls = browserAt(port, "https");
    expect((await overTls("/session", withToken)).headers["set-cookie"]).toEqual([
      expect.stringMatching(/^__Host-matrix-sip-console=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Secure$/),
    ]);
    expect((await overTls("/calls")).status).toBe(200);
  });

  test("is logged out when nothing was asked for half an hour, and after twelve hours in any case", async () => {
    const { browser, clock } = await startConsole();
    await browser("/session", withToken);
    clock.advance(29 * 60_000);
    expect((await browser("/calls")).status).toBe(200);
    clock.advance(30 * 60_000);
    expect((await browser("/calls")).status).toBe(401);
    await browser("/session", withToken);
    for (let quarters = 1; quarters < 48; quarters++) {
      clock.advance(15 * 60_000);
      expect((await browser("/calls")).status).toBe(200);
    }
    clock.advance(15 * 60_000);
    expect((await browser("/calls")).status).toBe(401);
  });

  test("is not kept out by a stranger who guesses from the same address, as behind a proxy, once logged in", async () => {
    const { browser, port } = await startConsole();
    await browser("/session", withToken);
    const stranger = browserAt(port);
    const guess = { method: "POST", body: { token: "a-wrong-token-of-a-stranger" } };
    for (let guesses = 0; guesses < 10; guesses++) expect((await stranger("/session", guess)).status).toBe(401);
    expect((await stranger("/session", withToken)).status).toBe(429);
    expect((await browser("/calls")).status).toBe(200);
  });

  test("sees no events any more after logging out", async () => {
    const { browser, port } = await startConsole();
    const { headers } = await browser("/session", withToken);
    const [cookie] = String(headers["set-cookie"]).split(";");
    const stream = connect(port, "127.0.0.1").setEncoding("utf8");
    onTestFinished(() => void stream.destroy());
    stream.write(`GET /admin/v1/events HTTP/1.1\r\nhost: localhost\r\ncookie: ${cookie}\r\n\r\n`);
    await once(stream, "data");
    const ended = once(stream, "end");
    await browser("/session", { method: "DELETE" });
    await ended;
  });

  test("who logs in on a crowd of browsers keeps the latest fifty", async () => {
    const { port } = await startConsole();
    const browsers = Array.from({ length: 51 }, () => browserAt(port));
    for (const browser of browsers) await browser("/session", withToken);
    expect((await browsers[0]?.("/calls"))?.status).toBe(401);
    expect((await browsers[1]?.("/calls"))?.status).toBe(200);
    expect((await browsers[50]?.("/calls"))?.status).toBe(200);
  });
});

describe("a page that is not the console", () => {
  test.each([
    ["of another place", { origin: "https://evil.example", "sec-fetch-site": "cross-site" }],
    ["of another port of this machine", { origin: "http://127.0.0.1:1" }],
    ["that hides where it comes from", { origin: "null" }],
  ])("changes nothing in the name of whoever is logged in: one %s", async (_, headers) => {
    const { browser, door } = await startConsole();
    await browser("/session", withToken);
    expect((await browser(hangUp, { method: "POST", headers })).status).toBe(403);
    expect(door.ended).toEqual([]);
  });

  test("changes nothing by a form or without an origin", async () => {
    const { browser, port, door } = await startConsole();
    const { headers } = await browser("/session", withToken);
    const [cookie = ""] = String(headers["set-cookie"]).split(";");
    const origin = `http://127.0.0.1:${port}`;
    for (const incomplete of [{ origin }, { "x-console": "1" }, {}])
      for (const [method, path] of [
        ["POST", hangUp],
        ["DELETE", "/session"],
      ] as const) {
        const asked = await ask({ port }, `/admin/v1${path}`, { method, headers: { cookie, ...incomplete } });
        expect(asked.status).toBe(403);
      }
    expect(door.ended).toEqual([]);
  });

  test("logs nobody in (with its own token, say)", async () => {
    const { port } = await startConsole();
    const { status, headers } = await ask({ port }, "/admin/v1/session", withToken);
    expect([status, headers["set-cookie"]]).toEqual([403, undefined]);
  });
});

test("cookies that are nobody's let nobody in, and are no guesses", async () => {
  const { port, askPort } = await startConsole();
  for (const value of ["", "x", "A".repeat(43), "../..", `${"A".repeat(43)}, ${token}`])
    for (const name of ["matrix-sip-console", "__Host-matrix-sip-console"])
      for (let times = 0; times < 3; times++) {
        const headers = { cookie: `other=1; ${name}=${value}` };
        expect((await ask({ port }, "/admin/v1/calls", { headers })).status).toBe(401);
      }
  expect((await askPort("/calls")).status).toBe(200);
});

test("who asks with the token, or over the socket, is told who they are and has no session", async () => {
  const { ask: askSocket, askPort } = await startConsole();
  expect((await askPort("/session")).body).toEqual({ who: "token from 127.0.0.1" });
  expect((await askSocket("/session")).body).toEqual({ who: `uid ${process.getuid?.()}` });
  expect((await askPort("/session", { method: "DELETE" })).status).toBe(404);
  expect((await askSocket("/session", withToken)).status).toBe(404);
});

test("without a console nobody logs in", async () => {
  const { port, askPort } = await startAdmin();
  expect((await browserAt(port)("/session", withToken)).status).toBe(401);
  expect((await askPort("/session", withToken)).status).toBe(404);
});
