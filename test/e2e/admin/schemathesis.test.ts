// schemathesis reads the OpenAPI document of the running program and asks everything in it, well and badly.
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, expect, it } from "vitest";
import { freePort } from "../../../dev/loopback/free-ports.ts";
import { suiteRig } from "../parts/base/rig.ts";
import { registerBridge } from "../parts/stages/bridge.ts";
import { installSchemathesis } from "../setup/install.ts";
import { SCHEMATHESIS_VENV } from "../setup/versions.ts";

const TOKEN = "0123456789abcdef0123456789";
const rig = suiteRig("schemathesis");
let url = "";

beforeAll(async () => {
  await installSchemathesis();
  const port = await freePort();
  const bridge = await registerBridge(rig, {
    homeserver: { url: `http://127.0.0.1:${await freePort()}`, domain: "example.org" },
    ghosts: { gateway: "sip.example.org" },
    database: { path: rig.path("bridge.db") },
    dial_plan: { country: "GB" },
    trunks: [{ name: "main", server: "127.0.0.1:9", listen: { host: "127.0.0.1", port: await freePort() } }],
    inbound: { numbers: [{ number: "+441632960001", user: "@alice:example.org" }] },
    permissions: { "example.org": "call" },
    http: { listen: { port: await freePort() } },
    admin: { socket: { path: "a.sock" }, listen: { port }, token: TOKEN },
  });
  await bridge.start();
  url = `http://127.0.0.1:${port}/admin/v1/openapi.json`;
}, 600_000);

it("finds nothing that the document does not say, and nothing that it says and that is refused", async () => {
  const args = [
    "run",
    url,
    "-H",
    `Authorization: Bearer ${TOKEN}`,
    // A stream without an end.
    "--exclude-path",
    "/admin/v1/events",
    // It tries wrong tokens until it is not listened to any more: test/http/admin/access/entrance.test.ts does that.
    "--exclude-checks",
    "ignored_auth,missing_required_header",
    "--max-examples",
    "15",
    "--seed",
    "1",
    "--no-color",
  ];
  // What has the right form and means nothing (422), and what the bridge cannot do now (503), stand in the document too.
  writeFileSync(
    join(rig.folder, "schemathesis.toml"),
    [
      "[checks.positive_data_acceptance]",
      'expected-statuses = ["2xx", "3xx", 401, 403, 404, 409, 422, 429, "5xx"]',
      "[checks.not_a_server_error]",
      'expected-statuses = ["2xx", "3xx", "4xx", 503]',
      "",
    ].join("\n"),
  );
  const { stdout } = await promisify(execFile)(join(SCHEMATHESIS_VENV, "bin", "schemathesis"), args, {
    cwd: rig.folder,
    maxBuffer: 16 * 1024 * 1024,
  }).catch((error: unknown) => {
    throw new Error(error instanceof Error && "stdout" in error ? String(error.stdout) : "it did not run", {
      cause: error,
    });
  });
  expect(stdout).toMatch(/(\d{3,}) generated, \1 passed/);
}, 300_000);
