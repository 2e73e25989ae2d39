// A call's room: what the service sees of it, and what client and ghost can do there.
import { beforeAll, describe, expect, test } from "vitest";
import { actingAs } from "../client-request.ts";
import type { HomeserverRig } from "./rig.ts";
import { directRoom, elementsRoom, freshNumber, isMembership, isOfType, send } from "./rig.ts";

export function roomContract(ready: () => HomeserverRig): void {
  describe("a call's room", () => {
    let rig: HomeserverRig;
    beforeAll(() => {
      rig = ready();
    });

    test("is unknown to the service until the ghost has joined, but for the invitation", async () => {
      const { userId, client } = await rig.person();
      const ghost = await rig.newGhost();
      const roomId = await directRoom(client, ghost);
      const call = await send(client, roomId, "m.call.invite", { call_id: "c", version: "1", lifetime: 60_000 });
      const invitation = await rig.pushed(roomId, isOfType("m.room.member"));
      expect(invitation).toMatchObject({
        sender: userId,
        state_key: ghost,
        content: { membership: "invite", is_direct: true },
        unsigned: rig.isDendrite ? {} : { age: expect.any(Number) as number },
      });
      const stripped = invitation.unsigned?.["invite_room_state"] as { type: string }[];
      expect(stripped.map(({ type }) => type)).toEqual(
        expect.arrayContaining(["m.room.create", "m.room.join_rules", "m.room.member"]),
      );

      expect(await rig.join(roomId, ghost)).toMatchObject({ status: 200, body: { room_id: roomId } });
      await rig.pushed(roomId, isMembership(ghost, "join"));
      // Dendrite asks who is in the room when it pushes, not when an event is sent: it may push what came before the join.
      if (!rig.isDendrite) {
        expect(rig.appservice.events(roomId).map(({ event_id }) => event_id)).not.toContain(call.body["event_id"]);
      }

      // The way to what was sent before the join: the timeline.
      const path = `/v3/rooms/${encodeURIComponent(roomId)}/messages?dir=b&limit=50&${actingAs(ghost)}`;
      const { status, body } = await rig.bridge("GET", path);
      expect(status).toBe(200);
      expect(body["chunk"]).toContainEqual(
        expect.objectContaining({
          event_id: call.body["event_id"],
          type: "m.call.invite",
          sender: userId,
          ...(rig.isDendrite
            ? {}
            : { unsigned: expect.objectContaining({ age: expect.any(Number) as number }) as object }),
        }),
      );
    });

    test("is closed to a ghost that is only invited, but for reading on Dendrite", async () => {
      const { client } = await rig.person();
      const ghost = await rig.newGhost();
      const room = `/v3/rooms/${encodeURIComponent(await directRoom(client, ghost))}`;
      expect(await rig.bridge("GET", `${room}/messages?dir=b&${actingAs(ghost)}`)).toMatchObject({
        status: rig.isDendrite ? 200 : 403,
      });
      expect(await rig.bridge("PUT", `${room}/send/m.call.answer/1?${actingAs(ghost)}`, {})).toMatchObject({
        status: 403,
        body: { errcode: "M_FORBIDDEN" },
      });
    });

    test("tells the service everything after the join, its own ghost's events too, in order", async () => {
      const { userId, client } = await rig.person();
      const ghost = await rig.newGhost();
      const roomId = await directRoom(client, ghost);
      await rig.join(roomId, ghost);
      for (const candidate of ["1", "2", "3"]) await send(client, roomId, "m.call.candidates", { candidate });
      await send(rig.bridge, roomId, "m.call.answer", { call_id: "c" }, ghost);
      await rig.pushed(roomId, isOfType("m.call.answer"));
      const calls = rig.appservice.events(roomId).filter(({ type }) => type.startsWith("m.call."));
      expect(calls.map(({ sender, content }) => [sender, content["candidate"]])).toEqual([
        [userId, "1"],
        [userId, "2"],
        [userId, "3"],
        [ghost, undefined],
      ]);
    });

    test("tells the service when the person leaves", async () => {
      const { userId, client } = await rig.person();
      const ghost = await rig.newGhost();
      const roomId = await directRoom(client, ghost);
      await rig.join(roomId, ghost);
      expect(await client("POST", `/v3/rooms/${encodeURIComponent(roomId)}/leave`, {})).toMatchObject({
        status: 200,
      });
      await rig.pushed(roomId, isMembership(userId, "leave"));
    });

    test("gives ghost and person the same power, and lets the ghost see who is there", async () => {
      const { userId, client } = await rig.person();
      const ghost = await rig.newGhost();
      const roomId = await directRoom(client, ghost);
      await rig.join(roomId, ghost);
      const room = `/v3/rooms/${encodeURIComponent(roomId)}`;
      expect(await rig.bridge("GET", `${room}/state/m.room.power_levels?${actingAs(ghost)}`)).toMatchObject({
        status: 200,
        body: { users: { [userId]: 100, [ghost]: 100 } },
      });
      const members = await rig.bridge("GET", `${room}/joined_members?${actingAs(ghost)}`);
      expect(Object.keys(members.body["joined"] as object).toSorted()).toEqual([userId, ghost].toSorted());
      expect(await rig.bridge("GET", `${room}/state/m.room.encryption?${actingAs(ghost)}`)).toMatchObject({
        status: 404,
        body: { errcode: "M_NOT_FOUND" },
      });
    });

    test("tells the service who is there, which need not say which ghost of its own is, but on Dendrite", async () => {
      const { userId, client } = await rig.person();
      const ghost = await rig.newGhost();
      const roomId = await directRoom(client, ghost);
      const path = `/v3/rooms/${encodeURIComponent(roomId)}/joined_members`;
      expect(await rig.bridge("GET", path)).toMatchObject({ status: 403, body: { errcode: "M_FORBIDDEN" } });
      await rig.join(roomId, ghost);
      const { status, body } = await rig.bridge("GET", path);
      expect(status === 200).toBe(!rig.isDendrite);
      if (rig.isDendrite) return;
      expect(Object.keys(body["joined"] as object).toSorted()).toEqual([userId, ghost].toSorted());
      const other = await rig.person();
      expect(await other.client("GET", path)).toMatchObject({ status: 403 });
    });

    test("is among the joined rooms of its ghost; a ghost that was never registered has none to tell", async () => {
      const { client } = await rig.person();
      const ghost = await rig.newGhost();
      const rooms = (user: string) => rig.bridge("GET", `/v3/joined_rooms?${actingAs(user)}`);
      const roomId = await directRoom(client, ghost);
      expect(await rooms(ghost)).toMatchObject({ status: 200, body: { joined_rooms: [] } });
      await rig.join(roomId, ghost);
      expect(await rooms(ghost)).toMatchObject({ status: 200, body: { joined_rooms: [roomId] } });
      expect(await rooms(rig.ghostId(freshNumber()))).toMatchObject({ status: 403, body: { errcode: "M_FORBIDDEN" } });
    });

    test("refuses a call where the room is public, but on Dendrite", async () => {
      const { client } = await rig.person();
      const { body } = await client("POST", "/v3/createRoom", { preset: "public_chat" });
      expect(await send(client, String(body["room_id"]), "m.call.invite", { call_id: "c" })).toMatchObject({
        status: rig.isDendrite ? 200 : 403,
      });
    });

    test("has one event per transaction id", async () => {
      const { client } = await rig.person();
      const roomId = await directRoom(client, await rig.newGhost());
      const path = `/v3/rooms/${encodeURIComponent(roomId)}/send/m.call.hangup/one-and-the-same`;
      const first = await client("PUT", path, { call_id: "c" });
      const second = await client("PUT", path, { call_id: "c" });
      expect(second.body["event_id"]).toBe(first.body["event_id"]);
    });

    test("gives its timeline by type, newest first, to who reads it back", async () => {
      const { client } = await rig.person();
      const ghost = await rig.newGhost();
      const roomId = await directRoom(client, ghost);
      await rig.join(roomId, ghost);
      for (const type of ["m.call.invite", "m.room.message", "m.call.candidates"]) {
        await send(client, roomId, type, { call_id: "c", msgtype: "m.text", body: "hello" });
      }
      const filter = encodeURIComponent(JSON.stringify({ types: ["m.call.invite", "m.call.candidates"] }));
      const path = `/v3/rooms/${encodeURIComponent(roomId)}/messages?dir=b&filter=${filter}&${actingAs(ghost)}`;
      const chunk = (await rig.bridge("GET", path)).body["chunk"] as { type: string }[];
      expect(chunk.map(({ type }) => type)).toEqual(["m.call.candidates", "m.call.invite"]);
    });

    test("can be a person's with the service's bot, which is told what is said there", async () => {
      await rig.register("_sip_bot");
      const { userId, client } = await rig.person();
      const bot = `@_sip_bot:${rig.server.domain}`;
      const roomId = await directRoom(client, bot);
      await rig.pushed(roomId, isMembership(bot, "invite"));
      expect(await rig.bridge("POST", `/v3/rooms/${encodeURIComponent(roomId)}/join`, {})).toMatchObject({
        status: 200,
      });
      await send(client, roomId, "m.room.message", { msgtype: "m.text", body: "call 01818118181" });
      expect(await rig.pushed(roomId, isOfType("m.room.message"))).toMatchObject({
        sender: userId,
        content: { body: "call 01818118181" },
      });
    });

    test("is closed to a person who was removed, and an invitation declined is told to the service", async () => {
      const { userId, client } = await rig.person();
      const ghost = await rig.newGhost();
      const created = await rig.bridge("POST", `/v3/createRoom?${actingAs(ghost)}`, { preset: "private_chat" });
      const room = `/v3/rooms/${encodeURIComponent(String(created.body["room_id"]))}`;
      const invite = () => rig.bridge("POST", `${room}/invite?${actingAs(ghost)}`, { user_id: userId });
      expect(await invite()).toMatchObject({ status: 200 });
      expect(await client("POST", `${room}/leave`, {})).toMatchObject({ status: 200 });
      await rig.pushed(String(created.body["room_id"]), isMembership(userId, "leave"));
      expect(await invite()).toMatchObject({ status: 200 });
      expect(await client("POST", `${room}/join`, {})).toMatchObject({ status: 200 });
      expect(await rig.bridge("POST", `${room}/kick?${actingAs(ghost)}`, { user_id: userId })).toMatchObject({
        status: 200,
      });
      expect(await client("PUT", `${room}/send/m.call.invite/1`, { call_id: "c" })).toMatchObject({ status: 403 });
    });

    test("can be made by a ghost, which calls a person", async () => {
      const { userId, client } = await rig.person();
      const ghost = await rig.newGhost();
      const { body } = await rig.bridge("POST", `/v3/createRoom?${actingAs(ghost)}`, elementsRoom(userId));
      const rooms = async () => (await client("GET", "/v3/sync?timeout=0")).body["rooms"];
      await expect.poll(rooms).toMatchObject({
        invite: { [String(body["room_id"])]: { invite_state: { events: expect.any(Array) as unknown[] } } },
      });
    });
  });
}
