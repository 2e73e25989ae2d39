// How good the audio of a call is, over the admin API.
import { once } from "node:events";
import { connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { noMediaStats } from "../../../src/core/call/model/media-stats.ts";
import { callId } from "../../../src/core/ids.ts";
import { qualityBetween } from "../../../src/core/quality/direction-quality.ts";
import { event } from "../../../src/http/admin/wire/events.ts";
import { atMs } from "../../fakes/admin-door.ts";
import { startAdmin } from "./admin-rig.ts";

const hears = { lostPercent: 0.78, jitterMs: 3, roundTripMs: 42 };
const quality = qualityBetween(noMediaStats, {
  codec: "PCMU",
  a: { ...noMediaStats.a, packets: 197, lost: 3, jitterMs: 4.26, levelDbov: -21, hears },
  b: noMediaStats.b,
});
const said = {
  from_matrix: { packets: 197, lost_percent: 1.5, jitter_ms: 4.3, round_trip_ms: 42, level_dbov: -21, mos: 4.28 },
  from_trunk: { packets: 0, lost_percent: 0, onward_lost_percent: 0.8, onward_jitter_ms: 3 },
};

test("comes as a series of samples in both directions, and not at all of a call that is not up", async () => {
  const { ask, door } = await startAdmin();
  expect((await ask("/calls/c-1/quality")).status).toBe(404);
  door.samples.set("c-1", [{ atMs, quality }]);
  const { body } = await ask("/calls/c-1/quality");
  expect(body).toMatchObject({ interval_seconds: 5, samples: [{ at: "2026-11-30T12:00:00.000Z", ...said }] });
  expect(JSON.stringify(body)).not.toContain('"mos":null');
});

test("comes in the stream of events where that asks for it, and nowhere else", async () => {
  const { socketPath, door, ask } = await startAdmin();
  const read = async (query: string): Promise<() => string> => {
    const socket = connect(socketPath).setEncoding("utf8");
    onTestFinished(() => void socket.destroy());
    let text = "";
    socket.on("data", (chunk: string) => (text += chunk));
    socket.write(`GET /admin/v1/events${query} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
    await once(socket, "data");
    return () => text;
  };
  const plain = await read("");
  const measured = await read("?measured=true");
  for (const listener of door.measuring) await listener({ kind: "call.measured", call: callId("c-1"), atMs, quality });
  for (const listener of door.listeners) await listener({ kind: "store.mended", atMs });
  await expect.poll(measured).toContain("store.mended");
  await expect.poll(plain).toContain("store.mended");
  expect(plain()).not.toContain("call.measured");
  const [, data = ""] = /event: call\.measured\ndata: (.*)\n/.exec(measured()) ?? [];
  expect(event.parse(JSON.parse(data))).toMatchObject({ call: "c-1", ...said });
  expect((await ask("/events?measured=yes")).status).toBe(400);
});
