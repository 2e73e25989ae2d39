// deploy/compose as far as it goes without a container engine: setup.sh runs, with the bridge's own commands in the place of
// `docker compose run bridge`, and what it makes is held against compose.yaml.
import { execFile } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { adviseOn, adviseOnRegistration } from "../../src/config/checks/advice.ts";
import { loadConfig } from "../../src/config/load.ts";
import { toRegistrationFacts } from "../../src/config/mapping/mapping.ts";
import { loadRegistration } from "../../src/config/registration/registration.ts";

const root = join(import.meta.dirname, "../..");

interface Service {
  readonly image?: string;
  readonly build?: string;
  readonly network_mode?: string;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly healthcheck?: object;
  readonly command?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}

/** Runs the bridge in the folder that stands for /data, and notes the rest. */
const docker = `#!/bin/sh
set -e
echo "$*" >>"$PLACE/asked"
case "$*" in
"compose run --rm --no-deps bridge "*)
  shift 5
  for word; do
    shift
    set -- "$@" "$(printf %s "$word" | sed "s|^/data/|$PLACE/data/bridge/|")"
  done
  exec "$NODE" "$ROOT/src/main.ts" "$@"
  ;;
"compose run --rm --no-deps synapse generate") echo "server_name: example.org" >"$PLACE/data/synapse/homeserver.yaml" ;;
esac
`;

let place: string;
let services: Readonly<Record<string, Service>>;
const textOf = (path: string): string => readFileSync(join(place, path), "utf8");
const owner = process.getuid?.() === 0 ? 54_321 : (process.getuid?.() ?? 0);

async function setUp(): Promise<string> {
  const env = {
    PATH: `${join(place, "bin")}${delimiter}${process.env["PATH"] ?? ""}`,
    PLACE: place,
    ROOT: root,
    NODE: process.execPath,
  };
  const { stdout } = await promisify(execFile)("sh", [join(place, "setup.sh")], { env });
  return stdout;
}

let said: string;

beforeAll(async () => {
  place = mkdtempSync(join(tmpdir(), "compose-"));
  cpSync(join(root, "deploy/compose"), place, {
    recursive: true,
    filter: (path) => !/\/(?:data|\.env)$/.test(path),
  });
  mkdirSync(join(place, "bin"));
  writeFileSync(join(place, "bin/docker"), docker);
  chmodSync(join(place, "bin/docker"), 0o755);
  const example = textOf(".env.example").replace("OWNER_UID=1000", `OWNER_UID=${owner}`);
  writeFileSync(join(place, ".env"), example);
  services = (parse(textOf("compose.yaml")) as { services: Record<string, Service> }).services;
  said = await setUp();
});

afterAll(() => rmSync(place, { recursive: true, force: true }));

/** The files and folders of this machine that a service sees, by where it sees them. */
const mountsOf = (name: string): ReadonlyMap<string, string> =>
  new Map(
    (services[name]?.volumes ?? []).flatMap((volume) => {
      const [from = "", to = ""] = volume.split(":");
      return from.startsWith(".") ? [[to, from] as const] : [];
    }),
  );

const load = () => loadConfig(join(place, "data/bridge/config.yaml"), {});

