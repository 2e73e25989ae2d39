// The admin API over the bridge itself, with doubles at its edges alone.
import { expect, onTestFinished, test } from "vitest";
import { join } from "node:path";
import { createAdminServer } from "../../../src/http/admin/admin-server.ts";
import { collectingLog } from "../../matrix/edge-rig.ts";
import { accepted, ann, TestBridge } from "../../scenarios/test-bridge.ts";
import { ask as askAt, newFolder, type Asking } from "./admin-rig.ts";

test("an admin sees a call, hangs it up on both sides, and finds it and what they did in the history", async () => {
  const bridge = new TestBridge();
  const socketPath = join(newFolder(), "a.sock");
  const server = createAdminServer({
    door: bridge.adminDoor,
    socketPath,
    port: undefined,
    consoleFolder: undefined,
    wholeNumbers: true,
    version: "1.2.3",
    clock: bridge.clock,
    log: collectingLog([]),
  });
  await server.start();
  onTestFinished(() => server.stop());
  const ask = async (path: string, asking?: Asking) => (await askAt({ socketPath }, `/admin/v1${path}`, asking)).body;

  const id = await bridge.ring();
  await bridge.sip(accepted);
  bridge.telemetry.masksNumbers = true;
  expect(await ask("/calls")).toMatchObject({
    calls: [{ id, person: ann, phase: "connected", number: "number of 13 characters", media: { codec: "PCMU" } }],
  });
  expect(await ask("/limits")).toMatchObject({ calls_in_all: { used: 1 }, people: [{ person: ann, used: 1 }] });

  expect(await ask(`/calls/${id}/hangup`, { method: "POST", body: { reason: "toll fraud" } })).toEqual({ id });
  await bridge.quiet();
  expect(bridge.trunks.verbs).toEqual(["invite", "bye"]);
  expect(bridge.words).toEqual(["An administrator ended the call."]);
  await bridge.sip({ kind: "sip.ended" });
  await bridge.passTime(10_000);

  expect(await ask("/calls")).toEqual({ calls: [] });
  expect(await ask("/records?number=0181+811+8181&whole_numbers=true")).toMatchObject({
    records: [{ id, cause: "admin-ended", number: "+441818118181" }],
  });
  expect(await ask("/records")).toMatchObject({ records: [{ number: "number of 13 characters" }] });
  expect(await ask("/actions")).toMatchObject({ actions: [{ action: "hang up call", target: id, outcome: "done" }] });
});
