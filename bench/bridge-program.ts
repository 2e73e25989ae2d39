// The whole bridge as a process, from the sources: what is measured. Logs to standard output as it does for an operator.
import { setTimeout as delay } from "node:timers/promises";
import { startBridge, type RunningBridge } from "../src/app.ts";
import { cpuMs } from "./parts/cpu.ts";
import type { House } from "./parts/house.ts";
import { serve } from "./parts/program.ts";
import { silentEngine } from "./parts/silent-engine.ts";

export interface Footprint {
  /** Resident, in bytes. */
  readonly rss: number;
  /** Used on the JavaScript heap after a collection, in bytes. */
  readonly heap: number;
}

export type BridgeDialogue = {
  /** Starts it; the port where the homeserver reaches it. */
  start: { question: House & { readonly media: "embedded" | "none" }; answer: number };
  footprint: { question: undefined; answer: Footprint };
  cpuMs: { question: undefined; answer: number };
};

let running: RunningBridge | undefined;

serve<BridgeDialogue>(
  {
    async start({ config, registration, media }) {
      running = await startBridge({
        config,
        registration,
        version: "bench",
        ...(media === "none" && { media: silentEngine() }),
      });
      return running.port;
    },
    async footprint() {
      globalThis.gc?.();
      // V8 gives memory back to the system a little later, on another thread.
      await delay(500);
      globalThis.gc?.();
      const { rss, heapUsed } = process.memoryUsage();
      return { rss, heap: heapUsed };
    },
    cpuMs,
  },
  async () => running?.stop(),
);
