// What the doctor prints, on terminals of all kinds, and how checks hang on each other.
import { expect, test } from "vitest";
import { failed, ok, warning, type Check, type CheckResult } from "../../../src/cli/doctor/check.ts";
import { printReport, toJson } from "../../../src/cli/doctor/report.ts";
import { runChecks } from "../../../src/cli/doctor/run-checks.ts";
import type { Terminal } from "../../../src/cli/terminal.ts";

const check = (id: Check["id"], run: Check["run"], more: Partial<Check> = {}): Check => ({
  id,
  needs: [],
  run,
  ...more,
});

const terminal = (more: Partial<Terminal>): Terminal => ({
  env: { LANG: "en_GB.UTF-8" },
  out: () => {},
  err: () => {},
  onSignal: () => {},
  exit: () => {},
  ...more,
});

const results = (): Promise<readonly CheckResult[]> =>
  runChecks([
    check("node", () => ok("Node 24.0.0")),
    check("clock", () => warning("this machine's clock is 20 s ahead of the homeserver's", "set both by NTP")),
    check("trunk-dns", () => failed("sip.nowhere.invalid: host name not found", "check trunks[0].server"), {
      trunk: "a",
    }),
    check("trunk-options", () => ok("never"), { trunk: "a", needs: ["trunk-dns"] }),
    check("trunk-codecs", () => ok("never"), { trunk: "a", needs: ["trunk-options"] }),
    check("trunk-dns", () => ok("an address"), { trunk: "b" }),
    check("trunk-options", () => ok("200 OK"), { trunk: "b", needs: ["trunk-dns"] }),
  ]);

test("one broken link fails once, what hangs on it is not run, and other trunks do not hang on it", async () => {
  expect((await results()).map(({ id, trunk, finding, blockedBy }) => [id, trunk, finding.kind, blockedBy])).toEqual([
    ["node", undefined, "ok", undefined],
    ["clock", undefined, "warning", undefined],
    ["trunk-dns", "a", "failed", undefined],
    ["trunk-options", "a", "skipped", "trunk-dns"],
    ["trunk-codecs", "a", "skipped", "trunk-dns"],
    ["trunk-dns", "b", "ok", undefined],
    ["trunk-options", "b", "ok", undefined],
  ]);
});

test("people read marks, what was found, and what mends it", async () => {
  expect(printReport(await results(), terminal({}))).toBe(`This machine
  ✓ Node                    Node 24.0.0
  ! Clock                   this machine's clock is 20 s ahead of the homeserver's
                            → set both by NTP
                            → docs/troubleshooting.md#clock

Trunk a
  ✗ DNS                     sip.nowhere.invalid: host name not found
                            → check trunks[0].server
                            → docs/troubleshooting.md#trunk-dns
  – OPTIONS                 not looked at: DNS failed
  – Codecs                  not looked at: DNS failed

Trunk b
  ✓ DNS                     an address
  ✓ OPTIONS                 200 OK

3 good, 1 to look at, 1 broken, 2 not looked at
`);
});

test("a terminal gets colours and is not overrun; one that cannot show the marks gets others", async () => {
  const found = await results();
  const coloured = printReport(found, terminal({ isScreen: true, columns: 60 }));
  expect(coloured).toContain("\u001b[31m✗\u001b[0m");
  // oxlint-disable-next-line no-control-regex -- colours are what is taken away
  const widths = coloured.split("\n").map((line) => line.replaceAll(/\u001b\[\d+m/g, "").length);
  expect(Math.max(...widths)).toBeLessThanOrEqual(60);
  const plain = printReport(found, terminal({ isScreen: true, env: { LANG: "C", NO_COLOR: "1" } }));
  expect(plain).toMatch(/^ {2}x DNS/m);
  // oxlint-disable-next-line no-control-regex -- there is to be nothing but ASCII
  expect(plain).toMatch(/^[\n\x20-\x7e]*$/);
});

test("what strangers chose gives the terminal no orders", async () => {
  const evil = await runChecks([check("trunk-options", () => ok("200 \u001b[2JOK\u202e"), { trunk: "a\u001b[31m" })]);
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  expect(printReport(evil, terminal({}))).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
});

test("programs get each check with its state", async () => {
  const { checks, healthy } = toJson(await results(), "1.2.3") as { checks: readonly object[]; healthy: boolean };
  expect(healthy).toBe(false);
  expect(checks[3]).toMatchObject({
    id: "trunk-options",
    group: "trunk",
    trunk: "a",
    state: "skipped",
    blocked_by: "trunk-dns",
    because: "not looked at: DNS failed",
  });
});

test("a check that takes too long fails by itself, and ends what it has begun", async () => {
  let isOver = false;
  const slow = check(
    "turn",
    async (signal) => {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      isOver = true;
      return ok("too late");
    },
    { limitMs: 20 },
  );
  const [result] = await runChecks([slow]);
  expect(result?.finding).toMatchObject({ kind: "failed", problems: [{ found: "no answer within 0.02 s" }] });
  expect(isOver).toBe(true);
});

test("a check that throws is a finding of its own", async () => {
  const [result] = await runChecks([check("turn", () => Promise.reject(new Error("oh\nno")))]);
  expect(result?.finding).toMatchObject({ kind: "failed", problems: [{ found: "could not be looked at: oh no" }] });
});
