// The end-to-end tests: real parts on real sockets, one file after the other.
import { defineConfig } from "vitest/config";
import { patienceMs } from "./dev/loopback/patience.ts";

export default defineConfig({
  test: {
    include: ["test/e2e/**/*.test.ts"],
    globalSetup: ["test/e2e/setup/global.ts"],
    fileParallelism: false,
    pool: "forks",
    testTimeout: 4 * patienceMs,
    expect: { poll: { timeout: patienceMs } },
    hookTimeout: 4 * patienceMs,
    teardownTimeout: 30_000,
  },
});
