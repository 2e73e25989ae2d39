// The Dockerfile's healthcheck and labels. test/e2e/deployment/container.test.ts runs its steps.
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { stringify } from "yaml";
import { minimalConfig } from "../../dev/config/sample.ts";
import { parseConfig } from "../../src/config/load.ts";

const root = join(import.meta.dirname, "../..");
const dockerfile = readFileSync(join(root, "Dockerfile"), "utf8").replaceAll(/\\\n\s*/g, "");

interface Outcome {
  readonly code: number;
  readonly err: string;
}

/** Runs the image's own command, with a file that stands for /data/config.yaml. */
async function checkHealth(config: object): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), "health-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "config.yaml");
  writeFileSync(file, stringify(config));
  const [, list = ""] = /^HEALTHCHECK .*CMD (\[.*\])$/m.exec(dockerfile) ?? [];
  const [, script = "", path = ""] = JSON.parse(list) as readonly string[];
  expect(path).toBe("/data/config.yaml");
  const argv = [script.replace("/app/", join(root, "deploy/")), file];
  return new Promise((resolve) => {
    execFile(process.execPath, argv, (error, _, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), err }),
    );
  });
}

async function bridgeAnswering(status: number): Promise<number> {
  const server = createServer((request, response) => {
    response.writeHead(request.url === "/health" ? status : 404).end();
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

describe("the container's healthcheck", () => {
  it.each(["127.0.0.1", "0.0.0.0"])("asks where the configuration says, at %s", async (host) => {
    const port = await bridgeAnswering(200);
    expect(await checkHealth({ http: { listen: { host, port } } })).toEqual({ code: 0, err: "" });
  });

  it("says what the bridge answers if it is not well", async () => {
    const port = await bridgeAnswering(500);
    const { code, err } = await checkHealth({ http: { listen: { port } } });
    expect([code, err]).toEqual([1, `http://127.0.0.1:${port}/health answers 500\n`]);
  });

  it("asks at the bridge's own default address, and fails where nobody listens", async () => {
    const { http } = parseConfig(minimalConfig, { configPath: "config.yaml", env: {} });
    const { code, err } = await checkHealth({});
    expect(code).toBe(1);
    expect(err).toContain(`http://${http.listen.host}:${http.listen.port}/health`);
  });
});

it("the image is labelled with what package.json says", () => {
  const labels = Object.fromEntries(
    [...dockerfile.matchAll(/org\.opencontainers\.image\.(\w+)="([^"]*)"/g)].map(([, key, value]) => [key, value]),
  ) as Readonly<Record<string, string>>;
  const { name, version, license } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Record<
    string,
    string
  >;
  expect(labels).toMatchObject({ title: name, version, licenses: license });
});