describe("the compose file", () => {
  it("has each part, with a fixed version and a healthcheck", () => {
    expect(Object.keys(services).toSorted()).toEqual(["asterisk", "bridge", "element", "postgres", "synapse"]);
    for (const [name, { image = "", build, healthcheck }] of Object.entries(services)) {
      if (build !== undefined) {
        expect(readFileSync(join(root, "deploy/compose", build, "Dockerfile"), "utf8")).toContain("HEALTHCHECK");
        continue;
      }
      expect(image, name).toMatch(/:v?\d+\.\d+/);
      expect(healthcheck, name).toBeDefined();
    }
  });

  it("mounts only what is there after setup.sh", () => {
    const volumes = Object.values(services).flatMap((service) => service.volumes ?? []);
    const sources = volumes.map((volume) => volume.split(":")[0] ?? "").filter((path) => path.startsWith("."));
    expect(sources).not.toEqual([]);
    expect(sources.filter((path) => !existsSync(join(place, path)))).toEqual([]);
  });

  it("gives Synapse each file that it is told to read", () => {
    const own = parse(textOf("synapse/telephone.yaml")) as {
      app_service_config_files: readonly string[];
      database: { args: { passfile: string } };
      listeners: readonly { port: number; bind_addresses: readonly string[] }[];
    };
    const named = (services["synapse"]?.command ?? []).map((word) => word.replace(/^--config-path=/, "")).slice(1);
    const mounts = mountsOf("synapse");
    const seen = (path: string): boolean =>
      mounts.has(path) || (mounts.has(dirname(path)) && path.startsWith("/data/"));
    expect(
      [...named, ...own.app_service_config_files, own.database.args.passfile].filter((path) => !seen(path)),
    ).toEqual([]);
    expect(mounts.get(own.app_service_config_files[0] ?? "")).toBe("./data/bridge/registration.yaml");
    const { hostname, port } = new URL(load().homeserver.url);
    expect(own.listeners.map((listener) => [listener.bind_addresses, listener.port])).toEqual([
      [[hostname], Number(port)],
    ]);
    expect(services["synapse"]?.depends_on?.["bridge"]).toEqual({ condition: "service_healthy" });
  });

  it("opens nothing but Asterisk and the bridge's audio to others", () => {
    expect(services["element"]?.ports).toEqual(["127.0.0.1:8080:80"]);
    expect(services["postgres"]?.command).toContain("listen_addresses=127.0.0.1");
    const { appservice, http, trunks, media } = load();
    const hosts = [appservice.listen.host, http.listen.host, trunks[0]?.listen.host, media.rtp.host];
    expect(hosts).toEqual(["127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.1"]);
  });
});

describe("setup.sh", () => {
  it("makes a configuration and a registration without a warning", () => {
    expect(said.match(/: good$/gm)).toHaveLength(2);
    expect(said).not.toContain("warning:");
    const config = load();
    expect(adviseOn(config)).toEqual([]);
    const registration = loadRegistration(join(place, "data/bridge/registration.yaml"), toRegistrationFacts(config));
    expect([...adviseOnRegistration(registration, config, config.appservice.listen.port)]).toEqual([]);
    expect(registration.url).toBe("http://127.0.0.1:9993");
  });

  it("gives Asterisk the bridge's account, and the bridge Asterisk's address and ports of its own", () => {
    const { trunks, media, inbound } = load();
    const pjsip = textOf("data/pjsip.conf");
    expect(pjsip).toContain(
      `username=${trunks[0]?.credentials?.username}\npassword=${trunks[0]?.credentials?.password}\n`,
    );
    expect(pjsip).toContain(`bind=0.0.0.0:${trunks[0]?.server.split(":")[1]}\n`);
    expect(textOf("data/extensions.conf")).toContain(`exten => ${inbound.numbers[0]?.number},1,Dial(`);
    expect(`${pjsip}${textOf("data/extensions.conf")}`).not.toMatch(/@[A-Z]+@/);
    const last = Number(/^rtpend=(\d+)$/m.exec(textOf("asterisk/rtp.conf"))?.[1]);
    expect(last).toBeLessThan(media.rtp.ports.min);
  });

  it("keeps secrets to their owner, and none in what is shipped", () => {
    for (const path of ["data", "data/postgres-password", "data/pgpass", "data/bridge/registration.yaml"])
      expect(statSync(join(place, path)).mode & 0o077, path).toBe(0);
    expect(textOf("data/pgpass")).toBe(`127.0.0.1:5432:synapse:synapse:${textOf("data/postgres-password")}\n`);
    expect(textOf("asterisk/pjsip.conf")).toContain("password=@PASSWORD@\n");
    expect(said).not.toContain(textOf("data/bridge/asterisk-password").trim());
  });

  it("changes nothing when it runs again", async () => {
    const files = ["data/bridge/config.yaml", "data/bridge/registration.yaml", "data/pjsip.conf", "data/pgpass"];
    const before = files.map(textOf);
    await setUp();
    expect(files.map(textOf)).toEqual(before);
    expect(textOf("asked").match(/ init /g)).toHaveLength(1);
    expect(textOf("asked").match(/synapse generate/g)).toHaveLength(1);
  });

  it("lets people dial the echo of Asterisk's dial plan", async () => {
    const config = join(place, "data/bridge/config.yaml");
    const argv = [join(root, "src/main.ts"), "number", "explain", "600", "--as", "@alice:example.org", "-c", config];
    const { stdout } = await promisify(execFile)(process.execPath, argv);
    expect(stdout).toMatch(/^Result +the call goes out$/m);
    expect(textOf("data/extensions.conf")).toContain("exten => 600,1,Answer()");
  });
});
