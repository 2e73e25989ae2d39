// Who is asking: a person by access token, or an application service by its as_token, as
// its sender or as the user that `?user_id=` names (application-service API "Identity
// assertion").
import type { Account, Accounts } from "../accounts.ts";
import { Account as DetachedAccount } from "../accounts.ts";
import { MatrixError, forbidden } from "./matrix-error.ts";
import type { Appservice } from "../appservice/registration.ts";

export type Requester = {
  readonly account: Account;
  readonly deviceId: string | undefined;
  readonly appservice: Appservice | undefined;
  /** Whose transaction ids these are. All ghosts of a service share one space. */
  readonly key: string;
};

export function authenticate(
  accounts: Accounts,
  appservices: readonly Appservice[],
  authorization: string | undefined,
  query: URLSearchParams,
): Requester {
  const token = tokenOf(authorization, query);
  if (token === undefined) throw new MatrixError(401, "M_MISSING_TOKEN", "Missing access token");
  const appservice = appservices.find(({ asToken }) => asToken === token);
  if (appservice) return asAppservice(accounts, appservice, query);
  const session = accounts.session(token);
  if (!session) {
    throw new MatrixError(401, "M_UNKNOWN_TOKEN", "Invalid access token passed.", {
      soft_logout: false,
    });
  }
  const { account, deviceId } = session;
  const key = `device|${account.userId}|${deviceId}`;
  return { account, deviceId, appservice: undefined, key };
}

/** The token of a header or, as older clients do, of the query. */
export function tokenOf(authorization: string | undefined, query: URLSearchParams): string | undefined {
  const bearer = /^Bearer +(\S+)$/.exec(authorization ?? "")?.[1];
  return bearer ?? query.get("access_token") ?? undefined;
}

function asAppservice(accounts: Accounts, appservice: Appservice, query: URLSearchParams): Requester {
  const userId = query.get("user_id") ?? appservice.senderId;
  if (!appservice.ownsUser(userId)) {
    throw forbidden(`Application service cannot masquerade as this user (${userId}).`);
  }
  const account = accounts.find(userId) ?? unregisteredSender(appservice, userId);
  if (!account) {
    throw forbidden(`Application service has not registered this user (${userId})`);
  }
  const deviceId = query.get("device_id") ?? query.get("org.matrix.msc3202.device_id") ?? undefined;
  if (deviceId !== undefined && !account.devices.has(deviceId)) {
    throw new MatrixError(
      400,
      "M_UNKNOWN_DEVICE",
      `Application service trying to use a device that doesn't exist (${userId}'s ${deviceId})`,
    );
  }
  return { account, deviceId, appservice, key: `appservice|${appservice.id}` };
}

// The sender may be used before it is registered; only registering makes it exist.
function unregisteredSender(appservice: Appservice, userId: string): Account | undefined {
  if (userId !== appservice.senderId) return undefined;
  return new DetachedAccount(userId, userId.slice(1, userId.indexOf(":")));
}
