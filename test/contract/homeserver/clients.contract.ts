// What a calling client needs beside calls: sync, account data, errors it understands.
import { beforeAll, describe, expect, test } from "vitest";
import type { HomeserverRig } from "./rig.ts";
import { directRoom, freshNumber, send } from "./rig.ts";

export function clientContract(ready: () => HomeserverRig): void {
  describe("a client", () => {
    let rig: HomeserverRig;
    beforeAll(() => {
      rig = ready();
    });

    test("that waits in a sync is told at once what a ghost does", async () => {
      const { client } = await rig.person();
      const ghost = await rig.newGhost();
      const roomId = await directRoom(client, ghost);
      await rig.join(roomId, ghost);
      let token = String((await client("GET", "/v3/sync?timeout=0")).body["next_batch"]);
      const answer = await Promise.all([
        (async () => {
          for (;;) {
            const { body } = await client("GET", `/v3/sync?timeout=10000&since=${token}`);
            token = String(body["next_batch"]);
            const found = timelineOf(body, roomId).find(({ type }) => type === "m.call.answer");
            if (found) return found;
          }
        })(),
        send(rig.bridge, roomId, "m.call.answer", { call_id: "c" }, ghost),
      ]);
      expect(answer[0]).toMatchObject({ sender: ghost, content: { call_id: "c" } });
      expect(timelineOf((await client("GET", `/v3/sync?timeout=0&since=${token}`)).body, roomId)).toEqual([]);
    });

    test("knows its own events by their transaction id", async () => {
      const { client } = await rig.person();
      const roomId = await directRoom(client, await rig.newGhost());
      const txnId = freshNumber();
      await client("PUT", `/v3/rooms/${encodeURIComponent(roomId)}/send/m.call.hangup/${txnId}`, { call_id: "c" });
      const { body } = await client("GET", "/v3/sync?timeout=0");
      expect(timelineOf(body, roomId)).toContainEqual(
        expect.objectContaining({
          type: "m.call.hangup",
          unsigned: expect.objectContaining({ transaction_id: txnId }) as object,
        }),
      );
    });

    test("keeps its list of direct rooms as account data", async () => {
      const { userId, client } = await rig.person();
      const path = `/v3/user/${encodeURIComponent(userId)}/account_data/m.direct`;
      expect(await client("GET", path)).toMatchObject({ status: 404, body: { errcode: "M_NOT_FOUND" } });
      const direct = { [rig.ghostId("1")]: ["!room:example.org"] };
      expect(await client("PUT", path, direct)).toMatchObject({ status: 200 });
      expect(await client("GET", path)).toEqual({ status: 200, body: direct });
      const { body } = await client("GET", "/v3/sync?timeout=0");
      expect((body["account_data"] as { events: unknown[] }).events).toContainEqual({
        type: "m.direct",
        content: direct,
      });
    });

    test("hears that there is no TURN server", async () => {
      const { client } = await rig.person();
      expect(await client("GET", "/v3/voip/turnServer")).toEqual({ status: 200, body: {} });
    });

    test("is told M_UNRECOGNIZED of what the server does not know, in every browser", async () => {
      const { client } = await rig.person();
      expect(await client("GET", "/v3/no/such/thing")).toMatchObject({
        status: 404,
        body: { errcode: "M_UNRECOGNIZED" },
      });
      const preflight = await fetch(`${rig.server.url}/_matrix/client/v3/sync`, { method: "OPTIONS" });
      expect(preflight.ok).toBe(true);
      expect(preflight.headers.get("access-control-allow-origin")).toBe("*");
      expect(preflight.headers.get("access-control-allow-headers")).toContain("Authorization");
    });

    test("that sends no JSON is told so", async () => {
      const { accessToken } = await rig.server.newUser();
      const response = await fetch(`${rig.server.url}/_matrix/client/v3/createRoom`, {
        method: "POST",
        headers: { authorization: `Bearer ${accessToken}` },
        body: "{",
      });
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ errcode: rig.isDendrite ? "M_BAD_JSON" : "M_NOT_JSON" });
    });
  });
}

type TimelineEvent = { readonly type: string; readonly [field: string]: unknown };

function timelineOf(sync: Record<string, unknown>, roomId: string): TimelineEvent[] {
  const rooms = sync["rooms"] as { join?: Record<string, { timeline: { events: TimelineEvent[] } }> } | undefined;
  return rooms?.join?.[roomId]?.timeline.events ?? [];
}
