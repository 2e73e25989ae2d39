// Tells the homeserver of the identities of our users. Some want a password for that, which no user of ours has: devices there
// are signed by an identity that nobody knows, and count as not signed.
import { z } from "zod";
import type { UserId } from "../../core/ids.ts";
import { HomeserverError } from "../../ports/homeserver.ts";
import type { Log } from "../../ports/telemetry.ts";
import type { HomeserverClient, Patience } from "../client/homeserver-client.ts";
import type { Identity } from "./cross-signing.ts";

const patience: Patience = { again: "repeatable", giveUpAfterMs: 10_000 };
/** What a request is answered with that wants more authentication (client-server API, "User-Interactive Authentication API"). */
const wantsPassword = "HTTP_401";

const queryForm = z.object({
  master_keys: z
    .record(z.string(), z.object({ keys: z.record(z.string(), z.string()) }))
    .optional()
    .catch(undefined),
});

export class Identities {
  readonly #client: HomeserverClient;
  readonly #log: Log;
  #refusals = 0;

  constructor(client: HomeserverClient, log: Log) {
    this.#client = client;
    this.#log = log;
  }

  /** Unless the homeserver has it already. Throws HomeserverError. */
  async publish(user: UserId, identity: Identity): Promise<void> {
    const query = { device_keys: { [user]: [] } };
    const asked = await this.#client.request(
      user,
      { method: "POST", path: ["v3", "keys", "query"], body: query },
      patience,
    );
    const known = queryForm.safeParse(asked).data?.master_keys?.[user]?.keys;
    if (known !== undefined && identity.id in known) return;
    if (known !== undefined)
      this.#log.warn("a number gets a new identity: the bridge's secret is another one", { user });
    try {
      const path = ["v3", "keys", "device_signing", "upload"];
      await this.#client.request(user, { method: "POST", path, body: identity.published }, patience);
    } catch (error) {
      if (!(error instanceof HomeserverError) || error.code !== wantsPassword) throw error;
      this.#refuse(user);
    }
  }

  #refuse(user: UserId): void {
    this.#refusals += 1;
    const level = this.#refusals === 1 ? "warn" : "debug";
    this.#log[level](
      "the homeserver takes no identities of numbers: clients that send to verified devices only cannot call or text them in encrypted rooms",
      { user },
    );
  }
}
