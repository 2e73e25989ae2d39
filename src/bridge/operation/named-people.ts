// Checks that the people whom the configuration names exist on the homeserver. If not, nothing ever rings for them.
import { domainOf, type UserId } from "../../core/ids.ts";
import type { Homeserver } from "../../ports/homeserver.ts";
import type { Log } from "../../ports/telemetry.ts";

/** One after the other, so that a long table is no burden. Never rejects. */
export async function checkNamedPeople(
  people: Iterable<UserId>,
  homeserver: Pick<Homeserver, "domain" | "exists">,
  log: Log,
  stopped: AbortSignal,
): Promise<void> {
  for (const person of people) {
    if (stopped.aborted) return;
    if (domainOf(person) !== homeserver.domain) continue;
    if ((await homeserver.exists(person)) === false)
      log.warn("user in inbound.numbers does not exist on the homeserver: calls to them ring nobody", { user: person });
  }
}
