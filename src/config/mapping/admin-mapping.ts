// Where the admin API's socket is: the bridge makes it, and the commands look for it. And who else is told what happens.
import { dirname, join, resolve } from "node:path";
import { defaultDatabasePath } from "../schema/database-schema.ts";
import type { Config } from "../schema/schema.ts";
import type { SecretSources } from "../reading/secrets.ts";

/** systemd names the folder of RuntimeDirectory= so. */
const runtimeDirectory = "RUNTIME_DIRECTORY";
/** As our unit has it, for commands that systemd has not started. */
const usualRuntimeDirectory = "/run/matrix-appservice-sip";
const name = "admin.sock";

/** Undefined: there is none. */
export function toAdminSocket(
  { admin: { socket }, database }: Config,
  { configPath, env }: SecretSources,
): string | undefined {
  if (!socket.enabled) return undefined;
  if (socket.path !== undefined) return resolve(dirname(configPath), socket.path);
  const [runtime] = (env[runtimeDirectory] ?? "").split(":");
  if (runtime) return join(runtime, name);
  const beside = database.url === undefined ? database.path : defaultDatabasePath;
  return `${resolve(beside).replace(/\.(?:db|sqlite3?)$/, "")}.sock`;
}

/** Where a command looks for it, one after the other: the bridge may have been started by systemd, and in another folder. */
export function adminSocketPlaces(config: Config, sources: SecretSources): readonly string[] {
  const path = toAdminSocket(config, sources);
  if (path === undefined) return [];
  return config.admin.socket.path === undefined ? [path, join(usualRuntimeDirectory, name)] : [path];
}

/** Undefined: none. The checks leave no port without a token. */
export function toAdminPort({ admin: { listen, token, host_names: names, console } }: Config) {
  if (listen === undefined || token === undefined) return undefined;
  const hostNames = console.url === undefined ? names : [...names, new URL(console.url).hostname];
  return { ...listen, token, hostNames };
}

/** Where admins' browsers find the console; undefined: there is none. */
export function toConsoleUrl({ admin: { listen, console } }: Config): string | undefined {
  if (!console.enabled || listen === undefined) return undefined;
  if (console.url !== undefined) return console.url;
  const host = listen.host.includes(":") ? `[${listen.host}]` : listen.host;
  return `http://${host}:${listen.port}`;
}

/** Undefined: nobody is told. The checks leave none without a secret. */
export function toWebhook({ webhook }: Config) {
  if (webhook?.secret === undefined) return undefined;
  return { url: webhook.url, secret: webhook.secret, events: new Set(webhook.events) };
}
