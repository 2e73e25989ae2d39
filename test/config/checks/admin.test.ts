// The admin API's section: no port without a token, and where the socket is.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { minimalConfig } from "../../../dev/config/sample.ts";
import { adviseOn } from "../../../src/config/checks/advice.ts";
import { parseConfig } from "../../../src/config/load.ts";
import {
  adminSocketPlaces,
  toAdminPort,
  toAdminSocket,
  toConsoleUrl,
} from "../../../src/config/mapping/admin-mapping.ts";
import { formatPath } from "../../../src/config/reading/problem.ts";

const token = "0123456789abcdef";
const read = (more: string, env = {}, configPath = "config.yaml") =>
  parseConfig(minimalConfig + more, { configPath, env });
const advice = (more: string): readonly string[] =>
  adviseOn(read(more)).map(({ path, message }) => `${formatPath(path)} ${message}`);

test.each(["127.0.0.1", "0.0.0.0", "192.0.2.1"])("a port on %s needs a token", (host) => {
  const listen = `admin: {listen: {host: "${host}", port: 9995}`;
  expect(() => read(`${listen}}\n`)).toThrow(
    "admin.token is missing: admin.listen needs token, token_file or the environment variable MATRIX_SIP_ADMIN_TOKEN",
  );
  expect(read(`${listen}, token: ${token}}\n`).admin.token).toBe(token);
  expect(read(`${listen}}\n`, { MATRIX_SIP_ADMIN_TOKEN: token }).admin.token).toBe(token);
});

test("the token may stand in a file, and is neither short nor shown", () => {
  const folder = mkdtempSync(join(tmpdir(), "admin-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "token"), `${token}\n`);
  const path = join(folder, "config.yaml");
  expect(read("admin: {token_file: token}\n", {}, path).admin).toMatchObject({ token });
  writeFileSync(join(folder, "token"), "short-secret");
  for (const more of ["admin: {token: short-secret}\n", "admin: {token_file: token}\n"])
    expect(() => read(more, {}, path)).toThrow(/^(?!.*short-secret).*admin\.token should be a text of 16 to 200/);
  expect(() => read("", { MATRIX_SIP_ADMIN_TOKEN: "short-secret" })).toThrow("16 to 200");
});

test("a webhook needs a secret of the right form, which is not shown, and is advised to be out of others' sight", () => {
  const hook = (more: string) => `webhook: {url: "http://billing.example.org"${more}}\n`;
  const secret = `whsec_${"c2VjcmV0".repeat(4)}`;
  expect(() => read(hook(""))).toThrow(
    "webhook.secret is missing: give secret, secret_file or the environment variable MATRIX_SIP_WEBHOOK_SECRET",
  );
  expect(() => read(hook(", secret: c2VjcmV0"))).toThrow(
    /^(?!.*c2VjcmV0).*webhook\.secret should be whsec_ and 24 to 64/,
  );
  expect(read(hook(`, secret: ${secret}`)).webhook).toMatchObject({ secret });
  expect(read(hook(""), { MATRIX_SIP_WEBHOOK_SECRET: secret }).webhook).toMatchObject({ secret });
  expect(advice(hook(`, secret: ${secret}`))).toEqual([expect.stringMatching(/^webhook\.url is not https/)]);
});

test("its port is no other listener's", () => {
  expect(() => read(`admin: {listen: {port: 9994}, token: ${token}}\n`)).toThrow(
    "admin.listen.port is the port of http.listen too",
  );
});

test("metrics that nobody could read, and a token that goes unprotected, are advised against", () => {
  const open = 'http: {listen: {host: "0.0.0.0"}';
  expect(advice(`${open}}\n`)).toEqual([expect.stringMatching(/^http\.listen\.host .*nobody gets \/metrics/)]);
  expect(advice(`${open}, open_metrics: true}\n`)).toEqual([]);
  expect(advice(`${open}}\nadmin: {token: ${token}}\n`)).toEqual([]);
  expect(advice(`admin: {listen: {host: "192.0.2.1", port: 9995}, token: ${token}}\n`)).toEqual([
    expect.stringMatching(/^admin\.listen\.host .*no TLS/),
  ]);
});

test("the socket is beside the database unless systemd has a folder for it or the configuration names a place", () => {
  const at = (more: string, env = {}) => toAdminSocket(read(more), { configPath: "/etc/bridge/config.yaml", env });
  expect(at("")).toBe(resolve("matrix-appservice-sip.sock"));
  expect(at('database: {path: "/var/lib/bridge/calls.db"}\n')).toBe("/var/lib/bridge/calls.sock");
  expect(at('database: {url: "postgres://bridge@localhost/bridge"}\n')).toBe(resolve("matrix-appservice-sip.sock"));
  expect(at("", { RUNTIME_DIRECTORY: "/run/bridge:/run/other" })).toBe("/run/bridge/admin.sock");
  expect(at("admin: {socket: {path: here.sock}}\n")).toBe("/etc/bridge/here.sock");
  expect(at("admin: {socket: {enabled: false}}\n")).toBeUndefined();
});

test("a command looks where systemd would have it too, but not beside a place that the configuration names", () => {
  const places = (more: string) => adminSocketPlaces(read(more), { configPath: "/etc/bridge/config.yaml", env: {} });
  expect(places("")).toEqual([resolve("matrix-appservice-sip.sock"), "/run/matrix-appservice-sip/admin.sock"]);
  expect(places("admin: {socket: {path: here.sock}}\n")).toEqual(["/etc/bridge/here.sock"]);
  expect(places("admin: {socket: {enabled: false}}\n")).toEqual([]);
});

test("admins are Matrix users", () => {
  expect(read('admin: {users: ["@alice:example.org"]}\n').admin.users).toEqual(["@alice:example.org"]);
  expect(() => read("admin: {users: [alice]}\n")).toThrow("admin.users[0] should be a Matrix user id in quotes");
});

test("the console is at the port's address or at the one that the configuration names, and its host name is known", () => {
  const port = `listen: {port: 9995}, token: ${token}`;
  const at = (more: string) => toConsoleUrl(read(`admin: {${port}, console: {${more}}}\n`));
  expect(at("enabled: false")).toBeUndefined();
  expect(at("enabled: true")).toBe("http://127.0.0.1:9995");
  const url = 'enabled: true, url: "https://bridge.example.org/"';
  expect(at(url)).toBe("https://bridge.example.org");
  expect(toAdminPort(read(`admin: {${port}, console: {${url}}}\n`))?.hostNames).toEqual(["bridge.example.org"]);
  expect(() => read("admin: {console: {enabled: true}}\n")).toThrow(
    "admin.console.enabled needs a port: set admin.listen",
  );
  expect(() => at('url: "https://example.org/bridge"')).toThrow("admin.console.url should have no path");
});
