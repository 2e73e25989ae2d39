// Loaded into a bridge before its own code: at SIGUSR2 its crypto workers are ended from outside, as a crash would end them.
import threads from "node:worker_threads";
import { syncBuiltinESMExports } from "node:module";

const workers = new Set<threads.Worker>();

class TrackedWorker extends threads.Worker {
  constructor(...given: ConstructorParameters<typeof threads.Worker>) {
    super(...given);
    if (!String(given[0]).includes("/encryption/")) return;
    workers.add(this);
    this.once("exit", () => workers.delete(this));
  }
}

Object.assign(threads, { Worker: TrackedWorker });
syncBuiltinESMExports();
process.on("SIGUSR2", () => {
  for (const worker of workers) void worker.terminate();
});
