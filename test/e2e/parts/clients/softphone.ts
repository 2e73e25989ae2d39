// The demo's page in a real Chromium: one person whose microphone plays a tone, and what the page says and hears.
import { mkdir, writeFile } from "node:fs/promises";
import { chromium, type Page } from "playwright-core";
import { tone } from "../../../../dev/audio/tone.ts";
import { encodeWav } from "../../../../dev/audio/wav.ts";
import type { PhoneState } from "../../../../dev/softphone/page/phone-state.ts";
import type { SoftphoneProbe } from "../../../../dev/softphone/page/probe.ts";
import { CHROMIUM } from "../../setup/versions.ts";
import type { Rig } from "../base/rig.ts";

const rateHz = 48_000;

const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--use-fake-ui-for-media-stream",
  "--use-fake-device-for-media-stream",
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
  "--allow-loopback-in-peer-connection",
];

/** Signed in, with a bridge in sight; ends with the rig. `user`: for the names of its files. */
export async function openPage(rig: Rig, url: string, user: string, toneHz: number): Promise<Page> {
  const folder = rig.path(`softphone-${user}`);
  await mkdir(folder, { recursive: true });
  const microphone = rig.path(`softphone-${user}.wav`);
  await writeFile(microphone, encodeWav(tone(toneHz, rateHz, 10_000), rateHz));
  const context = await chromium.launchPersistentContext(folder, {
    executablePath: CHROMIUM,
    headless: true,
    args: [...flags, `--use-file-for-fake-audio-capture=${microphone}`],
  });
  rig.defer(`Chromium of ${user}`, () => context.close());
  const page = context.pages()[0] ?? (await context.newPage());
  const log = rig.log(`softphone-${user}`);
  page.on("console", (message) => log.append(`${message.type()}: ${message.text()}\n`));
  page.on("pageerror", (error) => log.append(`page error: ${error.stack ?? error.message}\n`));
  await page.goto(url);
  await page.waitForFunction(() => globalThis.softphone?.dialling === "available");
  return page;
}

export async function inPhase(page: Page, phase: PhoneState["phase"]): Promise<void> {
  await page.waitForFunction((wanted) => globalThis.softphone?.state.phase === wanted, phase, { timeout: 15_000 });
}

export async function stateOf<Phase extends PhoneState["phase"]>(page: Page, phase: Phase) {
  const state = await page.evaluate(() => globalThis.softphone?.state);
  if (state?.phase !== phase) throw new Error(`The phone is ${state?.phase ?? "not there"}, not ${phase}`);
  return state as Extract<PhoneState, { phase: Phase }>;
}

/** The analyser's bins are 23 Hz wide; the tone has to stand far above all else. */
export async function hears(page: Page, hz: number): Promise<void> {
  await page.waitForFunction(
    (wanted) => {
      const heard: ReturnType<SoftphoneProbe["loudestTone"]> = globalThis.softphone?.loudestTone();
      return heard !== undefined && Math.abs(heard.frequencyHz - wanted) < 25 && heard.aboveMedianDb > 30;
    },
    hz,
    { timeout: 15_000 },
  );
}

export async function silent(page: Page): Promise<void> {
  await page.waitForFunction(() => globalThis.softphone?.level === 0, undefined, { timeout: 15_000 });
}
