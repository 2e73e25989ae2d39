// CPU and memory of a process's children that are Node, from /proc: the bridge's media workers. Linux only, as figures elsewhere would be others.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

export interface ChildrenUsage {
  readonly count: number;
  readonly cpuMs: number;
  /** Resident, in bytes, all together. */
  readonly rss: number;
}

/** Clock ticks in which /proc counts, USER_HZ: 100 a second on every Linux. */
const tickMs = 10;
const kib = 1024;

/** undefined where there is no /proc. */
export function childrenUsage(parent: number): ChildrenUsage | undefined {
  let count = 0;
  let cpuMs = 0;
  let rss = 0;
  try {
    const program = readlinkSync("/proc/self/exe");
    for (const task of readdirSync(`/proc/${parent}/task`)) {
      for (const pid of readFileSync(`/proc/${parent}/task/${task}/children`, "utf8").split(" ")) {
        // A media server that the benchmark has started is no worker.
        if (pid === "" || readlinkSync(`/proc/${pid}/exe`) !== program) continue;
        // Field 2 is the name in brackets and may hold spaces; user and system time are fields 14 and 15.
        const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
          .replace(/^.*\) /s, "")
          .split(" ");
        count += 1;
        cpuMs += (Number(fields[11]) + Number(fields[12])) * tickMs;
        rss += Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * kib;
      }
    }
  } catch {
    return undefined;
  }
  return { count, cpuMs, rss };
}
