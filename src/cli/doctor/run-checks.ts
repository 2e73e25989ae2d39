// Runs checks side by side, each once those that it needs have passed. One broken link fails once: what depends on it is
// skipped.
import { performance } from "node:perf_hooks";
import { pause } from "../../ports/pause.ts";
import { systemClock } from "../../clock/system-clock.ts";
import { catalogue, type CheckId } from "./catalogue.ts";
import { failed, skipped, type Check, type CheckResult, type Finding } from "./check.ts";

/** All together take less than 15 s, whatever is broken. */
const usualLimitMs = 5_000;

/** In their order. Never rejects. `patience`: how many times its limit a check may take. */
export async function runChecks(checks: readonly Check[], patience = 1): Promise<readonly CheckResult[]> {
  const running = new Map<Check, Promise<CheckResult>>();
  const resultOf = (check: Check): Promise<CheckResult> => {
    const known = running.get(check);
    if (known !== undefined) return known;
    const needed = checks.filter((other) => check.needs.includes(other.id) && concerns(other, check));
    const result = Promise.all(needed.map(resultOf)).then((results) => runOne(check, results, patience));
    running.set(check, result);
    return result;
  };
  return Promise.all(checks.map(resultOf));
}

function concerns(needed: Check, check: Check): boolean {
  return needed.trunk === undefined || needed.trunk === check.trunk;
}

async function runOne(check: Check, needed: readonly CheckResult[], patience: number): Promise<CheckResult> {
  const { id, trunk } = check;
  const broken = needed.find(({ finding, blockedBy }) => finding.kind === "failed" || blockedBy !== undefined);
  const blockedBy = broken === undefined ? undefined : (broken.blockedBy ?? broken.id);
  if (blockedBy !== undefined) return { id, trunk, finding: notRun(blockedBy), blockedBy, tookMs: 0 };
  const beganMs = performance.now();
  const finding = await within(check, patience);
  return { id, trunk, finding, blockedBy: undefined, tookMs: Math.round(performance.now() - beganMs) };
}

export function notRun(blockedBy: CheckId): Finding {
  return skipped(`not looked at: ${catalogue[blockedBy].title} failed`);
}

async function within({ run, limitMs: usual = usualLimitMs }: Check, patience: number): Promise<Finding> {
  const limitMs = usual * patience;
  const over = new AbortController();
  const settled = new AbortController();
  const late = pause(limitMs, systemClock, settled.signal).then(() => {
    over.abort();
    return failed(
      `no answer within ${limitMs / 1000} s`,
      "look for a firewall that drops packets, and for a slow machine",
    );
  });
  try {
    return await Promise.race([Promise.resolve(over.signal).then(run), late]);
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    return failed(
      `could not be looked at: ${words.replaceAll(/\s+/g, " ")}`,
      "this is a defect of the doctor: report it",
    );
  } finally {
    settled.abort();
  }
}
