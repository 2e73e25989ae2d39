// `npm run demo -- --headless --rtc`: a call by MatrixRTC where a livekit-server is.
import { resolve } from "node:path";
import { expect, it } from "vitest";
import { testRig } from "../parts/base/rig.ts";

const demo = resolve(import.meta.dirname, "../../../dev/demo.mjs");

it("The demo calls a number by MatrixRTC, and hears both ends", async () => {
  const run = await testRig().start("demo", { command: process.execPath, args: [demo, "--headless", "--rtc"] });
  expect(await run.exited).toEqual({ code: 0, signal: null });
  expect(run.log.text).toMatch(/tone out +the gateway hears 800 Hz/);
  expect(run.log.text).toMatch(/tone back +the caller hears 440 Hz/);
  expect(run.log.text).toMatch(/left +the number is in the call no longer/);
});
