// A crypto worker that is asked something and never comes back: it takes all the time of its thread.
import { parentPort } from "node:worker_threads";

parentPort?.on("message", () => {
  for (;;);
});
