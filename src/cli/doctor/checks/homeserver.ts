// The homeserver: whether it is there, the right one, and lets the bridge do what calls need, in both directions.
import { createLookup } from "../../../bridge/directory/lookup.ts";
import { HomeserverCheckError, probeGhosts, tryGhost } from "../../../bridge/operation/homeserver-check.ts";
import { otherSender, pingProblem, problemOf, wrongDomain } from "../../../bridge/operation/homeserver-problem.ts";
import { toGhostIdsOptions } from "../../../config/mapping/mapping.ts";
import type { Config } from "../../../config/schema/schema.ts";
import { domainOf, localpartOf, type UserId } from "../../../core/ids.ts";
import { createGhostIds } from "../../../core/number/ghost/ghost-id.ts";
import { isPstnProtocol } from "../../../core/number/ghost/protocols.ts";
import type { AskOutside, OutsideAnswer } from "../../../matrix/http/outside.ts";
import { networkWords } from "../../../matrix/http/network-failure.ts";
import type { MatrixEdge } from "../../../matrix/edge.ts";
import { HomeserverError, type ApplicationServiceQueries } from "../../../ports/homeserver.ts";
import { probeHomeserver } from "../../init/find-homeserver.ts";
import type { Beside } from "../beside.ts";
import { inspectCertificate } from "../certificate.ts";
import { failed, ok, skipped, warning, type Check, type Finding } from "../check.ts";

export type AskedMatrix = Pick<MatrixEdge, "homeserver" | "questions" | "answer">;

export interface HomeserverParts {
  readonly config: Config;
  /** Not listening yet; undefined: there is no registration to ask with. */
  readonly matrix: AskedMatrix | undefined;
  readonly ask: AskOutside;
  readonly beside: Beside;
  /** By the clock on the wall. */
  readonly nowMs: () => number;
  /** How long an answer may take. */
  readonly answerMs: number;
  /** A proxy stands between, as the environment says. */
  readonly hasProxy: boolean;
}

const page = "docs/homeservers/index.md";

export function homeserverChecks(parts: HomeserverParts): readonly Check[] {
  const { url } = parts.config.homeserver;
  const versions = once(() => askVersions(parts));
  const isTls = url.startsWith("https:") && !parts.hasProxy;
  return [
    ...(isTls ? [{ id: "homeserver-certificate", needs: [], run: () => checkCertificate(parts) } as const] : []),
    { id: "homeserver", needs: ["homeserver-certificate"], run: async () => judgeVersions(await versions(), parts) },
    { id: "clock", needs: ["homeserver"], run: async () => checkClock((await versions()).date, parts.nowMs()) },
    ...askedChecks(parts),
  ];
}

/** Those that are asked with the registration's token. */
function askedChecks(parts: HomeserverParts): readonly Check[] {
  const { matrix } = parts;
  const ask = (run: (asked: AskedParts) => Promise<Finding>): Check["run"] =>
    matrix === undefined ? () => skipped("there is no registration") : () => run({ ...parts, matrix });
  return [
    { id: "homeserver-identity", needs: ["homeserver", "registration"], run: ask(checkIdentity) },
    { id: "homeserver-ping", needs: ["homeserver-identity", "bridge", "ports"], limitMs: 8_000, run: ask(checkPing) },
    { id: "dial-pad", needs: ["homeserver-ping"], run: ask(checkDialPad) },
    { id: "ghost-ids", needs: ["homeserver-identity"], run: ask(checkGhosts) },
    { id: "invitations", needs: ["ghost-ids"], run: ask(checkInvitation) },
  ];
}

type AskedParts = HomeserverParts & { readonly matrix: AskedMatrix };

function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined;
  return () => (made ??= make());
}

