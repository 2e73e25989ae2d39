// How the bridge and its homeserver meet for the first time.
import { beforeEach, describe, expect, test } from "vitest";
import {
  checkHomeserver,
  awaitHomeserver,
  type HomeserverCheckParts,
} from "../../../src/bridge/operation/homeserver-check.ts";
import { createGhostIds, type GhostEncoding } from "../../../src/core/number/ghost/ghost-id.ts";
import { HomeserverError, type HomeserverProblem } from "../../../src/ports/homeserver.ts";
import { openMemoryStore } from "../../fakes/memory-store.ts";
import type { UserId } from "../../../src/core/ids.ts";
import { FakeHomeserver } from "../../fakes/homeserver.ts";
import { FakeTelemetry } from "../../fakes/telemetry.ts";
import { VirtualClock } from "../../fakes/virtual-clock.ts";

const homeserver = { current: new FakeHomeserver() };
const clock = new VirtualClock();
const telemetry = { current: new FakeTelemetry() };
const problems: HomeserverProblem[] = [];

function parts(encoding: GhostEncoding = "percent"): HomeserverCheckParts {
  const ids = createGhostIds({
    domain: "example.org",
    prefix: "_sip_",
    encoding,
    gateway: "sip.example.org",
    sipDomains: [],
  });
  return {
    homeserver: homeserver.current,
    ids,
    encoding,
    botName: "Telephone",
    settings: openMemoryStore().settings,
    clock,
    log: telemetry.current.log,
    onProblem: (problem) => void problems.push(problem),
  };
}

beforeEach(() => {
  homeserver.current = new FakeHomeserver();
  telemetry.current = new FakeTelemetry();
  problems.length = 0;
});

async function turns(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
}

test("the bot is registered and named, and every form of ghost id is tried", async () => {
  expect(await checkHomeserver(parts("e164"))).toEqual({ kind: "answered", durationMs: 1 });
  expect(homeserver.current.registered).toEqual([
    "@_sip_bot:example.org",
    "@_sip_0=40sip.example.org:example.org",
    "@_sip_+10:example.org",
  ]);
  expect(homeserver.current.names.get(homeserver.current.bot)).toBe("Telephone");
});

describe("what the configuration can never do with this homeserver ends the bridge, and says what to change:", () => {
  test("another domain in both files", async () => {
    homeserver.current.seenAs = "@_sip_sender:example.com" as UserId;
    await expect(awaitHomeserver(parts(), new AbortController().signal)).rejects.toMatchObject({
      code: "wrong-domain",
      message: expect.stringMatching(
        /homeserver\.domain is example\.org, but .* belong to example\.com: set homeserver\.domain/,
      ),
    });
    expect(homeserver.current.registered).toEqual([]);
  });

  test("an id that the homeserver does not take", async () => {
    const strict = homeserver.current;
    strict.register = async (user) => {
      if (user.includes("%")) throw new HomeserverError("M_INVALID_USERNAME", "bad characters", false);
      return "new";
    };
    await expect(checkHomeserver(parts())).rejects.toThrow("set ghosts.encoding to grammar (now percent)");
    await expect(checkHomeserver(parts("grammar"))).resolves.toMatchObject({ kind: "answered" });
  });
});

describe("what can be mended on the homeserver's side is waited for, and said by what mends it:", () => {
  test.each([
    ["a homeserver that is not there", "UNREACHABLE", /check homeserver\.url$/],
    [
      "a homeserver without the registration",
      "M_UNKNOWN_TOKEN",
      /add the registration file .* \(app_service_config_files/,
    ],
    ["a homeserver with an older registration", "M_EXCLUSIVE", /another copy of the registration, or another/],
    ["a server that is none", "HTTP_404", /homeserver\.url leads to a server that is not a Matrix homeserver/],
    ["the address of an older one", "HTTP_301", /homeserver\.url redirects/],
    ["a homeserver that is overloaded", "HTTP_503", /^homeserver answers, but /],
    ["a homeserver that says what no homeserver says", "M_ODD", /^homeserver refuses /],
  ])("%s", async (_, code, words) => {
    homeserver.current.failure = new HomeserverError(code, "as it said", /^(UNREACHABLE|HTTP_5)/.test(code));
    const met = awaitHomeserver(parts(), new AbortController().signal);
    await turns();
    expect(telemetry.current.lines).toMatchObject([
      { level: "warn", message: expect.stringMatching(words), fields: { reason: `${code}: as it said` } },
    ]);
    expect(problems.map(({ line }) => line)).toEqual([telemetry.current.lines[0]?.message]);
    homeserver.current.failure = undefined;
    clock.advance(1_000);
    expect(await met).toEqual({ kind: "answered", durationMs: 1 });
  });

  test("a homeserver that knows the bridge by another name", async () => {
    homeserver.current.seenAs = "@_phone:example.org" as UserId;
    const met = awaitHomeserver(parts(), new AbortController().signal);
    await turns();
    expect(problems).toMatchObject([
      { line: expect.stringContaining("another copy of the registration"), reason: expect.stringContaining("_phone") },
    ]);
    homeserver.current.seenAs = homeserver.current.sender;
    clock.advance(1_000);
    expect(await met).toMatchObject({ kind: "answered" });
  });

  test("in an hour, at growing intervals, not at every attempt", async () => {
    homeserver.current.failure = new HomeserverError("M_UNKNOWN_TOKEN", "Unrecognised access token", false);
    const stop = new AbortController();
    const met = awaitHomeserver(parts(), stop.signal);
    for (let second = 0; second < 3_600; second += 5) {
      await turns();
      clock.advance(5_000);
    }
    expect(problems.length).toBeGreaterThan(300);
    const said = telemetry.current.lines.filter(({ level }) => level === "warn").length;
    expect(said).toBeGreaterThan(3);
    expect(said).toBeLessThan(8);
    stop.abort();
    await met;
  });
});

test("the waiting ends when the bridge is stopped", async () => {
  homeserver.current.failure = new HomeserverError("UNREACHABLE", "connection refused", true);
  const stop = new AbortController();
  const met = awaitHomeserver(parts(), stop.signal);
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  stop.abort();
  expect(await met).toBeUndefined();
});
