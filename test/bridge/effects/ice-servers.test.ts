// Which STUN and TURN servers a call gets.
import { expect, test } from "vitest";
import { iceServersFor } from "../../../src/bridge/effects/ice-servers.ts";
import type { UserId } from "../../../src/core/ids.ts";
import { HomeserverError } from "../../../src/ports/homeserver.ts";
import { FakeTelemetry } from "../../fakes/telemetry.ts";

const ghost = "@_sip_1%40sip.example.org:example.org" as UserId;
const configured = [{ urls: ["stun:stun.example.org"] }];
const bot = "@_sip_bot:example.org" as UserId;
const ghosts = { isKnown: async () => true };
const lent = [{ urls: ["turn:turn.example.org"], username: "u", credential: "c" }];

test("the configured ones, and those of the homeserver where it is asked", async () => {
  const homeserver = { bot, iceServers: async () => lent };
  const { log } = new FakeTelemetry();
  expect(
    await iceServersFor(ghost, { homeserver, ghosts, configured: () => configured, askHomeserver: () => true }, log),
  ).toEqual([...configured, ...lent]);
  expect(
    await iceServersFor(ghost, { homeserver, ghosts, configured: () => configured, askHomeserver: () => false }, log),
  ).toEqual(configured);
});

test("a homeserver that does not say keeps no call from being made", async () => {
  const telemetry = new FakeTelemetry();
  const homeserver = {
    bot,
    iceServers: async () => {
      throw new HomeserverError("UNREACHABLE", "gone", true);
    },
  };
  expect(
    await iceServersFor(
      ghost,
      { homeserver, ghosts, configured: () => configured, askHomeserver: () => true },
      telemetry.log,
    ),
  ).toEqual(configured);
  expect(telemetry.lines.map(({ level }) => level)).toEqual(["warn"]);
});
