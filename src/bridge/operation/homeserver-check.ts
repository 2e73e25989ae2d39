// What the bridge does when it first meets its homeserver: asks who it is, registers its bot, tries whether it accepts
// the ghosts' ids as they are written, and pings. The bridge waits for whatever somebody can still fix on the
// homeserver; only what this configuration can never do ends the bridge, and the error names the setting to change.
import { domainOf, localpartOf, type UserId } from "../../core/ids.ts";
import { dialString } from "../../core/number/dialled.ts";
import type { GhostIds } from "../../core/number/ghost/ghost-id.ts";
import type { Clock } from "../../ports/clock.ts";
import { attempt } from "../../ports/attempt.ts";
import { HomeserverError, type Homeserver, type HomeserverProblem, type PingOutcome } from "../../ports/homeserver.ts";
import { pause } from "../../ports/pause.ts";
import type { Settings } from "../../ports/store.ts";
import type { Log } from "../../ports/telemetry.ts";
import { otherSender, problemOf, wrongDomain } from "./homeserver-problem.ts";
import { Reminder } from "./reminder.ts";

/** The homeserver will not work with this configuration, however often it is asked. */
export class HomeserverCheckError extends Error {
  override readonly name = "HomeserverCheckError";
  readonly code: "encoding-refused" | "wrong-domain";
  constructor(code: HomeserverCheckError["code"], message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** The homeserver answers, and has to be told something before it works with the bridge. */
class NotYet extends Error {
  override readonly name = "NotYet";
  readonly problem: HomeserverProblem;
  constructor(problem: HomeserverProblem) {
    super(problem.line);
    this.problem = problem;
  }
}

export interface HomeserverCheckParts {
  readonly homeserver: Homeserver;
  readonly ids: GhostIds;
  readonly encoding: string;
  readonly botName: string;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly log: Log;
  /** Told at each attempt that fails. */
  readonly onProblem: (problem: HomeserverProblem) => void;
}

const firstRetryMs = 1_000;
/** Whoever restarts the homeserver should not wait long for the bridge to notice. */
const longestRetryMs = 10_000;
/** Numbers that are nobody's; one of them is E.164, so that an encoding's every form is tried. */
const probes = ["0", "+10"].flatMap((text) => dialString(text) ?? []);

/** Ghosts whose ids have every form that there is. */
export function probeGhosts(ids: GhostIds): readonly UserId[] {
  return probes.flatMap((probe) => ids.format({ kind: "number", dialled: probe }) ?? []);
}

/** Once. Throws HomeserverCheckError for good, HomeserverError or NotYet where another attempt may succeed. */
export async function checkHomeserver(parts: HomeserverCheckParts): Promise<PingOutcome> {
  const { homeserver, botName, log } = parts;
  await compareNames(homeserver);
  await homeserver.register(homeserver.bot);
  for (const ghost of probeGhosts(parts.ids)) await tryGhost(parts, ghost);
  await noteEncoding(parts);
  await attempt(homeserver.setDisplayName(homeserver.bot, botName), log, "could not set the bot's display name", {});
  const ping = await homeserver.ping();
  log.info("homeserver accepts the bridge", { ping: ping.kind });
  return ping;
}

/** Until the homeserver accepts the bridge. Rejects with HomeserverCheckError; `stopped` ends the waiting. */
export async function awaitHomeserver(
  parts: HomeserverCheckParts,
  stopped: AbortSignal,
): Promise<PingOutcome | undefined> {
  const { clock, log, onProblem } = parts;
  const reminder = new Reminder(clock, log);
  for (let waitMs = firstRetryMs; !stopped.aborted; waitMs = Math.min(waitMs * 2, longestRetryMs)) {
    try {
      return await checkHomeserver(parts);
    } catch (error) {
      const problem = problemIn(error);
      if (problem === undefined) throw error;
      onProblem(problem);
      reminder.say(problem.line, { reason: problem.reason });
    }
    await pause(waitMs, clock, stopped);
  }
  return undefined;
}

function problemIn(error: unknown): HomeserverProblem | undefined {
  if (error instanceof NotYet) return error.problem;
  return error instanceof HomeserverError ? problemOf(error) : undefined;
}

/** The homeserver knows the bridge by the registration that it has, in its own domain. */
async function compareNames(homeserver: Homeserver): Promise<void> {
  const { sender } = homeserver;
  const seen = await homeserver.whoAmI();
  if (seen === undefined || seen === sender) return;
  if (domainOf(seen) !== domainOf(sender)) {
    throw new HomeserverCheckError("wrong-domain", wrongDomain(domainOf(sender), domainOf(seen)));
  }
  throw new NotYet(otherSender(localpartOf(seen), localpartOf(sender)));
}

/** Throws HomeserverCheckError where the homeserver will never have such an id, else HomeserverError. */
export async function tryGhost(
  { homeserver, encoding }: Pick<HomeserverCheckParts, "homeserver" | "encoding">,
  ghost: UserId,
): Promise<void> {
  try {
    await homeserver.register(ghost);
  } catch (error) {
    if (!(error instanceof HomeserverError) || error.transient || error.code === "M_EXCLUSIVE") throw error;
    throw new HomeserverCheckError(
      "encoding-refused",
      `the homeserver refused the user id ${ghost} (${error.code}): set ghosts.encoding to ` +
        `${encoding === "grammar" ? "e164" : "grammar"} (now ${encoding})`,
      { cause: error },
    );
  }
}

/** Ghosts written in another encoding stay what they are; new ones are other users, which an admin should know. */
async function noteEncoding({ settings, encoding, log }: HomeserverCheckParts): Promise<void> {
  const before = await settings.get("ghost-encoding");
  if (before !== undefined && before !== encoding)
    log.warn("ghosts.encoding has changed: numbers have other user ids than before", { before, encoding });
  if (before !== encoding) await settings.set("ghost-encoding", encoding);
}
