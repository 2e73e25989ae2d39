// `number explain`: what happens to a number, from the configuration alone. core/policy/number-explanation.ts decides
// what to print; this file puts it into words.
import { formatUri } from "../core/address/uri.ts";
import { loadConfig } from "../config/load.ts";
import { toCallerTrust, toDidTable } from "../config/mapping/inbound-mapping.ts";
import { toDialPlan, toGhostIdsOptions, toPolicy } from "../config/mapping/mapping.ts";
import type { Config } from "../config/schema/schema.ts";
import { describeCause } from "../core/call/model/cause.ts";
import { parseUserId, trunkName, type TrunkName } from "../core/ids.ts";
import { createGhostIds } from "../core/number/ghost/ghost-id.ts";
import { isBarred, type NumberClass } from "../core/number/plan/number-class.ts";
import type { ReadingWay } from "../core/number/plan/readings.ts";
import {
  explainArrived,
  explainDialled,
  type ArrivedExplanation,
  type DialledExplanation,
  type ExplainedReading,
} from "../core/policy/number-explanation.ts";
import { exitCode } from "./exit-code.ts";
import type { DescribeCommand } from "./command-shell.ts";
import type { Terminal } from "./terminal.ts";

interface ExplainOptions {
  readonly config: string;
  readonly as?: string | undefined;
  readonly trunk?: string | undefined;
  readonly fromTrunk?: string | undefined;
}

export const describeNumberExplain: DescribeCommand = (program, shell) => {
  program
    .command("number")
    .description("Explains numbers.")
    .command("explain")
    .description(
      "Explains how the bridge reads a number, what it counts as, where the call goes, and how the trunk gets the number.",
    )
    .argument("<text...>", "the number as people dial it, or as a trunk sends it")
    .option("--as <user>", "as dialled by this Matrix user")
    .option("--trunk <name>", "as if the call went over this trunk")
    .option("--from-trunk <name>", "as a caller's number or a called number from this trunk")
    .option("-c, --config <path>", "the configuration (default: config.yaml)")
    .action((text: readonly string[], options: Partial<ExplainOptions>) =>
      shell.choose(async () => explainNumber(text.join(" "), { ...shell.files(), ...options }, shell.terminal)),
    );
};

/** Throws ConfigError. A number that is refused is no failure of the command. */
function explainNumber(text: string, options: ExplainOptions, terminal: Terminal): number {
  const config = loadConfig(options.config, terminal.env);
  const usage = (message: string): number => {
    terminal.err(`error: ${message}\n`);
    return exitCode.usage;
  };
  const unknown = [options.trunk, options.fromTrunk].find((name) => name !== undefined && !hasTrunk(config, name));
  if (unknown !== undefined) {
    const names = config.trunks.map(({ name }) => name).join(", ");
    return usage(`${options.config} has no trunk ${unknown}; it has ${names}`);
  }
  if (options.fromTrunk !== undefined && (options.as !== undefined || options.trunk !== undefined)) {
    return usage("--from-trunk explains a number that comes in; --as and --trunk belong to one that is dialled");
  }
  const person = options.as === undefined ? undefined : parseUserId(options.as);
  if (options.as !== undefined && person === undefined) {
    return usage(`--as should be a Matrix user id such as @alice:${config.homeserver.domain}`);
  }
  const ids = createGhostIds(toGhostIdsOptions(config));
  const plan = toDialPlan(config);
  if (options.fromTrunk !== undefined) {
    const trunk = trunkName(options.fromTrunk);
    const trust = trustOf(trunk, config);
    const found = explainArrived(text, { ids, plan, numbers: toDidTable(config), trunk, trust });
    terminal.out(arrivedWords(found, options.fromTrunk));
    return exitCode.ok;
  }
  const trunk = options.trunk === undefined ? undefined : trunkName(options.trunk);
  terminal.out(
    dialledWords(
      explainDialled(text, { ids, plan, policy: toPolicy(config), isBlocked: () => false, person, trunk }),
      options.as,
    ),
  );
  return exitCode.ok;
}

function hasTrunk(config: Config, wanted: string): boolean {
  return config.trunks.some(({ name }) => name === wanted);
}

function trustOf(trunk: TrunkName, config: Config): Parameters<typeof explainArrived>[1]["trust"] {
  // Every trunk of the configuration is there.
  return toCallerTrust(config).get(trunk) ?? { identity: "asserted", displayName: false };
}

