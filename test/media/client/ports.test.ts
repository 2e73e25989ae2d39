// The ports for ICE: a client that calls when none is left is refused, and nobody else is harmed.
import { expect } from "vitest";
import { freePort } from "../../../dev/loopback/free-ports.ts";
import { ClientPeer } from "../peers/client-peer.ts";
import { startRig } from "../peers/rig.ts";
import { test } from "../peers/scope.ts";
import { bothHz, clientHz, startTalk, trunkHz } from "../peers/talk.ts";
import { TrunkPeer } from "../peers/trunk-peer.ts";

test("a client that calls when no port is left is refused, and who is talking goes on", async ({ scope }) => {
  const only = await freePort();
  const rig = await startRig({ ice: { bindHost: "127.0.0.1", portMin: only, portMax: only } });
  scope.add(async () => rig.engine.stop());
  const talk = await startTalk(rig, scope);
  const client = new ClientPeer({ hz: clientHz });
  scope.add(() => client.close());
  const trunk = await TrunkPeer.open({ hz: trunkHz });
  scope.add(async () => trunk.close());
  const { session } = await rig.open();
  scope.add(async () => session.close());
  await session.offer("a", await client.offer());
  await expect(session.answer("b", trunk.sdp())).rejects.toMatchObject({ code: "engine" });
  expect((await talk.trunk.ear.nextSecond(bothHz)).hz).toBe(clientHz);
  expect(rig.log.map(({ message }) => message)).not.toContain("media worker ended");
});