function checkCertificate({ config, nowMs }: HomeserverParts): Promise<Finding> {
  const { hostname, port } = new URL(config.homeserver.url);
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  const shown = /^[\d.]+$|:/.test(host) ? undefined : host;
  return inspectCertificate({ host, port: Number(port || 443), names: [host], shown }, nowMs(), {
    untrusted:
      "NODE_EXTRA_CA_CERTS names a file with more authorities; or set homeserver.url to an address that it is for",
    name: "set homeserver.url to a name that the certificate is for",
  });
}

type Versions = OutsideAnswer | { readonly reason: string; readonly date?: undefined };

async function askVersions({ config, ask, answerMs }: HomeserverParts): Promise<Versions> {
  const url = `${config.homeserver.url.replace(/\/+$/, "")}/_matrix/client/versions`;
  try {
    return await ask({ method: "GET", url, timeoutMs: answerMs });
  } catch (error) {
    return { reason: networkWords(error) };
  }
}

async function judgeVersions(answer: Versions, { config, ask }: HomeserverParts): Promise<Finding> {
  const { url } = config.homeserver;
  if ("reason" in answer) return failed(`${url} cannot be reached: ${answer.reason}`, "check homeserver.url");
  if (answer.location !== undefined) {
    const to = answer.location.replace(/\/_matrix\/.*/, "");
    return failed(`${url} redirects to ${to}, and the bridge does not follow`, `set homeserver.url to ${to}`);
  }
  const isMatrix = typeof answer.body === "object" && answer.body !== null && "versions" in answer.body;
  if (!isMatrix) {
    const what = `a server that is not a Matrix homeserver answers at ${url} (${answer.status})`;
    return failed(what, "check port and path of homeserver.url");
  }
  const found = await probeHomeserver(url.replace(/\/+$/, ""), ask);
  const { encoding } = config.ghosts;
  if (found?.preset?.encoding !== undefined && encoding === "percent")
    return warning(
      `${found.software} at ${url} takes no % in user ids`,
      `set ghosts.encoding to ${found.preset.encoding} (${page})`,
    );
  return ok(`${found?.software ?? "a homeserver"} at ${url}`);
}

/** Less says the header of a busy server too. */
const skewMs = 10_000;

function checkClock(date: string | undefined, nowMs: number): Finding {
  const theirs = date === undefined ? Number.NaN : Date.parse(date);
  if (Number.isNaN(theirs)) return skipped("the homeserver does not say what time it is");
  const offMs = nowMs - theirs;
  const words = `${Math.round(Math.abs(offMs) / 1000)} s ${offMs < 0 ? "behind" : "ahead of"} the homeserver's`;
  if (Math.abs(offMs) < skewMs) return ok("as the homeserver's");
  return warning(`this machine's clock is ${words}`, "set both by NTP: tokens and certificates depend on it");
}

/** Lines of the bridge say what is wrong, then what to do about it. */
function fromLine(line: string, reason?: string): Finding {
  const [what = line, ...mend] = line.split(": ");
  return failed(reason === undefined ? what : `${what} (${reason})`, mend.join(": ") || page);
}

function fromError(error: unknown): Finding {
  if (error instanceof HomeserverCheckError) return fromLine(error.message);
  if (!(error instanceof HomeserverError)) throw error;
  const { line, reason } = problemOf(error);
  return fromLine(line, reason);
}

async function checkIdentity({ matrix: { homeserver } }: AskedParts): Promise<Finding> {
  try {
    const seen = await homeserver.whoAmI();
    if (seen === undefined) return ok("it takes the bridge's token, and does not say as whom it knows the bridge");
    const { sender } = homeserver;
    if (domainOf(seen) !== domainOf(sender)) return fromLine(wrongDomain(domainOf(sender), domainOf(seen)));
    if (seen === sender) return ok(`as ${seen}`);
    const { reason } = otherSender(localpartOf(seen), localpartOf(sender));
    return failed(`it has another copy of the registration: ${reason}`, "give it the bridge's copy, and restart it");
  } catch (error) {
    return fromError(error);
  }
}

