import { defineConfig } from "vitest/config";
import { patienceMs } from "./dev/loopback/patience.ts";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/e2e/**", "node_modules/**"],
    globalSetup: ["test/setup/collect-secrets.ts"],
    setupFiles: ["test/setup/no-secret-in-logs.ts"],
    // Many tests open real sockets and processes: a hung one must fail, not stall the run. Whoever waits for something
    // gives up before, and says for what.
    testTimeout: 2 * patienceMs,
    hookTimeout: 2 * patienceMs,
    expect: { poll: { timeout: patienceMs } },
    // They wait for the network far more than they compute, so more run side by side than there are cores.
    maxWorkers: 3,
  },
});
