// An admin works with the console: in a real Chromium, by keyboard alone, on a wide and on a narrow screen.
import { mkdir, readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../../src/clock/system-clock.ts";
import { callId } from "../../../src/core/ids.ts";
import { accepted, bob, TestBridge, trunk } from "../../scenarios/test-bridge.ts";
import { endedCall, FakeDoor } from "../../fakes/admin-door.ts";
import { BusyDoor } from "./busy-door.ts";
import { launchBrowser, openPage, overflowOf, serveConsole, signIn, violationsOf } from "./console-rig.ts";

const pictures = process.env["CONSOLE_PICTURES"] === undefined ? undefined : resolve("docs/images");
const wide = { width: 1280, height: 800 };
const narrow = { width: 360, height: 740 };
let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser();
  if (pictures !== undefined) await mkdir(pictures, { recursive: true });
});
afterAll(() => browser.close());

const text = (page: Page, words: string | RegExp) => page.getByText(words).first().waitFor();
/** What was said of something that was done. */
const said = (page: Page, words: string | RegExp) => page.locator(".said").getByText(words).waitFor();

/** A bridge that runs in real time, as far as its clock's wall is concerned. */
function bridgeOfToday(): TestBridge {
  const bridge = new TestBridge();
  bridge.telemetry.masksNumbers = true;
  bridge.clock.setWall(Date.now() - bridge.clock.wallMs());
  return bridge;
}

test("by keyboard alone: a call appears, rings, is connected, shows how it sounds, and is hung up", async () => {
  const bridge = bridgeOfToday();
  const { url } = await serveConsole(bridge.adminDoor, bridge.clock);
  const page = await openPage(browser, url, { viewport: wide });
  await signIn(page);
  await text(page, "There are no calls now.");

  await bridge.ring();
  const row = page.locator("tbody tr", { hasText: "@ann:example.org" });
  await row.getByText("Setting up").waitFor();
  await bridge.sip({ kind: "sip.ringing" });
  await row.getByText("Ringing").waitFor();
  const [session] = bridge.media.engine.opened;
  let packets = 0;
  if (session !== undefined)
    session.stats = async () => {
      packets += 100;
      const heard = { packets, bytes: 0, lost: packets / 50, jitterMs: 12, lastHeardAtMs: Date.now() };
      return { codec: "PCMU", a: heard, b: heard };
    };
  await bridge.sip(accepted);
  await row.getByText("Connected").waitFor();
  // Masked as everywhere.
  expect(await row.textContent()).not.toContain("8118");

  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.locator("h1", { hasText: "@ann:example.org → " }).waitFor();
  await bridge.passTime(5_000);
  await page
    .locator("figure", { hasText: "Quality (MOS)" })
    .getByText(/^[34]\.\d$/)
    .first()
    .waitFor();
  await page.locator("figure", { hasText: "Packet loss" }).getByText("2%").first().waitFor();
  await page.locator("figure", { hasText: "Jitter" }).getByText("12 ms").first().waitFor();

  await page.keyboard.press("x");
  await page.locator("dialog[open]").getByText("ends at once on both sides").waitFor();
  await page.keyboard.press("Escape");
  expect(bridge.trunks.verbs).toEqual(["invite"]);
  await page.keyboard.press("x");
  await page.keyboard.type("toll fraud");
  await page.keyboard.press("Enter");
  await said(page, /^(Hung up|Ended): @ann:example\.org/);
  await bridge.quiet();
  expect(bridge.trunks.verbs).toEqual(["invite", "bye"]);
  expect(bridge.words).toEqual(["An administrator ended the call."]);
  await bridge.sip({ kind: "sip.ended" });
  await page.keyboard.press("g");
  await page.keyboard.press("c");
  await text(page, "There are no calls now.");
  await page.keyboard.press("g");
  await page.keyboard.press("b");
  await text(page, "toll fraud");
});

