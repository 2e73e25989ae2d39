// The softphone's page on its own small server: built once, configured by a route.
import { stat } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { buildSoftphone } from "../../dev/softphone/build.ts";
import { ringHeader } from "../../dev/softphone/page/config.ts";
import type { Softphone } from "../../dev/softphone/serve.ts";
import { serveSoftphone } from "../../dev/softphone/serve.ts";

const config = {
  homeserverUrl: "http://127.0.0.1:8008",
  user: "alice",
  password: "a-password-that-no-bundle-knows",
  numbers: [{ number: "1001", description: "Echo" }],
};

let softphone: Softphone;

beforeAll(async () => {
  softphone = await serveSoftphone(config);
}, 60_000);
afterAll(() => softphone.stop());

test("the page comes with its script and its style, and the script knows no password", async () => {
  const page = await fetch(softphone.url);
  expect(page.headers.get("content-type")).toContain("text/html");
  const html = await page.text();
  const files = [...html.matchAll(/(?:src|href)="(\.?\/assets\/[^"]+)"/g)].map(([, path]) => path ?? "");
  expect(files.length).toBeGreaterThanOrEqual(2);
  for (const file of files) {
    const response = await fetch(new URL(file, softphone.url));
    expect(response.status).toBe(200);
    expect(await response.text()).not.toContain(config.password);
  }
});

test("the page is told by a route whom to sign in, and no other site may ask", async () => {
  const response = await fetch(`${softphone.url}/config.json`);
  expect(await response.json()).toEqual(config);
  expect(response.headers.get("access-control-allow-origin")).toBeNull();
  expect(response.headers.get("content-security-policy")).toContain("connect-src 'self' http://127.0.0.1:8008");
});

test.each(["/../package.json", "/%2e%2e/package.json", "/assets/", "/nothing"])("%s is not there", async (path) => {
  expect((await fetch(softphone.url + path)).status).toBe(404);
});

test("what is served cannot be changed", async () => {
  expect((await fetch(`${softphone.url}/config.json`, { method: "PUT", body: "{}" })).status).toBe(405);
});

describe("the button that lets the gateway call", () => {
  const ask = (url: string, method: string, headers: Record<string, string> = {}) =>
    fetch(`${url}/ring`, { method, headers });

  async function serving(ring: () => Promise<unknown>): Promise<string> {
    const served = await serveSoftphone({ ...config, ownNumber: "+442079460000", ring });
    onTestFinished(() => served.stop());
    return served.url;
  }

  test("has the number called, and not at the wish of another site's page", async () => {
    let calls = 0;
    const url = await serving(async () => (calls += 1));
    expect(await (await fetch(`${url}/config.json`)).json()).toMatchObject({ ownNumber: "+442079460000" });
    expect((await ask(url, "GET")).status).toBe(405);
    expect((await ask(url, "POST")).status).toBe(403);
    const preflight = await ask(url, "OPTIONS", {
      origin: "http://evil.example",
      "access-control-request-method": "POST",
    });
    expect(preflight.headers.get("access-control-allow-headers")).toBeNull();
    expect(calls).toBe(0);
    expect((await ask(url, "POST", { [ringHeader]: "ring" })).status).toBe(204);
    expect(calls).toBe(1);
  });

  test("says why it cannot", async () => {
    const url = await serving(async () => {
      throw new Error("The gateway cannot call");
    });
    const answer = await ask(url, "POST", { [ringHeader]: "ring" });
    expect([answer.status, await answer.text()]).toEqual([503, "The gateway cannot call"]);
  });

  test("is not there where nobody can call", async () => {
    expect((await ask(softphone.url, "POST", { [ringHeader]: "ring" })).status).toBe(404);
  });
});

test("unchanged sources are not built again, by two at once either", async () => {
  const [one, other] = await Promise.all([buildSoftphone(), buildSoftphone()]);
  expect(one).toBe(other);
  const { mtimeMs } = await stat(one);
  await buildSoftphone();
  expect((await stat(one)).mtimeMs).toBe(mtimeMs);
});

test("a taken port is refused", async () => {
  await expect(serveSoftphone({ ...config, port: Number(new URL(softphone.url).port) })).rejects.toMatchObject({
    code: "EADDRINUSE",
  });
});
