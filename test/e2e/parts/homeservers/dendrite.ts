// A real Dendrite on 127.0.0.1: SQLite, no federation, ready in a moment.
import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { DENDRITE } from "../../setup/versions.ts";
import { freePort } from "../../../../dev/loopback/free-ports.ts";
import { answersHttp } from "../base/process.ts";
import { clientApi, type HomeserverOptions, type RealHomeserver } from "./real-homeserver.ts";
import type { Rig } from "../base/rig.ts";

interface DendriteOptions extends HomeserverOptions {
  /** Its rate limits as they are by default; without them unless said so. */
  readonly limits?: "default" | "none";
}

/** With SQLite each component wants a file of its own. */
const databases = (folder: string) => {
  const of = (name: string) => ({ connection_string: `file:${join(folder, `${name}.db`)}` });
  return {
    federation_api: { database: of("federation") },
    key_server: { database: of("keys") },
    media_api: { database: of("media"), base_path: join(folder, "media") },
    mscs: { database: of("mscs"), mscs: [] },
    relay_api: { database: of("relay") },
    room_server: { database: of("rooms") },
    sync_api: { database: of("sync") },
    user_api: { account_database: of("users"), bcrypt_cost: 4 },
  };
};

const configuration = (folder: string, serverName: string, { registrations, limits }: DendriteOptions): string =>
  stringify({
    version: 2,
    global: {
      server_name: serverName,
      private_key: join(folder, "matrix_key.pem"),
      disable_federation: true,
      presence: { enable_inbound: false, enable_outbound: false },
      jetstream: { in_memory: true, storage_path: folder },
    },
    app_service_api: { config_files: registrations ?? [] },
    client_api: {
      registration_disabled: false,
      ...(limits === "default" ? {} : { rate_limiting: { enabled: false } }),
    },
    ...databases(folder),
    logging: [{ type: "std", level: "info" }],
  });

/** The seed of an ed25519 key in the form that Dendrite wants. */
const signingKey = (): string =>
  `-----BEGIN MATRIX PRIVATE KEY-----\nKey-ID: ed25519:test\n\n${randomBytes(32).toString("base64")}\n-----END MATRIX PRIVATE KEY-----\n`;

/** Starts a homeserver with an empty database; it ends with the rig. */
export async function startDendrite(rig: Rig, options: DendriteOptions = {}): Promise<RealHomeserver> {
  const port = options.port ?? (await freePort());
  const serverName = options.serverName ?? "example.org";
  const url = `http://127.0.0.1:${port}`;
  const folder = rig.path(`dendrite-${port}`);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "matrix_key.pem"), signingKey());
  await writeFile(join(folder, "dendrite.yaml"), configuration(folder, serverName, options));
  const homeserver = await rig.start("dendrite", {
    command: DENDRITE,
    args: [
      "-config",
      join(folder, "dendrite.yaml"),
      "-http-bind-address",
      `127.0.0.1:${port}`,
      "-really-enable-open-registration",
    ],
    cwd: folder,
    stopWithinMs: 10_000,
  });
  await homeserver.until("Dendrite to listen", () => answersHttp(`${url}/_matrix/client/versions`), 60_000);
  return {
    url,
    serverName,
    ...clientApi(url),
    async stop() {
      await homeserver.stop();
    },
  };
}
