// Everything that the admin API can be asked, but for its events (event-stream.ts) and its own description (openapi.ts).
import type { Route } from "./route.ts";
import { blockRoutes } from "./blocks.ts";
import { callRoutes } from "./calls.ts";
import { ladderRoutes } from "./ladders.ts";
import { numberRoutes } from "./numbers.ts";
import { operationRoutes } from "./operation.ts";
import { sessionRoutes } from "./session.ts";
import { spendingRoutes } from "./spending.ts";
import { testCallRoutes } from "./test-calls.ts";
import { trunkRoutes } from "./trunks.ts";

export const routes: readonly Route[] = [
  ...callRoutes,
  ...ladderRoutes,
  ...testCallRoutes,
  ...trunkRoutes,
  ...numberRoutes,
  ...blockRoutes,
  ...spendingRoutes,
  ...operationRoutes,
  ...sessionRoutes,
];
