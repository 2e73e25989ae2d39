// Looks once, when the homeserver is there, whether calls at media servers can work: otherwise people would find out, by calls
// that ring for ever.
import type { Homeserver } from "../../ports/homeserver.ts";
import type { Log } from "../../ports/telemetry.ts";

/** Gives a note for the operator; undefined where nothing is wrong. Never rejects. */
export async function checkConferences(
  homeserver: Pick<Homeserver, "conferenceProblems">,
  log: Log,
): Promise<string | undefined> {
  const problems = await homeserver.conferenceProblems();
  for (const { line, reason } of problems) log.warn(line, { reason });
  return problems.length === 0 ? undefined : problems.map(({ line, reason }) => `${line} (${reason})`).join("; ");
}