function dialledWords(found: DialledExplanation, person: string | undefined): string {
  if (found.kind === "not-dialable") {
    const why = found.why === "domain-not-allowed" ? "domain-not-allowed" : "not-dialable";
    return lines([["Dialled", found.entered], [], ["Result", `nobody is found: ${found.why}`], ["", wordsOf(why)]]);
  }
  const { target, verdict } = found;
  const dialled = target.kind === "number" ? target.dialled : found.entered;
  return lines([
    ["Dialled", found.entered + (dialled === found.entered ? "" : `, which is ${dialled}`)],
    ["Country", found.country ?? "none"],
    ["Ghost", found.ghost],
    ...(found.withheld ? [["", "The code in front withholds the caller's number."]] : []),
    [],
    ...readingLines("Readings", found.readings),
    [],
    ["Judged as", found.classes.join(", ") || "nothing: it goes nowhere"],
    ["Route", routeWords(found)],
    ...found.trunks.flatMap((way, at) => [
      [at === 0 ? "Trunk" : "then", `${way.trunk} ${verdict.kind === "allowed" ? "gets" : "would get"} ${way.sent}`],
      ["", formatUri(way.uri)],
      ...readingLines("", way.sent === dialled ? [] : way.readings),
    ]),
    [],
    ["Caller", callerWords(person, found.permission)],
    ["Result", verdict.kind === "allowed" ? "the call goes out" : `refused: ${verdict.cause}`],
    ...(verdict.kind === "refused" ? [["", wordsOf(verdict.cause)], ...remedies(found)] : []),
  ]);
}

function routeWords({ hasRoutes, route }: Extract<DialledExplanation, { kind: "dialled" }>): string {
  if (!hasRoutes) return "the plan has none: everything goes to the first trunk";
  if (route === undefined) return "none of the plan's routes fits";
  const { prefix, strip, prepend } = route;
  const changes = [strip > 0 && `strip ${strip}`, prepend !== "" && `prepend ${prepend}`].filter(Boolean);
  return [`prefix "${prefix}"`, ...changes].join(", ");
}

function callerWords(person: string | undefined, permission: string | undefined): string {
  if (person === undefined) return "somebody who may call and has no permissions of their own (--as names somebody)";
  return permission === undefined
    ? `${person}, whom permissions do not name`
    : `${person}, by permissions."${permission}"`;
}

function remedies({ verdict, classes }: Extract<DialledExplanation, { kind: "dialled" }>): readonly string[][] {
  const isKind = verdict.kind === "refused" && /-barred$|^doubtful-/.test(verdict.cause);
  const barred = classes.filter(isBarred);
  return isKind ? [["", `limits.allow or permissions.*.allow with ${barred.join(", ")} would let it out.`]] : [];
}

function arrivedWords(found: ArrivedExplanation, trunk: string): string {
  const { caller, called } = found;
  return lines([
    ["From trunk", `${trunk}: ${found.text}`],
    ["Country", found.country ?? "none"],
    ["Format", `${found.format} (trunks[].inbound.number_format)`],
    [],
    ...readingLines("Readings", found.readings),
    [],
    ["As a caller", `${caller.shown}, ${caller.ghost ?? "who has no ghost"}`],
    ["Calling back", caller.callBack ? `${caller.callBack.number} over ${caller.callBack.trunk}` : "goes nowhere"],
    ["", caller.callBack ? formatUri(caller.callBack.uri) : ""],
    ["As called", called.kind === "found" ? called.number : "nobody's number: 404"],
    ...(called.kind === "found" && called.pin !== undefined ? [["asks for", `a PIN (${called.pin.name})`]] : []),
    ...(called.kind === "found"
      ? called.stages.map(({ targets, ringMs }, at) => [
          at === 0 ? "rings" : "then",
          `${targets.map((target) => (target.kind === "person" ? target.person : target.room)).join(", ")} for ${ringMs / 1000} s`,
        ])
      : []),
  ]);
}

const wayWords: Readonly<Record<ReadingWay, string>> = {
  e164: "E.164",
  "e164-without-plus": "E.164 without plus",
  international: "international",
  national: "national",
  "national-without-trunk-prefix": "national without trunk prefix",
};

function readingLines(label: string, readings: readonly ExplainedReading[]): readonly string[][] {
  if (readings.length === 0) return label === "" ? [] : [[label, "none: it is no number of the numbering plan"]];
  return readings.map(({ way, number, class: kind, status }, at) => [
    at === 0 ? label : "",
    [wayWords[way].padEnd(30), number.padEnd(17), shownClass(kind, status).padEnd(12), status].join(" "),
  ]);
}

/** What is no number has no kind. */
function shownClass(kind: NumberClass, status: ExplainedReading["status"]): string {
  return status === "impossible" && !isBarred(kind) ? "-" : kind;
}

function wordsOf(cause: Parameters<typeof describeCause>[0]): string {
  return describeCause(cause).words ?? "";
}

/** Label and text; an empty row is an empty line, a text that is empty is left out. */
function lines(rows: readonly (readonly string[])[]): string {
  const shown = rows.filter(([, text]) => text !== "");
  return shown.map(([label = "", text]) => (text === undefined ? "" : label.padEnd(14) + text)).join("\n") + "\n";
}
