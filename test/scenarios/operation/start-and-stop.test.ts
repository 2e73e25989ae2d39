// The door is opened and closed: which edge is started before which, and what is left of a start that fails.
import { expect, test } from "vitest";
import { MediaError } from "../../../src/ports/media.ts";
import { accepted, room, TestBridge } from "../test-bridge.ts";

test("a started bridge takes calls from what its edges are given, and a stop ends them with words, then closes", async () => {
  const bridge = new TestBridge({ dids: { rules: [] } });
  await bridge.door.start();
  await bridge.quiet();
  expect(bridge.matrix.steps).toEqual(["listen", "deliver"]);
  expect(bridge.homeserver.registered).toContain(bridge.homeserver.bot);
  await bridge.enterRoom();
  await bridge.matrix.sinks?.heard(bridge.inviteFact());
  await bridge.quiet();
  bridge.trunks.sinks?.heard(bridge.call(), accepted);
  await bridge.quiet();
  const stopped = bridge.door.stop();
  await bridge.quiet();
  expect(bridge.words).toEqual(["The call ended because the bridge restarted."]);
  expect(bridge.matrix.steps).toEqual(["listen", "deliver"]);
  bridge.trunks.sinks?.heard(bridge.call(), { kind: "sip.ended" });
  await stopped;
  expect([bridge.matrix.steps.at(-1), bridge.clock.pending]).toEqual(["stop", 0]);
});

test("a bridge that starts ends what a dead one left before it acts on anything new", async () => {
  const before = new TestBridge();
  await before.ring();
  await before.sip(accepted);
  const after = new TestBridge({ store: before.store, dids: { rules: [] } });
  await after.door.start();
  expect(after.trunks.verbs).toEqual(["resume", "bye"]);
  await after.quiet();
  expect(after.homeserver.notices).toMatchObject([{ room, text: "The call ended because the bridge restarted." }]);
});

test("where one edge cannot start, those that were started are stopped again", async () => {
  const bridge = new TestBridge();
  bridge.media.engine.startFailure = new MediaError("engine", "no worker starts");
  await expect(bridge.door.start()).rejects.toThrow("no worker starts");
  expect(bridge.matrix.steps).toEqual(["listen", "stop"]);
  expect(bridge.trunks.sinks).toBeUndefined();
  expect(bridge.clock.pending).toBe(0);
});

test("a homeserver that never works with this configuration is told by `refused`, and the bridge goes on until it is stopped", async () => {
  const bridge = new TestBridge();
  bridge.homeserver.seenAs = "@_sip_bot:example.com" as typeof bridge.homeserver.bot;
  await bridge.door.start();
  await expect(bridge.door.refused).rejects.toThrow("set homeserver.domain");
  await bridge.door.stop();
});
