// What the bridge does when it first meets its homeserver: registers its bot, tries whether ghosts' ids are taken the way
// they are written, and pings. A refusal is final and says what to change; an absent homeserver is waited for.
import type { GhostIds } from "../core/number/ghost-id.ts";
import type { UserId } from "../core/ids.ts";
import type { Clock } from "../ports/clock.ts";
import { HomeserverError, type Homeserver, type PingOutcome } from "../ports/homeserver.ts";
import type { Settings } from "../ports/store.ts";
import type { Log } from "../ports/telemetry.ts";

/** The homeserver will not work with this configuration, however often it is asked. */
class IntroductionError extends Error {
  override readonly name = "IntroductionError";
  readonly code: "encoding-refused" | "token-refused" | "namespace-refused" | "refused";
  constructor(code: IntroductionError["code"], message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

export interface IntroductionParts {
  readonly homeserver: Homeserver;
  readonly ids: GhostIds;
  readonly encoding: string;
  readonly botName: string;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly log: Log;
}

const firstRetryMs = 1_000;
const longestRetryMs = 30_000;
/** One request may be tried again for much longer than an operator who mistyped the address likes to wait. */
const impatientMs = 3_000;
/** Numbers that are nobody's; one of them is E.164, so that an encoding's every form is tried. */
const probes = ["0", "+10"];

/** Once. Throws IntroductionError for good, HomeserverError where the homeserver is not there yet. */
export async function introduce(parts: IntroductionParts): Promise<PingOutcome> {
  const { homeserver, botName, log } = parts;
  await attempt(parts, homeserver.bot, "bot");
  for (const probe of probes) {
    const ghost = parts.ids.format({ kind: "number", dialled: probe });
    if (ghost !== undefined) await attempt(parts, ghost, "ghost");
  }
  await noteEncoding(parts);
  try {
    await homeserver.setDisplayName(homeserver.bot, botName);
  } catch (error) {
    if (!(error instanceof HomeserverError)) throw error;
    log.warn("bot could not be named", { error });
  }
  const ping = await homeserver.ping();
  if (ping.kind === "failed")
    log.error("homeserver cannot reach the bridge: check url in the registration", { reason: ping.message });
  else log.info("homeserver answered", { ping: ping.kind });
  return ping;
}

/** Until the homeserver is there. Rejects with IntroductionError; `stopped` ends the waiting. */
export async function introduceSoon(parts: IntroductionParts, stopped: AbortSignal): Promise<PingOutcome | undefined> {
  const { clock, log } = parts;
  const cancelWarning = clock.at(clock.nowMs() + impatientMs, () =>
    log.warn("homeserver has not answered yet, still trying: check homeserver.url"),
  );
  try {
    for (let waitMs = firstRetryMs; !stopped.aborted; waitMs = Math.min(waitMs * 2, longestRetryMs)) {
      try {
        return await introduce(parts);
      } catch (error) {
        if (!(error instanceof HomeserverError)) throw error;
        log.warn("homeserver is not there yet", { code: error.code, waitMs, error });
      }
      await pause(clock, waitMs, stopped);
    }
    return undefined;
  } finally {
    cancelWarning();
  }
}

async function attempt(parts: IntroductionParts, user: UserId, what: "bot" | "ghost"): Promise<void> {
  try {
    await parts.homeserver.register(user);
  } catch (error) {
    if (!(error instanceof HomeserverError) || error.transient) throw error;
    throw refusalOf(error, user, what, parts.encoding);
  }
}

function refusalOf(error: HomeserverError, user: UserId, what: "bot" | "ghost", encoding: string): IntroductionError {
  const cause = { cause: error };
  switch (error.code) {
    case "M_UNKNOWN_TOKEN":
    case "M_MISSING_TOKEN":
    case "M_FORBIDDEN":
      return new IntroductionError(
        "token-refused",
        "the homeserver does not know the registration's as_token: add the registration file to the homeserver's " +
          "configuration (app_service_config_files in Synapse) and restart it",
        cause,
      );
    case "M_EXCLUSIVE":
      return new IntroductionError(
        "namespace-refused",
        `the homeserver does not let this application service have ${user}: the registration's user namespace, ` +
          "ghosts.prefix and homeserver.domain must belong together",
        cause,
      );
    default:
      if (what === "ghost")
        return new IntroductionError(
          "encoding-refused",
          `the homeserver refused the user id ${user} (${error.code}): set ghosts.encoding to ` +
            `${encoding === "grammar" ? "e164" : "grammar"} (now ${encoding})`,
          cause,
        );
      return new IntroductionError("refused", `the homeserver refused ${user}: ${error.code} ${error.message}`, cause);
  }
}

/** Ghosts written in another encoding stay what they are; new ones are other users, which an admin should know. */
async function noteEncoding({ settings, encoding, log }: IntroductionParts): Promise<void> {
  const before = await settings.get("ghost-encoding");
  if (before !== undefined && before !== encoding)
    log.warn("ghosts.encoding was changed: new ghosts are other users than those of before", { before, encoding });
  if (before !== encoding) await settings.set("ghost-encoding", encoding);
}

function pause(clock: Clock, forMs: number, stopped: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.at(clock.nowMs() + forMs, () => {
      stopped.removeEventListener("abort", done);
      resolve();
    });
    const done = (): void => {
      cancel();
      resolve();
    };
    stopped.addEventListener("abort", done, { once: true });
  });
}
