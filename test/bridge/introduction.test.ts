// How the bridge and its homeserver meet for the first time.
import { beforeEach, describe, expect, test } from "vitest";
import { introduce, introduceSoon, type IntroductionParts } from "../../src/bridge/introduction.ts";
import { createGhostIds, type GhostEncoding } from "../../src/core/number/ghost-id.ts";
import { HomeserverError } from "../../src/ports/homeserver.ts";
import { openMemoryStore } from "../../src/store/memory-store.ts";
import { FakeHomeserver, FakeTelemetry } from "../fakes/ports.ts";
import { VirtualClock } from "../fakes/virtual-clock.ts";

const homeserver = { current: new FakeHomeserver() };
const clock = new VirtualClock();

function parts(encoding: GhostEncoding = "percent"): IntroductionParts {
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
    log: new FakeTelemetry().log,
  };
}

beforeEach(() => {
  homeserver.current = new FakeHomeserver();
});

test("the bot is registered and named, and every form of ghost id is tried", async () => {
  expect(await introduce(parts("e164"))).toEqual({ kind: "answered", durationMs: 1 });
  expect(homeserver.current.registered).toEqual([
    "@_sip_bot:example.org",
    "@_sip_0=40sip.example.org:example.org",
    "@_sip_+10:example.org",
  ]);
  expect(homeserver.current.names.get(homeserver.current.bot)).toBe("Telephone");
});

describe("a refusal says what to change", () => {
  test.each([
    ["M_UNKNOWN_TOKEN", "app_service_config_files"],
    ["M_EXCLUSIVE", "ghosts.prefix"],
  ])("%s", async (code, words) => {
    homeserver.current.failure = new HomeserverError(code, "no", false);
    await expect(introduce(parts())).rejects.toThrow(words);
  });

  test("an id that the homeserver does not take", async () => {
    const strict = homeserver.current;
    strict.register = async (user) => {
      if (user.includes("%")) throw new HomeserverError("M_INVALID_USERNAME", "bad characters", false);
    };
    await expect(introduce(parts())).rejects.toThrow("set ghosts.encoding to grammar (now percent)");
    await expect(introduce(parts("grammar"))).resolves.toMatchObject({ kind: "answered" });
  });
});

test("a homeserver that is not there yet is waited for", async () => {
  homeserver.current.failure = new HomeserverError("UNREACHABLE", "connection refused", true);
  const met = introduceSoon(parts(), new AbortController().signal);
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  homeserver.current.failure = undefined;
  clock.advance(1_000);
  expect(await met).toEqual({ kind: "answered", durationMs: 1 });
});

test("the waiting ends when the bridge is stopped", async () => {
  homeserver.current.failure = new HomeserverError("UNREACHABLE", "connection refused", true);
  const stop = new AbortController();
  const met = introduceSoon(parts(), stop.signal);
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  stop.abort();
  expect(await met).toBeUndefined();
});
