// Numbers and whom they ring, what happens to a number, people and what they may.
import * as z from "zod";
import { trunkName } from "../../../core/ids.ts";
import { AdminError } from "../wire/admin-error.ts";
import { route } from "./route.ts";
import { numberList, userList } from "../wire/schemas.ts";
import { limits, limitsOf, numberEntryOf, userOf } from "../wire/bridge.ts";
import { dialled, dialledOf } from "../wire/explanation.ts";
import { line, userParameter } from "../wire/scalars.ts";

export const numberRoutes = [
  route({
    method: "get",
    at: "/numbers",
    operation: "listNumbers",
    summary: "Whom called numbers ring",
    answer: numberList,
    handle: (_, { door }) => ({ numbers: door.numbers().map(numberEntryOf) }),
  }),
  route({
    method: "get",
    at: "/numbers/explain",
    operation: "explainNumber",
    summary: "What happens to a number that is dialled. Calls nobody",
    query: z.strictObject({
      text: line(200).describe("As people dial it"),
      as: userParameter.optional().describe("Who dials it; missing: somebody who may call"),
      trunk: line(255).transform(trunkName).optional().describe("As if the call went over this trunk"),
    }),
    answer: dialled,
    errors: ["not_found"],
    handle({ query: { text, as: person, trunk } }, { door }) {
      const explained = door.explain({ text, person, trunk });
      if (explained?.way !== "dialled") throw new AdminError("not_found", "there is no such trunk", { field: "trunk" });
      return dialledOf(explained.found);
    },
  }),
  route({
    method: "get",
    at: "/users",
    operation: "listUsers",
    summary: "Whom permissions name and whom numbers ring, and what they may",
    answer: userList,
    handle: (_, { door }) => ({ users: door.users().map(userOf) }),
  }),
  route({
    method: "get",
    at: "/limits",
    operation: "getLimits",
    summary: "The limits, and how much of them is used",
    answer: limits,
    handle: (_, { door }) => limitsOf(door.limits()),
  }),
];
