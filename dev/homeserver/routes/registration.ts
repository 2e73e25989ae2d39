// Getting in and out: register, log in, who am I, devices, log out.
import { z } from "zod";
import type { Account } from "../accounts.ts";
import { tokenOf } from "../http/authentication.ts";
import { MatrixError, forbidden, notFound } from "../http/matrix-error.ts";
import type { Appservice } from "../appservice/registration.ts";
import type { Call, Router } from "../http/router.ts";
import { isUserId } from "../rooms/rooms.ts";
import type { World } from "../world.ts";
import { parseBody } from "../world.ts";

const registerSchema = z.object({
  type: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  auth: z.looseObject({ type: z.string().optional() }).optional(),
  device_id: z.string().nullish(),
  initial_device_display_name: z.string().nullish(),
  inhibit_login: z.boolean().default(false),
});

const loginSchema = z.object({
  type: z.string(),
  identifier: z.object({ type: z.literal("m.id.user"), user: z.string() }).optional(),
  user: z.string().optional(),
  password: z.string().optional(),
  device_id: z.string().nullish(),
  initial_device_display_name: z.string().nullish(),
});

const appserviceType = "m.login.application_service";
const grammar = /^[0-9a-z_\-+=./]+$/;

export function addRegistrationRoutes(router: Router, world: World): void {
  const { accounts } = world;

  router.onOpen("POST", "/_matrix/client/v3/register", (call) => {
    const request = parseBody(registerSchema, call.body);
    const token = tokenOf(call.authorization, call.query);
    if (request.type === appserviceType) {
      const account = registerGhost(world, appserviceOf(world, token), request.username);
      return newSession(world, account, request);
    }
    if (token !== undefined) {
      throw new MatrixError(
        400,
        "M_UNKNOWN",
        "An access token should not be provided on requests to /register (except if type is m.login.application_service)",
      );
    }
    const localpart = request.username ?? `u${accountCount(world)}`;
    checkPersonalName(world, localpart);
    if (request.auth?.type !== "m.login.dummy") {
      throw new MatrixError(401, "M_FORBIDDEN", "More steps are needed", {
        flows: [{ stages: ["m.login.dummy"] }],
        params: {},
        session: "dev",
      });
    }
    return newSession(world, accounts.create(localpart, request.password), request);
  });

  router.onOpen("GET", "/_matrix/client/v3/register/available", (call) => {
    checkPersonalName(world, call.query.get("username") ?? "");
    return { available: true };
  });

  router.onOpen("GET", "/_matrix/client/v3/login", () => ({
    flows: [{ type: "m.login.password" }, { type: appserviceType }],
  }));

  router.onOpen("POST", "/_matrix/client/v3/login", (call) => {
    const request = parseBody(loginSchema, call.body);
    const user = request.identifier?.user ?? request.user ?? "";
    const userId = user.startsWith("@") ? user : accounts.userIdOf(user);
    const account = accounts.find(userId);
    if (request.type === appserviceType) {
      const appservice = appserviceOf(world, tokenOf(call.authorization, call.query));
      if (!appservice.ownsUser(userId)) throw exclusive();
      if (!account) throw forbidden("User is not registered");
      return newSession(world, account, request);
    }
    if (request.type !== "m.login.password") {
      throw new MatrixError(400, "M_UNKNOWN", `Unknown login type ${request.type}`);
    }
    if (!account || account.password === undefined || account.password !== request.password) {
      throw forbidden("Invalid username or password");
    }
    return newSession(world, account, request);
  });

  router.on("GET", "/_matrix/client/v3/account/whoami", (_call, { account, deviceId }) => ({
    user_id: account.userId,
    is_guest: false,
    ...(deviceId !== undefined && { device_id: deviceId }),
  }));

  for (const path of ["/_matrix/client/v3/logout", "/_matrix/client/v3/logout/all"]) {
    router.on("POST", path, (_call, { account, deviceId }) => {
      accounts.closeSessions(account, path.endsWith("/all") ? undefined : deviceId);
      return {};
    });
  }

  addDeviceRoutes(router, world);
}

function addDeviceRoutes(router: Router, { accounts }: World): void {
  const path = "/_matrix/client/v3/devices/{deviceId}";
  router.on("GET", "/_matrix/client/v3/devices", (_call, { account }) => ({
    devices: [...account.devices.values()].map(({ deviceId, displayName }) => ({
      device_id: deviceId,
      display_name: displayName ?? null,
    })),
  }));

  router.on("GET", path, (call, { account }) => deviceOf(account, call));

  // MSC4190: only an application service may make a device by naming it.
  router.on("PUT", path, (call, { account, appservice }) => {
    const body = parseBody(z.object({ display_name: z.string().optional() }), call.body);
    if (!appservice) deviceOf(account, call);
    account.putDevice(call.param("deviceId"), body.display_name);
    return {};
  });

  router.on("DELETE", path, (call, { account }) => {
    deviceOf(account, call);
    accounts.closeSessions(account, call.param("deviceId"));
    return {};
  });
}

function deviceOf(account: Account, call: Call) {
  const device = account.devices.get(call.param("deviceId"));
  if (!device) throw notFound("No such device");
  return { device_id: device.deviceId, display_name: device.displayName ?? null };
}

function registerGhost(world: World, appservice: Appservice, username: string | undefined): Account {
  if (username === undefined) throw invalidUsername("Invalid username");
  const userId = world.accounts.userIdOf(username);
  if (!isUserId(userId)) throw invalidUsername("User ID is not valid");
  if (world.strictUserIds && !grammar.test(username)) throw outsideGrammar();
  if (!appservice.ownsUser(userId)) throw exclusive();
  return world.accounts.create(username);
}

function checkPersonalName(world: World, localpart: string): void {
  if (!grammar.test(localpart)) throw outsideGrammar();
  if (localpart.startsWith("_")) throw invalidUsername("User ID may not begin with _");
  const userId = world.accounts.userIdOf(localpart);
  if (!isUserId(userId)) throw invalidUsername("User ID may not be longer than 255 characters");
  if (world.connections.some(({ appservice }) => appservice.ownsUserExclusively(userId))) {
    throw new MatrixError(400, "M_EXCLUSIVE", "This user ID is reserved by an application service.");
  }
  if (world.accounts.find(userId)) {
    throw new MatrixError(400, "M_USER_IN_USE", "User ID already taken.");
  }
}

function appserviceOf({ connections }: World, token: string | undefined): Appservice {
  const found = connections.find(({ appservice }) => appservice.asToken === token);
  if (!found) throw new MatrixError(401, "M_UNKNOWN_TOKEN", "Invalid access token passed.");
  return found.appservice;
}

function newSession(
  { accounts }: World,
  account: Account,
  request: {
    device_id?: string | null | undefined;
    initial_device_display_name?: string | null | undefined;
    inhibit_login?: boolean;
  },
) {
  const identity = { user_id: account.userId, home_server: accounts.domain };
  if (request.inhibit_login) return identity;
  const { accessToken, deviceId } = accounts.openSession(
    account,
    request.device_id ?? undefined,
    request.initial_device_display_name ?? undefined,
  );
  return { ...identity, access_token: accessToken, device_id: deviceId };
}

const accountCount = ({ accounts }: World) => accounts.size + 1;
const invalidUsername = (message: string) => new MatrixError(400, "M_INVALID_USERNAME", message);
const outsideGrammar = () => invalidUsername("User ID can only contain characters a-z, 0-9, or '_-./=+'");
const exclusive = () => new MatrixError(400, "M_EXCLUSIVE", "Invalid user localpart for this application service.");
