// How a user of ours gets a device: the application service makes it and asserts it from then on (MSC4190, MSC4326); where the
// homeserver knows no such thing, the user is logged in, and the device has a token of its own (client-server API, "Appservice
// login"). Which of the two it is, the homeserver's answers say.
import { z } from "zod";
import { localpartOf, type UserId } from "../../core/ids.ts";
import { HomeserverError } from "../../ports/homeserver.ts";
import type { Log } from "../../ports/telemetry.ts";
import {
  badAnswer,
  type DeviceAccess,
  type HomeserverClient,
  type MatrixRequest,
  type Patience,
} from "../client/homeserver-client.ts";

/** Code of the error where the homeserver gives our users no devices in either way. */
export const noDevices = "NO_DEVICES";

const prefix = "SIPBRIDGE_";
const loginType = "m.login.application_service";
const displayName = "Telephone bridge";
/** A call waits. */
const patience: Patience = { again: "repeatable", giveUpAfterMs: 10_000 };
const tidyPatience: Patience = { again: "never", giveUpAfterMs: 10_000 };

const devicesForm = z.object({ devices: z.array(z.object({ device_id: z.string() })).nullable() });
const flowsForm = z.object({ flows: z.array(z.object({ type: z.string() })) });
const loginForm = z.object({ access_token: z.string(), device_id: z.string() });

export class DeviceMaker {
  readonly #client: HomeserverClient;
  readonly #log: Log;
  #way: "asserts" | "logs in" = "asserts";

  constructor(client: HomeserverClient, log: Log) {
    this.#client = client;
    this.#log = log;
  }

  /** @param name tells it from those of before. Throws HomeserverError. */
  async make(user: UserId, name: string): Promise<DeviceAccess> {
    const id = `${prefix}${name}`;
    if (this.#way === "asserts" && (await this.#asserts(user, id))) return { kind: "asserted", id };
    const access = await this.#logIn(user, id);
    this.#way = "logs in";
    return access;
  }

  /** Deletes the devices that no machine belongs to any more. Never rejects. */
  async tidy(user: UserId, current: DeviceAccess): Promise<void> {
    // The others were logged out before this one was logged in.
    if (current.kind === "token") return;
    try {
      for (const id of await this.#devicesOf(user)) {
        if (id === current.id || !id.startsWith(prefix)) continue;
        await this.#client.request(user, { method: "DELETE", path: ["v3", "devices", id], body: {} }, tidyPatience);
      }
    } catch (error) {
      this.#log.debug("could not delete a number's old devices", { user, error });
    }
  }

  /** False where the homeserver lets nobody make a device so. */
  async #asserts(user: UserId, id: string): Promise<boolean> {
    const request: MatrixRequest = { method: "PUT", path: ["v3", "devices", id], body: { display_name: displayName } };
    try {
      await this.#client.request(user, request, patience);
      return true;
    } catch (error) {
      if (!(error instanceof HomeserverError) || !isUnknownDoor(error)) throw error;
      return false;
    }
  }

  async #logIn(user: UserId, id: string): Promise<DeviceAccess> {
    await this.#logOutAll(user);
    const body = {
      type: loginType,
      identifier: { type: "m.id.user", user: localpartOf(user) },
      device_id: id,
      initial_device_display_name: displayName,
    };
    try {
      const answer = await this.#client.request(user, { method: "POST", path: ["v3", "login"], body }, patience);
      const parsed = loginForm.safeParse(answer);
      if (!parsed.success) throw badAnswer("login");
      return { kind: "token", id: parsed.data.device_id, token: parsed.data.access_token };
    } catch (error) {
      if (!(error instanceof HomeserverError) || error.transient || (await this.#offersLogin(user))) throw error;
      throw new HomeserverError(noDevices, error.message, false, { cause: error });
    }
  }

  /** Where it does, a login that fails is a matter of that user alone. Throws HomeserverError. */
  async #offersLogin(user: UserId): Promise<boolean> {
    const answer = await this.#client.request(user, { method: "GET", path: ["v3", "login"] }, patience);
    return (flowsForm.safeParse(answer).data?.flows ?? []).some(({ type }) => type === loginType);
  }

  /** A single device cannot be deleted there without a password: all go, if all are ours. Never rejects. */
  async #logOutAll(user: UserId): Promise<void> {
    try {
      const known = await this.#devicesOf(user);
      if (known.length === 0 || known.some((id) => !id.startsWith(prefix))) return;
      const request: MatrixRequest = { method: "POST", path: ["v3", "logout", "all"], body: {} };
      await this.#client.request(user, request, tidyPatience);
    } catch (error) {
      this.#log.debug("could not log out a number's old devices", { user, error });
    }
  }

  async #devicesOf(user: UserId): Promise<readonly string[]> {
    const answer = await this.#client.request(user, { method: "GET", path: ["v3", "devices"] }, tidyPatience);
    return (devicesForm.parse(answer).devices ?? []).map(({ device_id: id }) => id);
  }
}

const unknown: ReadonlySet<string> = new Set(["M_NOT_FOUND", "M_UNRECOGNIZED", "HTTP_404", "HTTP_405"]);

/** There is no such device, or no such request. Dendrite forbids what it does not know. */
function isUnknownDoor({ code, message }: HomeserverError): boolean {
  return unknown.has(code) || (code === "M_FORBIDDEN" && message.includes("device does not exist"));
}
