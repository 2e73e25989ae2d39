// The person who is logged in on the page, for all kinds of calls.
import { createClient, type MatrixClient } from "matrix-js-sdk";
import { ClientEvent } from "matrix-js-sdk/lib/client.js";
import { SyncState } from "matrix-js-sdk/lib/sync.js";
import type { LoginOptions, Phone } from "./api.ts";

type Session = NonNullable<LoginOptions["session"]>;

let client: MatrixClient | undefined;

export function theClient(): MatrixClient {
  if (client === undefined) throw new Error("nobody is logged in");
  return client;
}

function synced(of: MatrixClient): Promise<void> {
  return new Promise((resolve, reject) => {
    of.on(ClientEvent.Sync, (state, _before, data) => {
      if (state === SyncState.Prepared) resolve();
      if (state === SyncState.Error) reject(new Error("sync failed", { cause: data?.error }));
    });
  });
}

async function byPassword({ homeserver: baseUrl, user, password }: LoginOptions): Promise<Session> {
  const session = await createClient({ baseUrl }).loginRequest({
    type: "m.login.password",
    identifier: { type: "m.id.user", user },
    password,
  });
  return { accessToken: session.access_token, userId: session.user_id, deviceId: session.device_id };
}

/**
 * Logs in and waits for the first sync.
 * @param prepare given the client before it syncs
 */
export async function logIn(
  options: LoginOptions,
  prepare: (client: MatrixClient) => Promise<void>,
): ReturnType<Phone["login"]> {
  const session = options.session ?? (await byPassword(options));
  client = createClient({ baseUrl: options.homeserver, ...session, fallbackICEServerAllowed: false });
  await prepare(client);
  const ready = synced(client);
  await client.startClient({ initialSyncLimit: 20 });
  await ready;
  return { userId: session.userId, deviceId: session.deviceId };
}
