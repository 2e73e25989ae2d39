// What calls of MatrixRTC need: events that are sent later unless somebody puts that off, tokens that tell others who somebody
// is, where the media server is, references, and taking an event back.
import { beforeAll, describe, expect, test } from "vitest";
import { patienceMs } from "../../../dev/loopback/patience.ts";
import { actingAs } from "../client-request.ts";
import type { HomeserverRig } from "./rig.ts";
import { directRoom, freshNumber, isOfType, send } from "./rig.ts";

const memberType = "org.matrix.msc3401.call.member";
const ringType = "org.matrix.msc4075.rtc.notification";
const delayed = "/unstable/org.matrix.msc4140/delayed_events";

export function rtcContract(ready: () => HomeserverRig): void {
  describe("calls of MatrixRTC", () => {
    let rig: HomeserverRig;
    beforeAll(() => {
      rig = ready();
    });

    /** A number in a room with a person, and its place in the state of the room's call. */
    async function numberInRoom() {
      const { client } = await rig.person();
      const ghost = await rig.newGhost();
      const room = await directRoom(client, ghost);
      await rig.join(room, ghost);
      const path = `/v3/rooms/${encodeURIComponent(room)}`;
      const state = `${path}/state/${memberType}/${encodeURIComponent(`_${ghost}_SIP1_m.call`)}`;
      const as = actingAs(ghost);
      return { client, ghost, room, path, state, as };
    }

    const content = { application: "m.call", call_id: "", device_id: "SIP1" };

    test("a number's leave is sent by itself, unless it is put off or cancelled", async () => {
      const { ghost, room, state, as } = await numberInRoom();
      if (rig.isDendrite) {
        // It delays no events, and sends the leave at once: whoever comes into a call asks for it before they do.
        const answer = await rig.bridge("PUT", `${state}?org.matrix.msc4140.delay=60000&${as}`, {});
        expect(answer).toMatchObject({ status: 200, body: { event_id: expect.any(String) as string } });
        return;
      }
      const leave = async (delayMs: number) => {
        const { status, body } = await rig.bridge("PUT", `${state}?org.matrix.msc4140.delay=${delayMs}&${as}`, {});
        expect(status, JSON.stringify(body)).toBe(200);
        return String(body["delay_id"]);
      };
      const kept = await leave(60_000);
      expect(await rig.bridge("PUT", `${state}?${as}`, content)).toMatchObject({ status: 200 });
      const { body } = await rig.bridge("GET", `${delayed}?${as}`);
      expect(body["delayed_events"]).toMatchObject([
        {
          delay_id: kept,
          room_id: room,
          type: memberType,
          state_key: `_${ghost}_SIP1_m.call`,
          delay: 60_000,
          content: {},
        },
      ]);
      expect(await rig.bridge("POST", `${delayed}/${kept}/restart?${as}`, {})).toMatchObject({ status: 200 });
      expect(await rig.bridge("POST", `${delayed}/${kept}/cancel?${as}`, {})).toMatchObject({ status: 200 });
      for (const action of ["restart", "cancel"]) {
        expect(await rig.bridge("POST", `${delayed}/${kept}/${action}?${as}`, {})).toMatchObject({
          status: 404,
          body: { errcode: "M_NOT_FOUND" },
        });
      }
      await leave(200);
      const left = await rig.pushed(
        room,
        (event) => event.type === memberType && Object.keys(event.content).length === 0,
      );
      expect(left.sender).toBe(ghost);
      expect((await rig.bridge("GET", `${delayed}?${as}`)).body["delayed_events"]).toEqual([]);
      const { body: versions } = await rig.bridge("GET", "/versions");
      expect(versions["unstable_features"]).toMatchObject({ "org.matrix.msc4140": true });
    });

    test("the state says which event is before the one that it has now", async () => {
      const { state, as } = await numberInRoom();
      const joined = await rig.bridge("PUT", `${state}?${as}`, content);
      await rig.bridge("PUT", `${state}?${as}`, {});
      expect((await rig.bridge("GET", `${state}?format=event&${as}`)).body).toMatchObject({
        content: {},
        ...(!rig.isDendrite && { unsigned: { replaces_state: joined.body["event_id"] } }),
      });
    });

    test("a ring is found by the membership that it refers to, and taken back", async () => {
      const { room, path, state, as, ghost } = await numberInRoom();
      const { body } = await rig.bridge("PUT", `${state}?${as}`, content);
      const relation = { "m.relates_to": { rel_type: "m.reference", event_id: body["event_id"] } };
      const ring = await send(rig.bridge, room, ringType, { ...relation, lifetime: 60_000 }, ghost);
      const related = `/v1/rooms/${encodeURIComponent(room)}/relations/${encodeURIComponent(String(body["event_id"]))}`;
      // Dendrite knows of a relation some moments after it has taken the event.
      await expect
        .poll(async () => (await rig.bridge("GET", `${related}/m.reference?${as}`)).body, { timeout: patienceMs })
        .toMatchObject({ chunk: [{ event_id: ring.body["event_id"], type: ringType, sender: ghost }] });
      const redact = `${path}/redact/${encodeURIComponent(String(ring.body["event_id"]))}/${freshNumber()}?${as}`;
      expect(await rig.bridge("PUT", redact, {})).toMatchObject({ status: 200 });
      // Dendrite pushes no redactions.
      if (!rig.isDendrite) await rig.pushed(room, isOfType("m.room.redaction"));
    });

    test("a number puts keys under its message, and is told what a person taps and takes back", async () => {
      const { client, ghost, room, path } = await numberInRoom();
      const message = String(
        (await send(rig.bridge, room, "m.room.message", { msgtype: "m.notice", body: "Keypad" }, ghost)).body[
          "event_id"
        ],
      );
      const key = { "m.relates_to": { rel_type: "m.annotation", event_id: message, key: "5️⃣" } };
      expect(await send(rig.bridge, room, "m.reaction", key, ghost)).toMatchObject({ status: 200 });
      const tap = String((await send(client, room, "m.reaction", key)).body["event_id"]);
      expect(await rig.pushed(room, (event) => event["event_id"] === tap)).toMatchObject({ content: key });
      const redact = `${path}/redact/${encodeURIComponent(tap)}/${freshNumber()}`;
      expect(await client("PUT", redact, {})).toMatchObject({ status: 200 });
      // Dendrite pushes no redactions.
      if (rig.isDendrite) return;
      const taken = await rig.pushed(room, isOfType("m.room.redaction"));
      expect([taken.content["redacts"], (taken as { redacts?: unknown }).redacts]).toContain(tap);
    });

    test("a number gets a token that tells others who it is, and nobody gets one for somebody else", async () => {
      const ghost = await rig.newGhost();
      const path = `/v3/user/${encodeURIComponent(ghost)}/openid/request_token`;
      expect(await rig.bridge("POST", `${path}?${actingAs(ghost)}`, {})).toMatchObject({
        status: 200,
        body: {
          access_token: expect.any(String) as string,
          token_type: "Bearer",
          matrix_server_name: rig.server.domain,
        },
      });
      const { client } = await rig.person();
      expect(await client("POST", path, {})).toMatchObject({ status: 403, body: { errcode: "M_FORBIDDEN" } });
    });

    test("the bridge is told where the media server is", async () => {
      const answer = await rig.bridge("GET", "/unstable/org.matrix.msc4143/rtc/transports");
      if (rig.isDendrite) {
        expect(answer.status).toBe(404);
        return;
      }
      const livekit_service_url = "http://127.0.0.1:9/token";
      expect(answer).toEqual({ status: 200, body: { rtc_transports: [{ type: "livekit", livekit_service_url }] } });
    });

    test("a sticky event says for how long it sticks", async () => {
      const { client, room } = await numberInRoom();
      const type = "org.matrix.msc4143.rtc.member";
      const query = "org.matrix.msc4354.sticky_duration_ms=3600000";
      const path = `/v3/rooms/${encodeURIComponent(room)}/send/${type}/${freshNumber()}?${query}`;
      expect(await client("PUT", path, { msc4354_sticky_key: "k" })).toMatchObject({ status: 200 });
      const event = await rig.pushed(room, isOfType(type));
      if (rig.isDendrite) {
        expect(event).not.toHaveProperty("msc4354_sticky");
        expect((await rig.bridge("GET", "/versions")).body["unstable_features"]).not.toHaveProperty([
          "org.matrix.msc4354",
        ]);
        return;
      }
      expect((await rig.bridge("GET", "/versions")).body["unstable_features"]).toMatchObject({
        "org.matrix.msc4354": true,
      });
      expect(event).toMatchObject({ msc4354_sticky: { duration_ms: 3_600_000 } });
      expect((event["unsigned"] as Record<string, unknown>)["msc4354_sticky_duration_ttl_ms"]).toBeGreaterThan(
        3_500_000,
      );
    });

    test("a number's sticky leave is sent by itself or when it is asked for, and sticks", async () => {
      if (rig.isDendrite) return;
      const { ghost, room, path, as } = await numberInRoom();
      const type = "org.matrix.msc4143.rtc.member";
      const sticky = "org.matrix.msc4354.sticky_duration_ms=3600000";
      const leave = async (key: string, delayMs: number) => {
        const query = `org.matrix.msc4140.delay=${delayMs}&${sticky}&${as}`;
        const target = `${path}/send/${type}/${freshNumber()}?${query}`;
        const { status, body } = await rig.bridge("PUT", target, { msc4354_sticky_key: key });
        expect(status, JSON.stringify(body)).toBe(200);
        return String(body["delay_id"]);
      };
      const waiting = await leave("asked", 60_000);
      const { body } = await rig.bridge("GET", `${delayed}?${as}`);
      const [first, ...others] = body["delayed_events"] as readonly Record<string, unknown>[];
      expect(others).toEqual([]);
      expect(first).toMatchObject({ delay_id: waiting, room_id: room, type, content: { msc4354_sticky_key: "asked" } });
      expect(first?.["state_key"] ?? undefined).toBeUndefined();
      expect(await rig.bridge("POST", `${delayed}/${waiting}/restart?${as}`, {})).toMatchObject({ status: 200 });
      expect(await rig.bridge("POST", `${delayed}/${waiting}/send?${as}`, {})).toMatchObject({ status: 200 });
      await leave("by itself", 200);
      for (const key of ["asked", "by itself"]) {
        const left = await rig.pushed(room, ({ content }) => content["msc4354_sticky_key"] === key);
        expect(left).toMatchObject({ type, sender: ghost, msc4354_sticky: { duration_ms: 3_600_000 } });
      }
      // Whoever looks for what a number has left behind finds it so.
      const filter = encodeURIComponent(JSON.stringify({ types: [type], senders: [ghost] }));
      const { body: page } = await rig.bridge("GET", `${path}/messages?dir=b&limit=10&filter=${filter}&${as}`);
      expect(page["chunk"]).toMatchObject([
        { content: { msc4354_sticky_key: "by itself" }, msc4354_sticky: { duration_ms: 3_600_000 } },
        { content: { msc4354_sticky_key: "asked" } },
      ]);
    });
  });
}
