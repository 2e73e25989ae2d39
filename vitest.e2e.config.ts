// The end-to-end tests: real parts on real sockets. Most of their time is waiting, so files run side by side, and those
// that need the machine to themselves run after them, one after the other.
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { patienceMs } from "./dev/loopback/patience.ts";

const ALONE: readonly string[] = [
  // They measure: how fast a call is set up, how long a key sounds, how good speech is.
  "test/e2e/calls/codecs.test.ts",
  "test/e2e/calls/first-calls.test.ts",
  "test/e2e/calls/outbound-caller.test.ts",
  "test/e2e/calls/outbound.test.ts",
  "test/e2e/clients/chromium-media.test.ts",
  "test/e2e/homeservers/contract-dendrite.test.ts",
  "test/e2e/homeservers/dendrite.test.ts",
  "test/e2e/quality/converted-speech.test.ts",
  // They use the ports that an admin gets by default.
  "test/e2e/deployment/init.test.ts",
  "test/e2e/deployment/quick-start.test.ts",
];

const absent = ALONE.filter((file) => !existsSync(file));
if (absent.length > 0) throw new Error(`vitest.e2e.config.ts names files that are not there: ${absent.join(", ")}`);

/** How many files run side by side: E2E_FILES, or one for each core, up to four. */
function filesAtATime(): number {
  const wanted = process.env["E2E_FILES"];
  if (wanted === undefined) return Math.min(availableParallelism(), 4);
  if (!/^[1-9]\d?$/.test(wanted)) throw new Error(`E2E_FILES should be a number of files, 1 to 99, not "${wanted}"`);
  return Number(wanted);
}

export default defineConfig({
  test: {
    globalSetup: ["test/e2e/setup/global.ts", "test/setup/collect-secrets.ts"],
    setupFiles: ["test/setup/no-secret-in-logs.ts"],
    pool: "forks",
    testTimeout: 4 * patienceMs,
    expect: { poll: { timeout: patienceMs } },
    hookTimeout: 4 * patienceMs,
    teardownTimeout: 30_000,
    projects: [
      {
        extends: true,
        test: {
          name: "side by side",
          include: ["test/e2e/**/*.test.ts"],
          exclude: [...ALONE],
          maxWorkers: filesAtATime(),
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: "alone", include: [...ALONE], fileParallelism: false, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