test("by keyboard alone: a trunk is paused after a question, and resumed", async () => {
  const bridge = bridgeOfToday();
  bridge.trunks.states = [{ name: trunk, state: "up", detail: "OPTIONS answered 200", sinceMs: bridge.clock.nowMs() }];
  const { url } = await serveConsole(bridge.adminDoor, bridge.clock);
  const page = await openPage(browser, url, { viewport: narrow });
  await signIn(page);
  await page.keyboard.press("g");
  await page.keyboard.press("t");
  const pause = page.getByRole("button", { name: "Pause trunk main" });
  await pause.focus();
  await page.keyboard.press("Enter");
  const dialog = page.locator("dialog[open]");
  await dialog.getByText("No new calls begin over this trunk").waitFor();
  await dialog.getByRole("button", { name: "Cancel" }).press("Enter");
  expect(bridge.door.trunks()).toMatchObject([{ paused: false }]);
  await expect.poll(() => page.locator(":focus").textContent()).toBe("Pause");
  await pause.press("Enter");
  await dialog.getByRole("button", { name: "Pause" }).press("Enter");
  await said(page, "Trunk main is paused.");
  expect(bridge.door.trunks()).toMatchObject([{ paused: true }]);
  await page.getByRole("button", { name: "Resume trunk main" }).press("Enter");
  await said(page, "Trunk main takes calls again.");
  expect(bridge.door.trunks()).toMatchObject([{ paused: false }]);
});

test("by keyboard or by mouse: the ladder of a call shows each message, and is copied as text", async () => {
  const { url } = await serveConsole(new BusyDoor(1), systemClock);
  const page = await openPage(browser, `${url}#/calls/c-0Tq9mZr2VfYc3bXw8kLp51`, {
    viewport: wide,
    permissions: ["clipboard-read", "clipboard-write"],
  });
  await signIn(page);
  const message = page.getByRole("region", { name: "Message" });
  await message.getByText('"call_id": "1764547200x"').waitFor();
  await page.getByRole("button", { name: "A m.call.invite from @alice:example.org to Bridge" }).focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("j");
  await message.getByText("INVITE sip:+44*******081@sipgate.example SIP/2.0").waitFor();
  await page.keyboard.press("ArrowDown");
  await message.getByText("The same message again.").waitFor();
  await page.getByRole("button", { name: "4.610 C 180 Ringing from sipgate to Bridge" }).hover();
  await message.getByText("SIP/2.0 180 Ringing").waitFor();
  await page.getByRole("button", { name: "Copy as text" }).press("Enter");
  await said(page, "The ladder is in the clipboard.");
  expect(await page.evaluate("navigator.clipboard.readText()")).toMatch(/\|- m\.call\.invi.*>\|[^]*INVITE sip:/);
});

test("a call that has ended is found in the history, with its end and its ladder", async () => {
  const { url } = await serveConsole(new FakeDoor(), systemClock);
  const page = await openPage(browser, `${url}#/calls/c-3`, { viewport: narrow });
  await signIn(page);
  await text(page, "Busy");
  await text(page, "The bridge no longer keeps the ladder of this call (ladders.keep_minutes).");
  await page.goto(`${url}#/calls/c-nobody`);
  await text(page, "There is no such call now, nor in the history.");
});

test("the history is searched, read on, and exported, and what is wrong with a search is said", async () => {
  const door = new BusyDoor(120);
  const { url } = await serveConsole(door, systemClock);
  const page = await openPage(browser, url, { viewport: wide });
  await signIn(page);
  await page.keyboard.press("/");
  await text(page, "50 calls shown");
  await page.getByRole("button", { name: "Show more" }).press("Enter");
  await text(page, "100 calls shown");
  await page.keyboard.press("/");
  await page.keyboard.type("020 7946 0123");
  await page.getByLabel("Result").selectOption("callee");
  await page.keyboard.press("Tab");
  await page.getByRole("button", { name: "Search" }).press("Enter");
  await expect.poll(() => door.asked.at(-1)).toMatchObject({ number: "020 7946 0123", result: "callee" });
  expect(page.url()).toContain("#/history?number=020+7946+0123&result=callee");

  const downloading = page.waitForEvent("download");
  await page.getByRole("button", { name: "Export as CSV" }).press("Enter");
  const file = await readFile(await (await downloading).path(), "utf8");
  expect(file.split("\r\n")).toHaveLength(122);
  expect(file).toMatch(/^id,direction,person,number/);
  await said(page, "120 calls exported.");

  await page.getByLabel("Show whole numbers").press("Space");
  await page.getByRole("button", { name: "Search" }).press("Enter");
  await text(page, "The configuration does not allow this.");
  await text(page, "whole telephone numbers are not shown here: admin.whole_numbers allows it");
  await page.getByLabel("Show whole numbers").press("Space");
  await page.getByLabel("Person").fill("alice");
  await page.keyboard.press("Enter");
  await text(page, "The bridge does not accept this input.");
  await text(page, "person: should be a Matrix user id such as @alice:example.org");
});

