// Which real parts the end-to-end tests run against, and where they are found.
import { join, resolve } from "node:path";

export const CACHE = resolve(import.meta.dirname, "../../../.cache");

export const SYNAPSE_VERSION = "1.160.0";
/** The virtual environment that holds Synapse; its version is in the name, so a new one is made afresh. */
export const SYNAPSE_VENV = join(CACHE, `synapse-${SYNAPSE_VERSION}`);

/** Each command that has to be there, and the Debian package that brings it. */
export const COMMANDS: Readonly<Record<string, string>> = {
  "/usr/bin/chromium": "chromium",
  "/usr/bin/sipp": "sip-tester",
  "/usr/sbin/kamailio": "kamailio",
  "/usr/bin/baresip": "baresip-core",
  "/usr/bin/setpriv": "util-linux",
};

export const CHROMIUM = "/usr/bin/chromium";
export const SIPP = "/usr/bin/sipp";
export const KAMAILIO = "/usr/sbin/kamailio";
export const BARESIP = "/usr/bin/baresip";
export const BARESIP_MODULES = "/usr/lib/baresip/modules";
