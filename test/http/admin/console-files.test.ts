// The console's files over the admin port.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { gunzipSync } from "node:zlib";
import { request } from "node:http";
import { newFolder, startAdmin } from "./admin-rig.ts";
import { page, script, startConsole } from "./access/console-rig.ts";

const asset = "/assets/index-Ab3_x-9Z.js";

test("the page is there without a login, and may load and ask nothing but its own address", async () => {
  const { get } = await startConsole();
  const { status, text, headers } = await get("/");
  expect([status, text]).toEqual([200, page]);
  expect(headers).toMatchObject({
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-cache",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
  });
  const policy = String(headers["content-security-policy"]).split("; ");
  expect(policy).toEqual(
    expect.arrayContaining([
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "connect-src 'self'",
      "img-src 'self'",
      "frame-ancestors 'none'",
      "base-uri 'none'",
      "form-action 'self'",
    ]),
  );
  expect(policy.join()).not.toMatch(/unsafe|\*|http|data:/);
  expect(headers["permissions-policy"]).toContain("microphone=()");
});

test("what has a hash in its name is kept for good, and everything else is asked for again and not sent twice", async () => {
  const { get } = await startConsole();
  const first = await get(asset);
  expect(first.text).toBe(script);
  expect(first.headers).toMatchObject({
    "content-type": "text/javascript; charset=utf-8",
    "cache-control": "public, max-age=31536000, immutable",
  });
  const icon = await get("/icon.svg");
  expect(icon.headers).toMatchObject({ "content-type": "image/svg+xml", "cache-control": "no-cache" });
  const again = await get("/icon.svg", { "if-none-match": String(icon.headers["etag"]) });
  expect([again.status, again.text]).toEqual([304, ""]);
  const head = await get(asset, {}, "HEAD");
  expect([head.status, head.text, head.headers["content-length"]]).toEqual([200, "", String(script.length)]);
});

test("comes packed to whoever can unpack it", async () => {
  const { port } = await startConsole();
  const packed = await new Promise<Buffer>((resolve, reject) => {
    const headers = { "accept-encoding": "br, gzip" };
    request({ host: "127.0.0.1", port, path: asset, headers }, (response) => {
      expect(response.headers).toMatchObject({ "content-encoding": "gzip", vary: "accept-encoding" });
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => resolve(Buffer.concat(chunks)));
    })
      .once("error", reject)
      .end();
  });
  expect(packed.length).toBeLessThan(script.length / 2);
  expect(gunzipSync(packed).toString()).toBe(script);
});

test.each([
  "/../outside.txt",
  "/%2e%2e/outside.txt",
  "/..%2foutside.txt",
  "/assets/../../outside.txt",
  "/assets/..\\..\\outside.txt",
  "//outside.txt",
  "/notes.md",
  "/index.html",
  "/assets",
  "/assets/",
  "/constructor",
  "/__proto__",
])("nothing but its files is there: %s", async (path) => {
  const { get } = await startConsole();
  const { status, text } = await get(path);
  expect(status).toBe(401);
  expect(text).not.toMatch(/secret|nobody's business/);
});

test("is read alone", async () => {
  const { get } = await startConsole();
  const { status, headers } = await get("/", {}, "POST");
  expect([status, headers["allow"]]).toEqual([405, "GET, HEAD"]);
});

test("is not there under the name of another place", async () => {
  const { get } = await startConsole();
  expect((await get("/", { host: "evil.example" })).status).toBe(403);
  expect((await get("/", { host: "bridge.example.org" })).status).toBe(200);
});

test("an admin comes to it by a link, as in a Matrix client, but no page of another place asks the API", async () => {
  const { get } = await startConsole();
  const link = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
  expect((await get("/", link)).status).toBe(200);
  expect((await get("/admin/v1/status", link)).status).toBe(403);
});

test.each([
  ["is not there", (folder: string) => join(folder, "missing")],
  ["has no page", (folder: string) => folder],
])("a console whose folder %s keeps no bridge from its calls, and the log says so", async (_, of) => {
  const folder = newFolder();
  mkdirSync(join(folder, "assets"));
  const { lines, askPort } = await startAdmin({ consoleFolder: of(folder) });
  expect(lines).toMatchObject([{ level: "error", message: expect.stringContaining("admin.console") as string }]);
  expect((await askPort("/calls")).status).toBe(200);
});