test("what happens to a number is explained, for whoever dials it and from a trunk", async () => {
  const { url } = await serveConsole(new FakeDoor(), systemClock);
  const page = await openPage(browser, `${url}#/numbers`, { viewport: wide });
  await signIn(page);
  await page.keyboard.press("/");
  await page.keyboard.type("999");
  await page.keyboard.press("Enter");
  await text(page, "This call is refused.");
  await page.keyboard.press("/");
  await page.keyboard.press("Control+a");
  await page.keyboard.type("020 7946 0123");
  await page.keyboard.press("Enter");
  await text(page, "This call goes out.");
  await text(page, "sip:+442079460123@sip.example.org");
  await page.getByLabel("Direction").selectOption("arrived");
  await page.getByLabel("Number", { exact: true }).fill("+441632960003");
  await page.keyboard.press("Enter");
  await text(page, "As the called number");
});

test("a link of the bot's signs its admin in, once", async () => {
  const door = new FakeDoor();
  door.codes.set("abc123", bob);
  door.admins.add(bob);
  const { url } = await serveConsole(door, systemClock);
  const page = await openPage(browser, `${url}#login=abc123`, { viewport: narrow });
  await page.locator("nav.menu").waitFor();
  expect(page.url()).toBe(url);
  door.codes.clear();
  const other = await openPage(browser, `${url}#login=abc123`, { viewport: narrow });
  await text(other, "This login link is no longer good.");
});

test("whoever has a wrong token stays outside and reads so, and whoever signs out is outside again", async () => {
  const { url } = await serveConsole(new FakeDoor(), systemClock);
  const page = await openPage(browser, url, { viewport: narrow });
  await page.locator("input[name=token]").fill("a wrong one, which is long enough");
  await page.keyboard.press("Enter");
  await text(page, "This is not the admin token.");
  await page.locator("input[name=token]").fill("");
  await signIn(page);
  await page.getByRole("button", { name: "Sign out" }).press("Enter");
  await page.locator("input[name=token]").waitFor();
  await page.reload();
  await page.locator("input[name=token]").waitFor();
});

test("a bridge that is gone is said to be gone, what is shown is marked as old, and it is found again", async () => {
  const door = new BusyDoor(3);
  const first = await serveConsole(door, systemClock);
  const page = await openPage(browser, first.url, { viewport: wide });
  await signIn(page);
  await text(page, "@alice:example.org");
  await first.stop();
  await text(page, "Reconnecting …");
  await text(page, /^Connection lost\. What you see is from \d\d:\d\d:\d\d\.$/);
  await text(page, "@alice:example.org");
  // Its sessions are gone with it.
  await serveConsole(door, systemClock, Number(new URL(first.url).port));
  await text(page, "You are signed out. Sign in again to go on.");
  await signIn(page);
  await page.locator(".link-state").getByText("Live").waitFor();
});

test("by keyboard alone: all outgoing calls are stopped after a question, and allowed again", async () => {
  const { url } = await serveConsole(new FakeDoor(), systemClock);
  const page = await openPage(browser, `${url}#/limits`, { viewport: narrow });
  await signIn(page);
  await page.getByRole("button", { name: "Stop all outgoing calls …" }).press("Enter");
  await page.locator("dialog[open]").getByText("All outgoing calls end now").waitFor();
  await page.keyboard.type("toll fraud");
  await page.keyboard.press("Enter");
  await said(page, "Outgoing calls are stopped.");
  await page.locator("td").getByText("toll fraud").waitFor();
  await page.getByRole("button", { name: "Allow again" }).press("Enter");
  await said(page, "These calls may begin again.");
  await page.getByRole("button", { name: "Stop all outgoing calls …" }).waitFor();
});

