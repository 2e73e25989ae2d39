// What clients ask about other networks, and the ping by which a service finds out
// whether it can be reached.
import { z } from "zod";
import { MatrixError, forbidden } from "../http/matrix-error.ts";
import type { Router } from "../http/router.ts";
import type { World } from "../world.ts";
import { parseBody } from "../world.ts";

export function addThirdPartyRoutes(router: Router, world: World): void {
  const base = "/_matrix/client/v3/thirdparty";

  router.on("GET", `${base}/protocols`, () => world.thirdParty.protocols());

  router.on("GET", `${base}/protocol/{protocol}`, async (call) => {
    const protocol = await world.thirdParty.protocol(call.param("protocol"));
    if (!protocol) throw new MatrixError(404, "M_NOT_FOUND", "Unknown protocol");
    return protocol;
  });

  for (const kind of ["user", "location"] as const) {
    router.on("GET", `${base}/${kind}/{protocol}`, (call) =>
      world.thirdParty.lookUp(kind, call.param("protocol"), call.query),
    );
    // The reverse lookup names no protocol, so no service is asked.
    router.on("GET", `${base}/${kind}`, () => []);
  }

  router.on("POST", "/_matrix/client/v1/appservice/{id}/ping", async (call, { appservice }) => {
    if (!appservice || appservice.id !== call.param("id")) {
      throw forbidden("Only the application service itself may ping itself");
    }
    return ping(world, appservice.id, call.body);
  });
}

// Application-service API "Pinging": a success also ends the wait for the next retry.
async function ping(world: World, appserviceId: string, body: { readonly [key: string]: unknown }) {
  const { transaction_id } = parseBody(z.object({ transaction_id: z.string().optional() }), body);
  const connection = world.connections.find(({ appservice }) => appservice.id === appserviceId);
  if (!connection || connection.appservice.url === null) {
    throw new MatrixError(400, "M_URL_NOT_SET", "The application service does not have a URL set");
  }
  const startedMs = performance.now();
  const answer = await connection.send("POST", "/ping", {
    ...(transaction_id !== undefined && { transaction_id }),
  });
  if (answer.outcome === "timed out") {
    throw new MatrixError(504, "M_CONNECTION_TIMEOUT", "Connection timed out");
  }
  if (answer.outcome === "unreachable") {
    throw new MatrixError(502, "M_CONNECTION_FAILED", answer.cause.message);
  }
  if (answer.outcome === "refused") {
    throw new MatrixError(502, "M_BAD_STATUS", `Status ${answer.status} instead of 200`, {
      status: answer.status,
      body: JSON.stringify(answer.body ?? ""),
    });
  }
  world.pusher.queue(appserviceId)?.retryNow();
  return { duration_ms: Math.round(performance.now() - startedMs) };
}
