// Everything that the doctor looks at, in good health, on loopback: files, a homeserver, a gateway. A test breaks one part.
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { startGateway, type Gateway, type GatewayOptions } from "../../../dev/gateway/gateway.ts";
import { startHomeserver, type HomeserverOptions } from "../../../dev/homeserver/homeserver.ts";
import { freePorts } from "../../../dev/loopback/free-ports.ts";
import { listen } from "../../../dev/loopback/listen.ts";
import { runCommand } from "../../../src/cli/command.ts";
import type { Talk } from "../../../src/cli/doctor/checks/audio.ts";
import { doctor } from "../../../src/cli/doctor/doctor.ts";
import type { DoctorFlags } from "../../../src/cli/doctor/flags.ts";
import type { Terminal } from "../../../src/cli/terminal.ts";

type Json = Readonly<Record<string, unknown>>;

/** What the homeserver's proxy says in its place; undefined: the homeserver answers. */
type Interpose = (
  method: string,
  path: string,
) => { readonly status: number; readonly body?: Json; readonly headers?: Readonly<Record<string, string>> } | undefined;

export interface Breakage {
  /** Changes the configuration; what it does not give stays. */
  readonly config?: (config: ConfigText) => Json;
  readonly homeserver?: Partial<HomeserverOptions>;
  readonly interpose?: Interpose;
  readonly gateway?: GatewayOptions;
  /** Changes the homeserver's copy of the registration; undefined: it has none. */
  readonly registered?: (registration: Registered) => Registered | undefined;
  readonly flags?: (files: Files) => Partial<DoctorFlags>;
  readonly env?: Readonly<Record<string, string>>;
  /** What is heard of the engine's own words; enough, unless given. */
  readonly talk?: Talk;
  /** When all is there, before the doctor comes. */
  readonly before?: (files: Files) => unknown;
}

/** What is done when the test is over. */
export type Ends = (end: () => void | Promise<void>) => void;

export interface Files {
  readonly ends: Ends;
  readonly folder: string;
  readonly config: string;
  readonly registration: string;
  readonly gateway: Gateway;
  readonly homeserverUrl: string;
  readonly ports: { readonly appservice: number; readonly sip: number; readonly rtp: number };
}

export interface ConfigText {
  readonly trunk: Json;
  readonly media: Json;
  readonly all: Json;
  readonly ports: Files["ports"];
}

interface Registered {
  readonly id: string;
  readonly url: string | null;
  readonly as_token: string;
  readonly hs_token: string;
  readonly sender_localpart: string;
  readonly namespaces: { readonly users: readonly Json[] };
}

export interface Checked {
  readonly id: string;
  readonly trunk?: string;
  readonly state: "ok" | "warning" | "failed" | "skipped";
  readonly found?: string;
  readonly problems?: readonly { readonly found: string; readonly mend: string }[];
  readonly because?: string;
  readonly blocked_by?: string;
}

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

const account = { username: "bridge", password: "correct-horse" };

/** A world with that breakage, for one test. */
export async function world(ends: Ends, breakage: Breakage = {}): Promise<Files> {
  const folder = mkdtempSync(join(tmpdir(), "doctor-"));
  ends(() => rmSync(folder, { recursive: true, force: true }));
  const first = await freePorts(24);
  const ports = { appservice: first, sip: first + 2, rtp: first + 4 };
  const paths = { folder, config: join(folder, "config.yaml"), registration: join(folder, "registration.yaml") };
  const gateway = await startGateway({
    auth: { realm: "gateway", users: { [account.username]: account.password } },
    ...breakage.gateway,
  });
  ends(() => gateway.stop());

  const proxy = createServer();
  const homeserverUrl = `http://127.0.0.1:${await listen(proxy)}`;
  writeConfig(paths.config, { homeserverUrl, folder, gateway, ports }, breakage);
  await command(paths, ["-r", "-u", `http://127.0.0.1:${ports.appservice}`]);
  const document = parse(readFileSync(paths.registration, "utf8")) as Registered;
  const registered = breakage.registered === undefined ? document : breakage.registered(document);
  const homeserver = await startHomeserver({
    domain: "example.org",
    registrations: registered === undefined ? [] : [registered as never],
    ...breakage.homeserver,
  });
  ends(() => homeserver.stop());
  proxy.on("request", (asked, response: ServerResponse) => {
    const { method = "GET", url = "/" } = asked;
    const said = breakage.interpose?.(method, decodeURIComponent(url.replace(/\?.*/, "")));
    if (said !== undefined) {
      asked.resume();
      const headers = { "content-type": "application/json", ...said.headers };
      response.writeHead(said.status, headers).end(said.body === undefined ? "" : JSON.stringify(said.body));
      return;
    }
    const { port } = new URL(homeserver.url);
    const passed = request({ host: "127.0.0.1", port, method, path: url, headers: asked.headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    passed.on("error", () => response.destroy());
    asked.pipe(passed);
  });
  ends(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  const files = { ...paths, ends, gateway, homeserverUrl, ports };
  await breakage.before?.(files);
  return files;
}

/** The doctor's findings in that world, as programs read them. */
export async function examine(files: Files, { flags, env, talk }: Breakage = {}): Promise<readonly Checked[]> {
  let out = "";
  const terminal = {
    env: env ?? {},
    out: (text: string) => (out += text),
    err: () => {},
    onSignal: () => {},
    exit: () => {},
  };
  const given = { config: files.config, file: files.registration, json: true, ...flags?.(files) } as const;
  const tools = { talk: talk ?? (async () => ({ packets: 50, lost: 0, codec: "PCMA" })), patience: 3 };
  await doctor(given, terminal, tools);
  return (JSON.parse(out) as { checks: readonly Checked[] }).checks;
}

async function command(
  { config, registration }: Pick<Files, "config" | "registration">,
  argv: readonly string[],
  more: Partial<Terminal> = {},
): Promise<Ran> {
  const said = { out: "", err: "" };
  const terminal: Terminal = {
    env: {},
    out: (text) => void (said.out += text),
    err: (text) => void (said.err += text),
    onSignal: () => {},
    exit: () => {},
    ...more,
  };
  const files = ["-c", config, "-f", registration];
  return { code: await runCommand([...argv, ...files], terminal, () => Promise.reject(new Error("started"))), ...said };
}

interface Around extends Pick<Files, "homeserverUrl" | "folder" | "gateway" | "ports"> {}

function writeConfig(path: string, { homeserverUrl, folder, gateway, ports }: Around, { config }: Breakage): void {
  const trunk = {
    name: "main",
    server: `127.0.0.1:${gateway.port}`,
    listen: { host: "127.0.0.1", port: ports.sip },
    credentials: account,
    registration: {},
  };
  const media = { workers: 1, rtp: { host: "127.0.0.1", ports: { min: ports.rtp, max: ports.rtp + 19 } } };
  const all = {
    homeserver: { url: homeserverUrl, domain: "example.org" },
    appservice: { listen: { port: ports.appservice } },
    http: { listen: { port: 0 } },
    ghosts: { gateway: "sip.example.org" },
    database: { path: join(folder, "bridge.db") },
    dial_plan: { country: "GB" },
    trunks: [trunk],
    media,
    permissions: { "example.org": "call" },
  };
  writeFileSync(path, stringify({ ...all, ...config?.({ trunk, media, all, ports }) }), { mode: 0o600 });
  chmodSync(path, 0o600);
}
