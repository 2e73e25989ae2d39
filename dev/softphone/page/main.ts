// The page's start: read the config, sign in, wait for the first sync, show the phone.
import type { MatrixClient } from "matrix-js-sdk";
import { ClientEvent, SyncState, createClient } from "matrix-js-sdk";
import type { SoftphoneConfig } from "./config.ts";
import { fetchConfig } from "./config.ts";
import { Phone } from "./phone.ts";
import { statusLine } from "./phone-state.ts";
import { PhoneView } from "./phone-view.ts";
import type { SoftphoneProbe } from "./probe.ts";

const view = new PhoneView(document);

try {
  const config = await fetchConfig();
  const client = await signIn(config);
  const phone = new Phone(client);
  globalThis.softphone = probeOf(phone);
  view.show(phone, config);
  await firstSync(client);
  await phone.start();
} catch (error) {
  console.error(error);
  view.showProblem(`The homeserver cannot be used: ${error instanceof Error ? error.message : "unknown error"}`);
}

async function signIn({ homeserverUrl, user, password }: SoftphoneConfig): Promise<MatrixClient> {
  const anonymous = createClient({ baseUrl: homeserverUrl });
  const login = await anonymous.loginRequest({
    type: "m.login.password",
    identifier: { type: "m.id.user", user },
    password,
    initial_device_display_name: "Softphone",
  });
  return createClient({
    baseUrl: homeserverUrl,
    userId: login.user_id,
    accessToken: login.access_token,
    deviceId: login.device_id,
    // Candidates are there when the call is made, as in Element Web.
    iceCandidatePoolSize: 20,
  });
}

async function firstSync(client: MatrixClient): Promise<void> {
  const synced = new Promise<void>((resolve, reject) => {
    client.on(ClientEvent.Sync, (state, _previous, data) => {
      if (state === SyncState.Prepared) resolve();
      if (state === SyncState.Error && !client.isInitialSyncComplete()) reject(data?.error ?? new Error("sync failed"));
    });
  });
  await client.startClient({ initialSyncLimit: 10, disablePresence: true });
  await synced;
}

function probeOf(phone: Phone): SoftphoneProbe {
  return {
    get state() {
      return phone.state;
    },
    get statusLine() {
      return statusLine(phone.state, Date.now());
    },
    get dialling() {
      return phone.dialling;
    },
    get userId() {
      return phone.userId;
    },
    get messages() {
      return phone.messages;
    },
    get level() {
      return phone.ear.level();
    },
    loudestTone: () => phone.ear.loudestTone(),
  };
}
