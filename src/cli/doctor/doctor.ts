// `doctor`: every link of the chain, side by side. Beside a running bridge it asks that; without one it does itself what the
// bridge would do, and takes back what it did.
import { versions } from "node:process";
import { StopList } from "../../bridge/operation/stop-list.ts";
import { systemClock } from "../../clock/system-clock.ts";
import { toRtc } from "../../config/mapping/mapping.ts";
import type { Registration } from "../../config/registration/registration.ts";
import type { Config } from "../../config/schema/schema.ts";
import { Outside } from "../../matrix/http/outside.ts";
import { createTelemetry } from "../../telemetry/telemetry.ts";
import { json } from "../admin/print.ts";
import { exitCode } from "../exit-code.ts";
import type { Terminal } from "../terminal.ts";
import { packageVersion } from "../version.ts";
import { bridgeCheck, lookBeside } from "./beside.ts";
import { catalogue, checkIds, groups } from "./catalogue.ts";
import type { Check, CheckResult } from "./check.ts";
import { audioChecks, talkThroughEngine, type Talk } from "./checks/audio.ts";
import { callCheck } from "./checks/call.ts";
import { readFiles } from "./checks/files.ts";
import { homeserverChecks } from "./checks/homeserver.ts";
import { limitsCheck } from "./checks/homeserver-limits.ts";
import { machineChecks } from "./checks/machine.ts";
import { linksOf, trunkChecks } from "./checks/trunk.ts";
import type { DoctorFlags } from "./flags.ts";
import { isHealthy, printReport, toJson } from "./report.ts";
import { notRun, runChecks } from "./run-checks.ts";

/** Others are for tests. */
interface DoctorTools {
  readonly talk: Talk;
  /** How many times longer than usual answers and checks may take. */
  readonly patience: number;
}

const usualTools: DoctorTools = { talk: talkThroughEngine, patience: 1 };
const answerMs = 4_000;

export async function doctor(flags: DoctorFlags, terminal: Terminal, tools = usualTools): Promise<number> {
  const results = await examine(flags, terminal, tools);
  if (flags.json) terminal.out(json(toJson(results, packageVersion())));
  else terminal.out(printReport(results, terminal));
  return isHealthy(results) ? exitCode.ok : exitCode.unwell;
}

async function examine(flags: DoctorFlags, terminal: Terminal, tools: DoctorTools): Promise<readonly CheckResult[]> {
  const paths = { configPath: flags.config, registrationPath: flags.file, port: flags.port, env: terminal.env };
  const files = readFiles(paths);
  const { config, registration } = files;
  const stops = new StopList();
  try {
    const more = config === undefined ? [] : await checksOf({ config, registration, flags, terminal, stops, tools });
    const results = await runChecks([...files.checks, ...more], tools.patience);
    return inOrder(config === undefined ? [...results, ...unread(results)] : results);
  } finally {
    await stops.stop();
  }
}

interface Examined {
  readonly config: Config;
  readonly registration: Registration | undefined;
  readonly flags: DoctorFlags;
  readonly terminal: Terminal;
  readonly stops: StopList;
  readonly tools: DoctorTools;
}

async function checksOf({ config, registration, flags, terminal, stops, tools }: Examined): Promise<readonly Check[]> {
  const { appservice } = config;
  const listen = { ...appservice.listen, port: flags.port ?? appservice.listen.port };
  const beside = await lookBeside(flags.config, terminal, listen);
  // What the edges would write in the log, the findings say.
  const telemetry = createTelemetry({ level: "error", maskNumbers: true, ghostPrefix: "", write: () => undefined });
  const outside = new Outside();
  stops.add(() => outside.close());
  const asked = registration && (await openMatrix({ config, registration, listen, telemetry, stops }));
  const links = linksOf({ config });
  const parts = {
    config,
    beside,
    ask: outside.ask,
    matrix: asked,
    nowMs: () => systemClock.wallMs(),
    answerMs: answerMs * tools.patience,
  };
  return [
    ...machineChecks({
      configPath: flags.config,
      config,
      port: flags.port,
      nodeVersion: versions.node,
      beside,
    }),
    bridgeCheck(beside),
    ...homeserverChecks({ ...parts, hasProxy: hasProxy(terminal) }),
    limitsCheck({ ...parts, configured: flags.homeserverConfig }),
    ...audioChecks({ ...parts, telemetry, links, talk: tools.talk }),
    ...trunkChecks(links, { ...parts, telemetry, stops }),
    ...(flags.call === undefined ? [] : [callCheck({ beside, number: flags.call, trunk: flags.trunk })]),
  ];
}

interface MatrixParts extends Pick<Examined, "config" | "stops"> {
  readonly registration: Registration;
  readonly listen: Config["appservice"]["listen"];
  readonly telemetry: ReturnType<typeof createTelemetry>;
}

async function openMatrix({ config, registration, listen, telemetry, stops }: MatrixParts) {
  // Most of the program is loaded only where it is used.
  const { createMatrixEdge } = await import("../../matrix/edge.ts");
  const matrix = createMatrixEdge({
    registration,
    bot: config.appservice.bot,
    homeserverUrl: config.homeserver.url,
    domain: config.homeserver.domain,
    ...listen,
    rtc: toRtc(config),
    telemetry,
    clock: systemClock,
  });
  stops.add(() => matrix.stop());
  return matrix;
}

function hasProxy({ env }: Terminal): boolean {
  return ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"].some((name) => Boolean(env[name]));
}

/** What cannot be looked at without a configuration. */
function unread(results: readonly CheckResult[]): readonly CheckResult[] {
  return checkIds
    .filter((id) => id !== "call" && results.every((result) => result.id !== id))
    .map((id) => ({ id, trunk: undefined, finding: notRun("config"), blockedBy: "config", tookMs: 0 }));
}

/** As the catalogue has them; those of one trunk stay together. */
function inOrder(results: readonly CheckResult[]): readonly CheckResult[] {
  const trunks = [...new Set(results.map(({ trunk }) => trunk))];
  const placeOf = ({ id, trunk }: CheckResult): readonly number[] => [
    groups.indexOf(catalogue[id].group),
    trunks.indexOf(trunk),
    checkIds.indexOf(id),
  ];
  return results.toSorted((one, other) => {
    const [before, after] = [placeOf(one), placeOf(other)];
    return before.map((place, at) => place - (after[at] ?? 0)).find((apart) => apart !== 0) ?? 0;
  });
}
