// Who reaches the admin API, and who does not.
import { chmodSync, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { ask, newFolder, startAdmin, token } from "../admin-rig.ts";

describe("the port", () => {
  test("takes the token and nothing else, and counts who is wrong", async () => {
    const { askPort, lines, door } = await startAdmin();
    expect((await askPort("/calls")).status).toBe(200);
    for (const authorization of ["", "Bearer", `Bearer ${token}x`, `Bearer ${token.slice(1)}`, `Basic ${token}`]) {
      const { status, body, headers } = await askPort("/calls", { headers: { authorization } });
      expect([status, body]).toMatchObject([401, { code: "unauthorized" }]);
      expect(headers).not.toHaveProperty("matrix-appservice-sip-version");
    }
    expect(lines).toMatchObject([{ message: "a request for admins had a wrong token", fields: { peer: "127.0.0.1" } }]);
    expect(JSON.stringify(lines)).not.toContain(token.slice(1));
    await askPort("/trunks/main/pause", { method: "POST" });
    expect(door.noted).toMatchObject([{ who: "token from 127.0.0.1" }]);
  });

  test("does not listen any more to an address that guesses, not even to the right token, until a while has passed", async () => {
    const { askPort, clock } = await startAdmin();
    const wrong = { headers: { authorization: "Bearer wrong" } };
    for (let guess = 0; guess < 10; guess++) expect((await askPort("/calls", wrong)).status).toBe(401);
    const { status, headers } = await askPort("/calls");
    expect([status, headers["retry-after"]]).toEqual([429, "6"]);
    clock.advance(6_000);
    expect((await askPort("/calls")).status).toBe(200);
  });

  test.each([
    ["the name of another place leads here", { host: "evil.example" }],
    ["the name ends like ours", { host: "evil.bridge.example.org" }],
    ["a page of another place asks", { origin: "https://evil.example" }],
    ["a page without a place asks", { origin: "null" }],
    ["a page has it loaded as a picture", { "sec-fetch-site": "cross-site" }],
  ])("is closed to browsers, with the right token too: %s", async (_, headers) => {
    const { askPort, door } = await startAdmin();
    const { status, body } = await askPort("/trunks/main/pause", { method: "POST", headers });
    expect([status, body]).toMatchObject([403, { code: "forbidden" }]);
    expect(door.paused).toBe(false);
  });

  test("answers by its addresses, localhost and the names of the configuration", async () => {
    const { askPort, port } = await startAdmin();
    for (const host of [`127.0.0.1:${port}`, "[::1]", `LocalHost:${port}`, "Bridge.Example.org"])
      expect((await askPort("/calls", { headers: { host } })).status).toBe(200);
    const origin = `http://127.0.0.1:${port}`;
    expect((await askPort("/calls", { headers: { origin, "sec-fetch-site": "same-origin" } })).status).toBe(200);
  });

  test("reads no headers without end", async () => {
    const { askPort } = await startAdmin();
    expect((await askPort("/calls", { headers: { "x-much": "x".repeat(10_000) } })).status).toBe(431);
  });
});

describe("the socket", () => {
  test("is its owner's alone, and gone when the bridge stops", async () => {
    const { socketPath, server } = await startAdmin();
    expect((statSync(socketPath).mode & 0o777).toString(8)).toBe("600");
    await server.stop();
    expect(existsSync(socketPath)).toBe(false);
  });

  test("refuses pages, should a browser ever find it", async () => {
    const { ask: askSocket } = await startAdmin();
    expect((await askSocket("/calls", { headers: { origin: "https://evil.example" } })).status).toBe(403);
  });

  test("takes the place of what a dead bridge left there", async () => {
    const socketPath = join(newFolder(), "a.sock");
    // A process that is killed removes nothing.
    const listening = `require("net").createServer().listen(${JSON.stringify(socketPath)}, () => console.log("up"))`;
    const dead = spawn(process.execPath, ["-e", listening], { stdio: ["ignore", "pipe", "ignore"] });
    await once(dead.stdout, "data");
    dead.kill("SIGKILL");
    await once(dead, "exit");
    expect(existsSync(socketPath)).toBe(true);
    await startAdmin({ socketPath });
    expect((await ask({ socketPath }, "/admin/v1/trunks")).status).toBe(200);
  });

  test("of a live bridge is left alone, in words", async () => {
    const { socketPath } = await startAdmin();
    await expect(startAdmin({ socketPath })).rejects.toThrow(`a running bridge listens on ${socketPath}`);
    expect((await ask({ socketPath }, "/admin/v1/trunks")).status).toBe(200);
  });

  test("that another bridge has put there since stays when this one stops", async () => {
    const first = await startAdmin();
    rmSync(first.socketPath);
    await startAdmin({ socketPath: first.socketPath });
    await first.server.stop();
    expect((await ask({ socketPath: first.socketPath }, "/admin/v1/trunks")).status).toBe(200);
  });

  test.each([
    ["a file is there", (path: string) => writeFileSync(path, "precious"), "is no socket"],
    ["a folder is there", (path: string) => mkdirSync(path), "is no socket"],
    ["it cannot be made", (path: string) => chmodSync(join(path, ".."), 0o500), "cannot be made"],
  ])("keeps no bridge from its calls where %s: the log says what to set", async (_, prepare, words) => {
    const socketPath = join(newFolder(), "sub");
    if (words === "cannot be made" && process.getuid?.() === 0) return;
    prepare(socketPath);
    const { lines, port } = await startAdmin({ socketPath });
    onTestFinished(() => chmodSync(join(socketPath, ".."), 0o700));
    expect(port).toBeGreaterThan(0);
    expect(lines).toMatchObject([{ level: "error", fields: { reason: expect.stringContaining(words) as string } }]);
    expect(lines[0]?.fields?.["reason"]).toContain("admin.socket.path");
  });

  test("with a path that is too long is said to have one", async () => {
    const { lines } = await startAdmin({ socketPath: join(newFolder(), "x".repeat(100)) });
    expect(lines[0]?.fields?.["reason"]).toContain("too long for a socket");
  });
});

test("connections on which nothing is asked end with the bridge", async () => {
  const { port, server } = await startAdmin();
  const idle = connect(port, "127.0.0.1");
  await once(idle, "connect");
  const closed = once(idle.resume(), "close");
  await server.stop();
  await closed;
});
