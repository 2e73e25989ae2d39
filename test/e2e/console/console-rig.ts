// The console in a real Chromium, served by a real admin server over the bridge that a test gives it.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";
import { expect, onTestFinished } from "vitest";
import { createAdminServer } from "../../../src/http/admin/admin-server.ts";
import type { AdminDoor } from "../../../src/ports/admin/admin-door.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import { collectingLog } from "../../matrix/edge-rig.ts";
import { CHROMIUM } from "../setup/versions.ts";

const token = "0123456789abcdef0123456789";

const files = resolve(import.meta.dirname, "../../../dist/web");
const axe = readFileSync(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8");

export async function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM,
    headless: true,
    args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"],
  });
}

interface Served {
  readonly url: string;
  stop(): Promise<void>;
}

/** `port`: where one was served before. */
export async function serveConsole(door: AdminDoor, clock: Clock, port = 0): Promise<Served> {
  const server = createAdminServer({
    door,
    socketPath: undefined,
    port: { host: "127.0.0.1", port, token, hostNames: [] },
    consoleFolder: files,
    wholeNumbers: false,
    version: "0.1.0",
    clock,
    log: collectingLog([]),
  });
  await server.start();
  onTestFinished(() => server.stop());
  return { url: `http://127.0.0.1:${server.port() ?? 0}/`, stop: () => server.stop() };
}

/** A page that loads something from elsewhere, breaks its policy or throws fails the test. */
export async function openPage(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ locale: "en-GB", reducedMotion: "reduce", ...options });
  const page = await context.newPage();
  const wrong: string[] = [];
  page.on("pageerror", (error) => wrong.push(error.stack ?? error.message));
  page.on("console", (message) => {
    if (/Content Security Policy|Refused to/.test(message.text())) wrong.push(message.text());
  });
  page.on("request", (request) => {
    if (!/^(?:blob:)?http:\/\/127\.0\.0\.1:/.test(request.url())) wrong.push(`asked for ${request.url()}`);
  });
  onTestFinished(async () => {
    await context.close();
    expect(wrong).toEqual([]);
  });
  await page.goto(url);
  return page;
}

/** As people do: the field has the focus already. */
export async function signIn(page: Page): Promise<void> {
  await page.locator("input[name=token]:focus").waitFor();
  await page.keyboard.type(token);
  await page.keyboard.press("Enter");
  await page.locator("nav.menu").waitFor();
}

interface Violation {
  readonly rule: string;
  readonly at: readonly string[];
}

/** By all rules of WCAG 2.2 A and AA, and the best practices; or by one of them alone. */
export async function violationsOf(page: Page, rule?: string): Promise<readonly Violation[]> {
  await page.evaluate(`globalThis.axe === undefined && (() => { ${axe} })()`);
  return page.evaluate(async (only) => {
    const { axe } = globalThis as unknown as {
      axe: { run: (options: object) => Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
    };
    const { violations } = await axe.run(only === undefined ? {} : { runOnly: [only] });
    return violations.map(({ id, nodes }) => ({ rule: id, at: nodes.map(({ html }) => html.slice(0, 200)) }));
  }, rule);
}

/** What reaches beyond the window, or is cut off in a box that does not scroll. */
export function overflowOf(page: Page): Promise<readonly string[]> {
  return page.evaluate(`(() => {
    const scrolls = (element) => element.closest(".table-box, [data-scrolls]") !== null;
    return [...document.querySelectorAll("body *")]
      .filter((element) => !scrolls(element) && !element.closest(".unseen, .skip, svg, thead"))
      .filter((element) => {
        const { left, right, width } = element.getBoundingClientRect();
        return width > 0 && (right > innerWidth + 1 || left < -1);
      })
      .map((element) => element.outerHTML.slice(0, 120));
  })()`);
}