test("hostile names are text and nothing else", async () => {
  const door = new FakeDoor();
  const hostile = `"><img src=x onerror=globalThis.harmed=true><script>globalThis.harmed=true</script>`;
  const [call] = await door.calls();
  if (call !== undefined) door.live = [{ ...call, number: hostile, id: callId("c-<b>1") }];
  door.history = [endedCall("c-3", { number: hostile })];
  const { url } = await serveConsole(door, systemClock);
  const page = await openPage(browser, url, { viewport: narrow });
  await signIn(page);
  await text(page, hostile);
  await page.locator("tbody a").press("Enter");
  await page.locator("h1", { hasText: hostile }).waitFor();
  await page.goto(`${url}#/history`);
  await text(page, hostile);
  expect(await page.evaluate("globalThis.harmed")).toBeUndefined();
});

const places = [
  "calls",
  "calls/c-0Tq9mZr2VfYc3bXw8kLp51",
  "trunks",
  "history",
  "numbers?text=02079460123",
  "limits",
  "bridge",
];

describe.each([
  ["wide", wide],
  ["narrow", narrow],
])("%s", (size, viewport) => {
  test("no page violates a rule of accessibility, in the light and in the dark", async () => {
    const { url } = await serveConsole(new BusyDoor(12), systemClock);
    const page = await openPage(browser, url, { viewport, colorScheme: "light" });
    await page.locator("input[name=token]").waitFor();
    expect(await violationsOf(page)).toEqual([]);
    await signIn(page);
    const look = async (what: string): Promise<void> => {
      expect({ what, wrong: await violationsOf(page) }).toEqual({ what, wrong: [] });
      await takePicture(page, `${what} ${size} light`);
      await page.emulateMedia({ colorScheme: "dark" });
      const wrong = await violationsOf(page, "color-contrast");
      expect({ what, wrong }).toEqual({ what, wrong: [] });
      await takePicture(page, `${what} ${size} dark`);
      await page.emulateMedia({ colorScheme: "light" });
    };
    for (const place of places) {
      await visit(page, url, place);
      if (place.startsWith("calls/")) await page.locator("figure path.line[d^=M]").first().waitFor();
      await look(place);
    }
    for (const [key, what] of [
      ["?", "shortcuts"],
      [",", "settings"],
    ] as const) {
      await page.keyboard.press(key);
      await page.locator("dialog[open]").waitFor();
      await look(what);
      await page.keyboard.press("Escape");
    }
  });

  test.each(["en", "de", "fr", "es"])("nothing is too long for its place in %s", async (locale) => {
    const { url } = await serveConsole(new BusyDoor(12), systemClock);
    const page = await openPage(browser, url, { viewport, locale });
    await signIn(page);
    expect(await page.locator("html").getAttribute("lang")).toBe(locale);
    for (const place of places) {
      await visit(page, url, place);
      expect({ place, over: await overflowOf(page) }).toEqual({ place, over: [] });
    }
  });
});

async function visit(page: Page, url: string, place: string): Promise<void> {
  await page.goto(`${url}#/${place}`);
  await page.locator("h1").waitFor();
  await expect.poll(() => page.locator(".waiting").count()).toBe(0);
}

const pictureNames: Readonly<Record<string, string>> = {
  "calls wide light": "console-calls",
  "calls/c-0Tq9mZr2VfYc3bXw8kLp51 wide dark": "console-call",
  "calls narrow dark": "console-phone",
};

/** For the docs, when asked. */
async function takePicture(page: Page, what: string): Promise<void> {
  const name = pictureNames[what];
  if (pictures === undefined || name === undefined) return;
  await page.screenshot({ path: `${pictures}/${name}.png`, fullPage: name === "console-call" });
}
