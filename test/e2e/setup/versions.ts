// Which real parts the end-to-end tests run against, and where they are found.
import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";

export const CACHE = resolve(import.meta.dirname, "../../../.cache");

export const SYNAPSE_VERSION = "1.160.0";
/** The virtual environment that holds Synapse; its version is in the name, so a new one is made afresh. */
export const SYNAPSE_VENV = join(CACHE, `synapse-${SYNAPSE_VERSION}`);

export const PJSUA2_VERSION = "2.15.1.post1";
export const PJSUA2_VENV = join(CACHE, `pjsua2-${PJSUA2_VERSION}`);

export const PESQ_VERSION = "0.0.4";
export const PESQ_VENV = join(CACHE, `pesq-${PESQ_VERSION}`);

export const SCHEMATHESIS_VERSION = "4.32.5";
export const SCHEMATHESIS_VENV = join(CACHE, `schemathesis-${SCHEMATHESIS_VERSION}`);

export const DENDRITE_VERSION = "0.13.8";
/** Compiled here; its version is in the name of its folder. */
export const DENDRITE = join(CACHE, `dendrite-${DENDRITE_VERSION}`, "dendrite");

export const LIVEKIT_VERSION = "1.13.5";
/** Likewise. From 1.13.6 on its module has `replace` lines, and `go install` refuses it. */
export const LIVEKIT = join(CACHE, `livekit-server-${LIVEKIT_VERSION}`, "server");

/** What compiles them where the machine's own Go is too old. */
export const GO_TOOLCHAIN = "go1.26.8";

export const CHROMIUM = "/usr/bin/chromium";
export const SIPP = "/usr/bin/sipp";
export const KAMAILIO = "/usr/sbin/kamailio";
const machine = process.arch === "arm64" ? "aarch64" : "x86_64";
export const KAMAILIO_MODULES = `/usr/lib/${machine}-linux-gnu/kamailio/modules`;
export const BARESIP = "/usr/bin/baresip";
export const BARESIP_MODULES = "/usr/lib/baresip/modules";
export const OPENSSL = "/usr/bin/openssl";

const POSTGRES = "/usr/lib/postgresql";

/** The folder of PostgreSQL's programs, whichever version this Debian has; the newest if there are several. */
export function postgresPrograms(): string {
  const versions = existsSync(POSTGRES) ? readdirSync(POSTGRES) : [];
  const folders = versions
    .toSorted((one, other) => Number(other) - Number(one))
    .map((name) => join(POSTGRES, name, "bin"));
  return folders.find((folder) => existsSync(join(folder, "initdb"))) ?? join(POSTGRES, "none", "bin");
}

/** Each file that has to be there, and the Debian package that brings it. */
export const NEEDED: Readonly<Record<string, string>> = {
  [CHROMIUM]: "chromium",
  [SIPP]: "sip-tester",
  [KAMAILIO]: "kamailio",
  [`${KAMAILIO_MODULES}/tls.so`]: "kamailio-tls-modules",
  [`${KAMAILIO_MODULES}/websocket.so`]: "kamailio-websocket-modules",
  [BARESIP]: "baresip-core",
  [OPENSSL]: "openssl",
  // PESQ has no wheels: it is compiled.
  "/usr/bin/gcc": "gcc",
  "/usr/bin/python3-config": "python3-dev",
  [join(postgresPrograms(), "postgres")]: "postgresql",
  "/usr/bin/setpriv": "util-linux",
  "/usr/bin/systemd-analyze": "systemd",
};
