// Logging in to the console, logging out, and who asks.
import * as z from "zod";
import { idleMs } from "../access/sessions.ts";
import { AdminError } from "../wire/admin-error.ts";
import { loginOrder, visitor, visitorOf } from "../wire/session.ts";
import { route } from "./route.ts";

export const sessionRoutes = [
  route({
    method: "get",
    at: "/session",
    operation: "whoAmI",
    summary: "Who asks, and how long they stay logged in",
    answer: visitor,
    handle: (_, __, visit) => visitorOf(visit, idleMs),
  }),
  route({
    method: "post",
    at: "/session",
    operation: "logIn",
    summary:
      "Logs in to the console: the answer sets a cookie. For its own pages alone, which send Origin and X-Console. Needs no token otherwise",
    body: loginOrder,
    answer: visitor,
    errors: ["not_found", "unavailable"],
    async handle({ body }, _, { logIn }) {
      if (logIn === undefined) throw new AdminError("not_found", "there is no console here: see admin.console");
      const session = await logIn(body);
      return visitorOf({ who: session.who, session }, idleMs);
    },
  }),
  route({
    method: "delete",
    at: "/session",
    operation: "logOut",
    summary: "Logs out of the console; streams of events that this session opened end",
    answer: z.object({}),
    errors: ["not_found"],
    action: "log out",
    handle(_, __, { session }) {
      if (session === undefined) throw new AdminError("not_found", "this is no session of the console");
      session.end();
      return {};
    },
  }),
];
