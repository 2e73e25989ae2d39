// Names and pictures of users.
import { z } from "zod";
import type { Account } from "../accounts.ts";
import { forbidden, notFound } from "../http/matrix-error.ts";
import type { Router } from "../http/router.ts";
import type { World } from "../world.ts";
import { parseBody } from "../world.ts";

const fields = ["displayname", "avatar_url"] as const;

export function addProfileRoutes(router: Router, { accounts, rooms }: World): void {
  const path = "/_matrix/client/v3/profile/{userId}";
  const accountOf = (userId: string) => {
    const account = accounts.find(userId);
    if (!account) throw notFound("Profile was not found");
    return account;
  };

  router.onOpen("GET", path, (call) => profileOf(accountOf(call.param("userId"))));

  for (const field of fields) {
    router.onOpen("GET", `${path}/${field}`, (call) => {
      const value = profileOf(accountOf(call.param("userId")))[field];
      return value === undefined ? {} : { [field]: value };
    });

    router.on("PUT", `${path}/${field}`, (call, { account }) => {
      if (call.param("userId") !== account.userId) {
        throw forbidden("Cannot set another user's profile");
      }
      const body = parseBody(z.record(z.string(), z.unknown()), call.body);
      const value = parseBody(z.object({ value: z.string().max(1000) }), { value: body[field] }).value;
      if (field === "displayname") account.displayname = value === "" ? undefined : value;
      else account.avatarUrl = value === "" ? undefined : value;
      rooms.publishProfile(account);
      return {};
    });
  }
}

function profileOf(account: Account): { displayname?: string; avatar_url?: string } {
  return {
    ...(account.displayname !== undefined && { displayname: account.displayname }),
    ...(account.avatarUrl !== undefined && { avatar_url: account.avatarUrl }),
  };
}
