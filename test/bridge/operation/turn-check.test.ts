// What an admin is told of TURN servers that do not work.
import { expect, test } from "vitest";
import { checkTurn } from "../../../src/bridge/operation/turn-check.ts";
import type { UserId } from "../../../src/core/ids.ts";
import { FakeTelemetry } from "../../fakes/telemetry.ts";

const bot = "@_sip_bot:example.org" as UserId;
const lent = { urls: ["turn:turn.example.org"], username: "u", credential: "secret" };

test("the server, what is wrong with it and the setting are in one line and in the note, the password in neither", async () => {
  const { log, lines } = new FakeTelemetry();
  const note = await checkTurn({
    homeserver: { bot, iceServers: async () => [lent] },
    configured: () => [],
    askHomeserver: () => true,
    probe: async (servers) =>
      servers.map(() => ({ server: "turn.example.org:3478", reason: "refuses the credentials" })),
    log,
  });
  expect(note).toBe(
    "TURN server turn.example.org:3478 refuses the credentials: check the homeserver's own TURN settings",
  );
  expect(lines).toMatchObject([{ level: "warn", fields: { server: "turn.example.org:3478" } }]);
  expect(JSON.stringify(lines)).not.toContain("secret");
});

test("a homeserver that does not say is no reason to stop", async () => {
  const note = await checkTurn({
    homeserver: { bot, iceServers: () => Promise.reject(new Error("away")) },
    configured: () => [],
    askHomeserver: () => true,
    probe: async () => [],
    log: new FakeTelemetry().log,
  });
  expect(note).toBeUndefined();
});

test("where the homeserver's TURN servers are not used, they are not asked for or tried", async () => {
  const tried: unknown[] = [];
  await checkTurn({
    homeserver: { bot, iceServers: async () => [lent] },
    configured: () => [],
    askHomeserver: () => false,
    probe: async (servers) => {
      tried.push(...servers);
      return [];
    },
    log: new FakeTelemetry().log,
  });
  expect(tried).toEqual([]);
});
