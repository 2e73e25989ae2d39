// Trunks: how they are, and whether calls may begin over them.
import * as z from "zod";
import { trunkName, type TrunkName } from "../../../core/ids.ts";
import type { AdminDoor } from "../../../ports/admin/admin-door.ts";
import { AdminError } from "../wire/admin-error.ts";
import { route, type Route } from "./route.ts";
import { trunkList } from "../wire/schemas.ts";
import { answerSeries, answerSeriesOf, trunk, trunkOf } from "../wire/bridge.ts";
import { arrived, arrivedOf } from "../wire/explanation.ts";
import { line } from "../wire/scalars.ts";

const path = z.strictObject({ name: line(255).transform(trunkName) });

function none(door: AdminDoor): AdminError {
  const names = door.trunks().map(({ health }) => health.name);
  return new AdminError("not_found", `there is no such trunk; there are ${names.join(", ")}`, { field: "name" });
}

function gateRoute(verb: "pause" | "resume", summary: string): Route {
  return route({
    method: "post",
    at: `/trunks/{name}/${verb}`,
    operation: `${verb}Trunk`,
    summary,
    path,
    answer: trunk,
    errors: ["not_found"],
    action: `${verb} trunk`,
    handle({ path: { name } }, { door }) {
      if (!door[verb](name)) throw none(door);
      return statusOf(name, door);
    },
  });
}

function statusOf(name: TrunkName, door: AdminDoor): z.infer<typeof trunk> {
  const found = door.trunks().find(({ health }) => health.name === name);
  if (found === undefined) throw none(door);
  return trunkOf(found);
}

export const trunkRoutes = [
  route({
    method: "get",
    at: "/trunks",
    operation: "listTrunks",
    summary: "The trunks, how they are and since when",
    answer: trunkList,
    handle: (_, { door }) => ({ trunks: door.trunks().map(trunkOf) }),
  }),
  gateRoute(
    "pause",
    "No call begins over the trunk any more; those that are up go on. Until the bridge is started again",
  ),
  gateRoute("resume", "Calls begin over the trunk again"),
  route({
    method: "get",
    at: "/trunks/{name}/answers",
    operation: "listTrunkAnswers",
    summary: "How long the trunk took to answer OPTIONS, the last hundred times; empty if it is not asked",
    path,
    answer: answerSeries,
    errors: ["not_found"],
    handle({ path: { name } }, { door }) {
      const answers = door.trunkAnswers(name);
      if (answers === undefined) throw none(door);
      return answerSeriesOf(answers);
    },
  }),
  route({
    method: "get",
    at: "/trunks/{name}/explain",
    operation: "explainArrivedNumber",
    summary: "What a number is that comes from the trunk, as caller and as called",
    path,
    query: z.strictObject({ text: line(200).describe("As the trunk sends it") }),
    answer: arrived,
    errors: ["not_found"],
    handle({ path: { name }, query: { text } }, { door }) {
      const explained = door.explain({ text, fromTrunk: name });
      if (explained?.way !== "arrived") throw none(door);
      return arrivedOf(explained.found);
    },
  }),
];
