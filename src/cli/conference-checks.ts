// What `--check` asks the homeserver, where it answers and knows the bridge: whether people can call by MatrixRTC. Changes
// nothing there.
import { systemClock } from "../clock/system-clock.ts";
import { toRtc } from "../config/mapping/mapping.ts";
import type { Config } from "../config/schema/schema.ts";
import type { MatrixEdgeOptions } from "../matrix/edge.ts";
import { createTelemetry } from "../telemetry/telemetry.ts";

/** One line for each link that is missing; undefined: it cannot be found out now. Never rejects. */
export async function checkConferences(
  config: Config,
  registration: MatrixEdgeOptions["registration"],
): Promise<readonly string[] | undefined> {
  const rtc = toRtc(config);
  if (rtc === undefined) return [];
  // Most of the program is loaded only where it is used.
  const { createMatrixEdge } = await import("../matrix/edge.ts");
  const matrix = createMatrixEdge({
    registration,
    bot: config.appservice.bot,
    homeserverUrl: config.homeserver.url,
    domain: config.homeserver.domain,
    ...config.appservice.listen,
    rtc,
    telemetry: createTelemetry({ level: "error", maskNumbers: true, ghostPrefix: "", write: () => undefined }),
    clock: systemClock,
  });
  const { homeserver } = matrix;
  try {
    // The bot asks for the token, and is made when the bridge runs for the first time.
    if ((await homeserver.whoAmI()) === undefined || (await homeserver.exists(homeserver.bot)) !== true)
      return undefined;
    return (await homeserver.conferenceProblems()).map(({ line, reason }) => `${line} (${reason})`);
  } catch {
    return undefined;
  } finally {
    await matrix.stop();
  }
}
