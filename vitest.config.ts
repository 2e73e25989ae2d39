import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/e2e/**", "node_modules/**"],
    // Many tests open real sockets and processes: a hung one must fail, not stall the run.
    testTimeout: 20_000,
    hookTimeout: 30_000,
    // What is polled for is what a person or a peer sees in the end: the default second is too short on a busy machine.
    expect: { poll: { timeout: 10_000 } },
    // They wait for the network far more than they compute, so more run side by side than there are cores.
    maxWorkers: 3,
  },
});
