// Audio from end to end: a WebRTC client, the engine's worker process, and a plain RTP gateway, on real sockets.
import nodeDataChannel from "node-datachannel";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { ClientPeer } from "./client-peer.ts";
import { startRig, type OpenSession, type Rig } from "./rig.ts";
import { TrunkPeer } from "./trunk-peer.ts";

let rig: Rig;
const closing: (() => unknown)[] = [];

beforeAll(async () => {
  rig = await startRig();
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
afterAll(async () => {
  await rig.engine.stop();
  nodeDataChannel.cleanup();
});

interface Talk {
  readonly client: ClientPeer;
  readonly trunk: TrunkPeer;
  readonly open: OpenSession;
  readonly trunkOffer: string;
}

async function talk(): Promise<Talk> {
  const client = new ClientPeer({ hz: 440 });
  const trunk = await TrunkPeer.open({ hz: 1000 });
  const open = await rig.open();
  const outcome = await open.session.offer("matrix", await client.offer());
  trunk.aim(outcome.sdp);
  client.answered(await open.session.answer("trunk", trunk.sdp()));
  await client.connected();
  client.speak();
  trunk.speak();
  closing.push(
    () => client.close(),
    async () => trunk.close(),
    async () => open.session.close(),
  );
  return { client, trunk, open, trunkOffer: outcome.sdp };
}

test("each hears the other's tone", async () => {
  const { client, trunk, open } = await talk();
  await open.fact("media.connected");
  const [atTrunk, atClient] = await Promise.all([
    trunk.ear.nextSecond([440, 1000]),
    client.ear.nextSecond([440, 1000]),
  ]);
  expect(atTrunk.hz).toBe(440);
  expect(atTrunk.ratio).toBeGreaterThan(100);
  expect(atClient.hz).toBe(1000);
  expect(atClient.ratio).toBeGreaterThan(100);
  const stats = await open.session.stats();
  expect(stats.codec).toBe("PCMU");
  expect(stats.fromMatrix.packets).toBeGreaterThanOrEqual(50);
  expect(stats.fromTrunk.packets).toBeGreaterThanOrEqual(50);
  expect(stats.fromMatrix.lost).toBe(0);
});
