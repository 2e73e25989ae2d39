// Test calls over the admin API.
import { expect, test } from "vitest";
import { ask, startAdmin } from "./admin-rig.ts";

test("are placed, noted as an admin's action, and looked at", async () => {
  const { door, socketPath } = await startAdmin();
  const place = { socketPath };
  const placed = await ask(place, "/admin/v1/test-calls", { method: "POST", body: { number: "01632 960000" } });
  expect([placed.status, placed.body]).toEqual([202, expect.objectContaining({ id: "t-1", phase: "over" })]);
  expect(door.placed).toEqual([{ number: "01632 960000", trunk: undefined, talkMs: 6_000 }]);
  expect(door.noted).toMatchObject([{ action: "place test call", outcome: "done" }]);
  expect((await ask(place, "/admin/v1/test-calls/t-1")).body).toEqual({
    id: "t-1",
    number: "+*********81",
    trunk: "main",
    phase: "over",
    started_at: "2026-11-30T12:00:00.000Z",
    ringing_after_ms: 300,
    answered_after_ms: 1_200,
    codec: "PCMA",
    heard: { packets: 300, lost: 0, jitter_ms: 2 },
  });
  expect((await ask(place, "/admin/v1/test-calls/t-9")).status).toBe(404);
});

test.each([
  ["premium-barred", 422, "unprocessable"],
  ["one-at-a-time", 429, "too_many_requests"],
  ["trunk-paused", 503, "unavailable"],
] as const)("that are refused (%s) say why, and are noted", async (why, status, code) => {
  const { door, socketPath } = await startAdmin();
  door.test = { kind: "refused", why, words: "No." };
  const order = { method: "POST", body: { number: "0909", seconds: 3 } };
  const { status: got, body } = await ask({ socketPath }, "/admin/v1/test-calls", order);
  expect([got, body]).toEqual([status, expect.objectContaining({ code, message: "No." })]);
  expect(door.noted).toMatchObject([{ action: "place test call", outcome: code }]);
});

test.each([{ number: "" }, { number: "1", seconds: 31 }, { number: "1", trunk: 5 }, {}])(
  "take no order such as %j",
  async (body) => {
    const { door, socketPath } = await startAdmin();
    expect((await ask({ socketPath }, "/admin/v1/test-calls", { method: "POST", body })).status).toBe(400);
    expect(door.placed).toEqual([]);
  },
);