async function checkPing(parts: AskedParts): Promise<Finding> {
  const { beside, matrix } = parts;
  if (beside.kind === "bridge") {
    const part = beside.status.parts["homeserver"];
    if (part === undefined) return skipped("the running bridge does not say");
    if (part.ready) return ok(`the running bridge says: ${part.detail}`);
    return fromLine(part.detail);
  }
  if (beside.kind === "unknown") return skipped("nobody knows whether what listens there is the bridge");
  try {
    await matrix.answer(queriesOf(parts.config));
  } catch (error) {
    return skipped(`the bridge's address cannot be had (${error instanceof Error ? error.message : "failed"})`);
  }
  const ping = await matrix.homeserver.ping();
  switch (ping.kind) {
    case "answered":
      return ok(`a ping came through in ${ping.durationMs} ms, with the right hs_token`);
    case "unsupported":
      return skipped("this homeserver has no ping: start the bridge, and look in its log for what comes in");
    case "failed": {
      const { line, reason } = pingProblem(ping);
      return fromLine(line, reason);
    }
  }
}

/** A homeserver that asks while the doctor listens must not learn that there is no dial pad: it remembers that. */
function queriesOf(config: Config): ApplicationServiceQueries {
  const lookup = createLookup({
    ghostIds: createGhostIds(toGhostIdsOptions(config)),
    virtualUsers: () => undefined,
    onFound: () => {},
    telemetry: { lookedUp: () => {} },
  });
  return { ...lookup, lookupDelay: () => undefined, userExists: () => Promise.resolve(false) };
}

async function checkDialPad({ matrix, config, ask, beside }: AskedParts): Promise<Finding> {
  if (beside.kind === "unknown") return skipped("nobody knows whether what listens there is the bridge");
  const { homeserver, questions } = matrix;
  let names: readonly string[] | undefined;
  try {
    names = await questions.protocols(homeserver.sender);
  } catch (error) {
    return fromError(error);
  }
  const found = names?.filter((name) => isPstnProtocol(name)) ?? [];
  if (found.length > 0) return ok(`clients are told of ${found.join(" and ")}`);
  const { preset } = (await probeHomeserver(config.homeserver.url.replace(/\/+$/, ""), ask)) ?? {};
  if (names === undefined || preset?.hasDialPad === false)
    return warning("this homeserver has no dial pad", "people send call NUMBER to the bot");
  return failed(
    "clients are told of no telephone numbers",
    "restart the homeserver while the bridge is running: Synapse remembers for an hour that the bridge did not answer",
  );
}

async function checkGhosts({ matrix: { homeserver }, config }: AskedParts): Promise<Finding> {
  const { encoding } = config.ghosts;
  const ghosts = probeGhosts(createGhostIds(toGhostIdsOptions(config)));
  try {
    await homeserver.register(homeserver.bot);
    for (const ghost of ghosts) await tryGhost({ homeserver, encoding }, ghost);
    return ok(`it takes ids such as ${ghosts[0]}`);
  } catch (error) {
    return fromError(error);
  }
}

async function checkInvitation({ matrix, config }: AskedParts): Promise<Finding> {
  const { homeserver, questions } = matrix;
  const [ghost]: readonly (UserId | undefined)[] = probeGhosts(createGhostIds(toGhostIdsOptions(config)));
  if (ghost === undefined) return skipped("no number has an id");
  try {
    await questions.tryInvitation(homeserver.bot, ghost);
    return ok("the bot could invite a number into a room");
  } catch (error) {
    if (!(error instanceof HomeserverError)) throw error;
    const reason = `${error.code}: ${error.message}`;
    if (error.code === "M_LIMIT_EXCEEDED")
      return failed(
        `it limits how many rooms and invitations numbers make (${reason})`,
        "its copy of the registration lacks rate_limited: false: give it the bridge's copy, and restart it",
      );
    if (error.code !== "M_FORBIDDEN") return fromError(error);
    return failed(
      `it refuses invitations (${reason}): nobody can dial, and no number can ring`,
      "on Synapse turn off block_non_admin_invites",
    );
  }
}
