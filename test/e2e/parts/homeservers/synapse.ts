// A real Synapse on 127.0.0.1: SQLite, no federation, rate limits out of the way, ready in about 3 s.
import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { SYNAPSE_VENV } from "../../setup/versions.ts";
import { freePort } from "../../../../dev/loopback/free-ports.ts";
import { answersHttp } from "../base/process.ts";
import type { AuthenticationService } from "./authentication-service.ts";
import { clientApi, type HomeserverOptions, type RealHomeserver } from "./real-homeserver.ts";
import type { Rig } from "../base/rig.ts";

export interface SynapseOptions extends HomeserverOptions {
  /** Every new room is encrypted, as some servers are configured. */
  readonly encryptByDefault?: boolean;
  /** It joins people of its own to the direct rooms that they are invited to. */
  readonly acceptInvites?: boolean;
  /** It pushes keys to application services that ask for them. */
  readonly pushesKeys?: boolean;
  /** It answers other servers too, as one does that is just installed: so it says who it is. */
  readonly federates?: boolean;
  /** People log in there. */
  readonly authentication?: AuthenticationService;
  /** Rooms have MatrixRTC calls at the media server that this token service lets people into. */
  readonly livekitServiceUrl?: string;
}

export interface Synapse extends RealHomeserver {
  /** What it has been asked for, oldest first, as `GET /_matrix/client/v3/sync?...`. */
  requests(): readonly string[];
}

const UNLIMITED = { per_second: 1000, burst_count: 10_000 };

const configuration = (folder: string, port: number, serverName: string, options: SynapseOptions): string =>
  stringify({
    server_name: serverName,
    public_baseurl: `http://127.0.0.1:${port}/`,
    listeners: [
      // Clients, and services that ask who somebody is.
      {
        port,
        bind_addresses: ["127.0.0.1"],
        type: "http",
        tls: false,
        resources: [{ names: ["client", options.federates === true ? "federation" : "openid"] }],
      },
    ],
    database: { name: "sqlite3", args: { database: join(folder, "homeserver.db") } },
    log_config: join(folder, "log.yaml"),
    media_store_path: join(folder, "media"),
    signing_key_path: join(folder, "signing.key"),
    macaroon_secret_key: randomBytes(24).toString("base64url"),
    form_secret: randomBytes(24).toString("base64url"),
    report_stats: false,
    ...(options.authentication === undefined
      ? { enable_registration: true, enable_registration_without_verification: true }
      : {
          matrix_authentication_service: {
            enabled: true,
            endpoint: `${options.authentication.url}/`,
            secret: options.authentication.secret,
          },
        }),
    bcrypt_rounds: 4, // a password costs a test 300 ms otherwise
    trusted_key_servers: [],
    suppress_key_server_warning: true,
    federation_domain_whitelist: [],
    presence: { enabled: false },
    app_service_config_files: options.registrations ?? [],
    encryption_enabled_by_default_for_room_type: options.encryptByDefault === true ? "all" : "off",
    ...(options.acceptInvites === true && {
      auto_accept_invites: { enabled: true, only_for_direct_messages: true, only_from_local_users: true },
    }),
    experimental_features: {
      ...(options.pushesKeys === true && {
        msc2409_to_device_messages_enabled: true,
        msc3202_transaction_extensions: true,
      }),
      ...(options.livekitServiceUrl !== undefined && MATRIX_RTC),
    },
    ...(options.livekitServiceUrl !== undefined && {
      max_event_delay_duration: "24h",
      matrix_rtc: { transports: [{ type: "livekit", livekit_service_url: options.livekitServiceUrl }] },
    }),
    rc_message: UNLIMITED,
    rc_registration: UNLIMITED,
    rc_joins: { local: UNLIMITED, remote: UNLIMITED },
    rc_joins_per_room: UNLIMITED,
    rc_invites: { per_room: UNLIMITED, per_user: UNLIMITED, per_issuer: UNLIMITED },
    rc_login: { address: UNLIMITED, account: UNLIMITED, failed_attempts: UNLIMITED },
    rc_room_creation: UNLIMITED,
    rc_presence: { per_user: UNLIMITED },
    rc_delayed_event_mgmt: UNLIMITED,
  });

/** Which media server there is (MSC4143), state as it is after a sync (MSC4222), room summaries, sticky events (MSC4354). */
const MATRIX_RTC = { msc4143_enabled: true, msc4222_enabled: true, msc3266_enabled: true, msc4354_enabled: true };

const LOGGING = stringify({
  version: 1,
  formatters: { line: { format: "%(asctime)s %(levelname)s %(name)s %(request)s %(message)s" } },
  filters: { context: { "()": "synapse.logging.context.LoggingContextFilter" } },
  handlers: { console: { class: "logging.StreamHandler", formatter: "line", filters: ["context"] } },
  root: { level: "INFO", handlers: ["console"] },
  disable_existing_loggers: false,
});

/** Starts a homeserver with an empty database; it ends with the rig. */
export async function startSynapse(rig: Rig, options: SynapseOptions = {}): Promise<Synapse> {
  const port = options.port ?? (await freePort());
  const serverName = options.serverName ?? "example.org";
  const url = `http://127.0.0.1:${port}`;
  const folder = rig.path(`synapse-${port}`);
  await mkdir(folder, { recursive: true });
  const seed = randomBytes(32).toString("base64").replace(/=+$/, "");
  await writeFile(join(folder, "signing.key"), `ed25519 a_test ${seed}\n`);
  await writeFile(join(folder, "log.yaml"), LOGGING);
  await writeFile(join(folder, "homeserver.yaml"), configuration(folder, port, serverName, options));

  const python = join(SYNAPSE_VENV, "bin", "python");
  const homeserver = await rig.start("synapse", {
    command: python,
    args: ["-m", "synapse.app.homeserver", "-c", join(folder, "homeserver.yaml")],
    cwd: folder,
    stopWithinMs: 10_000,
  });
  await homeserver.until("Synapse to listen", () => answersHttp(`${url}/_matrix/client/versions`), 60_000);

  const api = clientApi(url);
  const { authentication } = options;
  return {
    url,
    serverName,
    ...api,
    ...(authentication !== undefined && {
      register: (localpart) => authentication.register(api, serverName, localpart),
    }),
    requests: () =>
      [...homeserver.log.text.matchAll(/"(GET|POST|PUT|DELETE) (\S+) HTTP/g)].map(
        ([, method, path]) => `${method} ${path}`,
      ),
    async stop() {
      await homeserver.stop();
    },
  };
}
