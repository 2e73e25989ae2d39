// Limits of minutes and money, and the stop of calls.
import type * as z from "zod";
import { wholeBridge } from "../../../core/policy/spending/allowance.ts";
import type { AdminDoor } from "../../../ports/admin/admin-door.ts";
import type { StopOrder } from "../../../ports/admin/spending-door.ts";
import { StoreError } from "../../../ports/store.ts";
import { AdminError } from "../wire/admin-error.ts";
import {
  allowed,
  allowOrder,
  heldList,
  heldOf,
  limitUseOf,
  limitUses,
  startOrder,
  stopList,
  stopOf,
  stopOrder,
  stopped,
} from "../wire/limits.ts";
import { route } from "./route.ts";

type Whose = Pick<z.output<typeof stopOrder>, "user" | "trunk">;

/** Throws AdminError. */
function scopeOf({ user, trunk }: Whose, door: AdminDoor): StopOrder["scope"] {
  if (user !== undefined && trunk !== undefined)
    throw new AdminError("unprocessable", "user and trunk cannot both be given", { field: "trunk" });
  if (user !== undefined) return { kind: "user", name: user };
  if (trunk === undefined) return { kind: "bridge", name: wholeBridge.name as "" };
  const names = door.trunks().map(({ health }) => health.name);
  if (!names.includes(trunk))
    throw new AdminError("not_found", `there is no such trunk; there are ${names.join(", ")}`, { field: "trunk" });
  return { kind: "trunk", name: trunk };
}

function detailOf({ user, trunk }: Whose): string {
  return user ?? trunk ?? "all calls";
}

export const spendingRoutes = [
  route({
    method: "get",
    at: "/limits/uses",
    operation: "listLimitUses",
    summary: "What is used of limits of minutes and money, today and this month",
    answer: limitUses,
    handle: (_, { door: { spending } }) => ({ currency: spending.currency, uses: spending.uses().map(limitUseOf) }),
  }),
  route({
    method: "get",
    at: "/stops",
    operation: "listStops",
    summary: "Which calls admins have stopped, the latest first",
    answer: stopList,
    handle: (_, { door }) => ({ stops: door.spending.stops().map(stopOf) }),
  }),
  route({
    method: "post",
    at: "/stops",
    operation: "stopCalls",
    summary:
      "Ends outgoing calls and lets none begin, those to emergency numbers excepted, until it is undone; restarts do not undo it",
    body: stopOrder,
    answer: stopped,
    errors: ["not_found", "unprocessable", "unavailable"],
    action: "stop calls",
    detail: ({ body }) => [detailOf(body), ...(body.all ? ["incoming too"] : []), body.reason ?? ""].join(" ").trim(),
    async handle({ body }, { door }, { who }) {
      const scope = scopeOf(body, door);
      if (body.all && scope.kind !== "bridge")
        throw new AdminError("unprocessable", "all goes without user and trunk", { field: "all" });
      try {
        const ended = await door.spending.stop({ scope, inbound: body.all, who, why: body.reason });
        return { ended, stops: door.spending.stops().map(stopOf) };
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        const message = "calls are stopped, but that cannot be stored: a restart of the bridge would undo it";
        throw new AdminError("unavailable", message);
      }
    },
  }),
  route({
    method: "post",
    at: "/stops/remove",
    operation: "startCalls",
    summary: "Lets calls begin again",
    body: startOrder,
    answer: stopList,
    errors: ["not_found", "unprocessable", "unavailable"],
    action: "start calls",
    detail: ({ body }) => detailOf(body),
    async handle({ body }, { door }) {
      const started = await door.spending.start(scopeOf(body, door));
      if (!started) throw new AdminError("not_found", "these calls are not stopped");
      return { stops: door.spending.stops().map(stopOf) };
    },
  }),
  route({
    method: "get",
    at: "/holds",
    operation: "listHolds",
    summary: "Which calls are held because they look like fraud, the latest first",
    answer: heldList,
    handle: (_, { door }) => ({ held: door.spending.held().map(heldOf) }),
  }),
  route({
    method: "post",
    at: "/holds/allow",
    operation: "allowCalls",
    summary: "Lets a person call again where their calls are held; they are not held again there for some days",
    body: allowOrder,
    answer: allowed,
    errors: ["not_found", "unavailable"],
    action: "allow calls",
    detail: ({ body: { user, prefix } }) => [user, ...(prefix === undefined ? [] : [`+${prefix}`])].join(" "),
    async handle({ body: { user, prefix } }, { door }, { who }) {
      const released = await door.spending.allow({ person: user, prefix, who });
      if (released.length === 0) throw new AdminError("not_found", "no such calls of this person are held");
      return { allowed: [...released], held: door.spending.held().map(heldOf) };
    },
  }),
];
