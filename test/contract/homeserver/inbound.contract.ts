// What a number that calls or writes to a person counts on: the person's devices, receipts, replies, texts sent once.
import { beforeAll, describe, expect, test } from "vitest";
import { actingAs, type Client, clientOf } from "../client-request.ts";
import type { HomeserverRig } from "./rig.ts";
import { directRoom, elementsRoom, freshNumber, isMembership, send } from "./rig.ts";

export function inboundContract(ready: () => HomeserverRig): void {
  let rig: HomeserverRig;
  beforeAll(() => {
    rig = ready();
  });

  /** A room that a ghost made for the person, who has not joined yet. */
  async function calledRoom(userId: string): Promise<{ ghost: string; roomId: string }> {
    const ghost = await rig.newGhost();
    const { status, body } = await rig.bridge("POST", `/v3/createRoom?${actingAs(ghost)}`, elementsRoom(userId));
    expect(status, JSON.stringify(body)).toBe(200);
    return { ghost, roomId: String(body["room_id"]) };
  }

  const pathOf = (roomId: string): string => `/v3/rooms/${encodeURIComponent(roomId)}`;

  describe("a person whom a number calls", () => {
    test("is invited into the number's room as a direct one, and may call in it like the number", async () => {
      const { userId, client } = await rig.person();
      const { ghost, roomId } = await calledRoom(userId);
      const { body } = await client("GET", "/v3/sync?timeout=0");
      const { invite } = body["rooms"] as { invite: Record<string, { invite_state: { events: object[] } }> };
      expect(invite[roomId]?.invite_state.events).toContainEqual(
        expect.objectContaining({
          type: "m.room.member",
          sender: ghost,
          state_key: userId,
          content: expect.objectContaining({ membership: "invite", is_direct: true }) as object,
        }),
      );
      expect(await client("POST", `${pathOf(roomId)}/join`, {})).toMatchObject({ status: 200 });
      await rig.pushed(roomId, isMembership(userId, "join"));
      expect(await send(client, roomId, "m.call.invite", { call_id: "c" })).toMatchObject({ status: 200 });
    });

    test("who joins while it rings finds the call in the timeline", async () => {
      const { userId, client } = await rig.person();
      const { ghost, roomId } = await calledRoom(userId);
      const call = { call_id: "zzz1", version: "1", lifetime: 90_000 };
      const { body } = await send(rig.bridge, roomId, "m.call.invite", call, ghost);
      await client("POST", `${pathOf(roomId)}/join`, {});
      // Dendrite answers a join before its sync knows of it.
      const inTimeline = async () => timelineOf((await client("GET", "/v3/sync?timeout=0")).body, roomId);
      await expect.poll(inTimeline).toContainEqual(
        expect.objectContaining({
          type: "m.call.invite",
          event_id: body["event_id"],
          sender: ghost,
          ...(rig.isDendrite
            ? {}
            : { unsigned: expect.objectContaining({ age: expect.any(Number) as number }) as object }),
        }),
      );
    });

    test("hears on each device of the answer on another", async () => {
      const [desk, pocket, userId] = await personWithTwoDevices();
      const { ghost, roomId } = await calledRoom(userId);
      await desk("POST", `${pathOf(roomId)}/join`, {});
      let token = "";
      const knowsRoom = async () => {
        const { body } = await pocket("GET", "/v3/sync?timeout=0");
        token = String(body["next_batch"]);
        return timelineOf(body, roomId).length > 0;
      };
      await expect.poll(knowsRoom).toBe(true);
      await send(rig.bridge, roomId, "m.call.invite", { call_id: "zzz1" }, ghost);
      await send(desk, roomId, "m.call.answer", { call_id: "zzz1", party_id: "DESK" });
      await rig.pushed(roomId, ({ type, sender }) => type === "m.call.answer" && sender === userId);
      const since = async () => timelineOf((await pocket("GET", `/v3/sync?timeout=0&since=${token}`)).body, roomId);
      await expect
        .poll(async () => (await since()).map(({ type }) => type).filter((type) => type.startsWith("m.call.")))
        .toEqual(["m.call.invite", "m.call.answer"]);
    });

    async function personWithTwoDevices(): Promise<readonly [Client, Client, string]> {
      const stranger = clientOf(rig.server.url);
      const [username, password] = [`two-devices-${freshNumber()}`, "correct horse battery"];
      const made = await stranger("POST", "/v3/register", { username, password, auth: { type: "m.login.dummy" } });
      const identifier = { type: "m.id.user", user: username };
      const second = await stranger("POST", "/v3/login", { type: "m.login.password", identifier, password });
      expect(second).toMatchObject({ status: 200, body: { user_id: made.body["user_id"] } });
      expect(second.body["device_id"]).not.toBe(made.body["device_id"]);
      const [first, other] = [made, second].map(({ body }) => clientOf(rig.server.url, String(body["access_token"])));
      if (!first || !other) throw new Error("There are two devices");
      return [first, other, String(made.body["user_id"])];
    }
  });

  describe("a number that joins", () => {
    test("finds in the timeline where it was invited, between what was said before and after", async () => {
      const { client } = await rig.person();
      const ghost = await rig.newGhost();
      const { body } = await client("POST", "/v3/createRoom", { preset: "private_chat" });
      const roomId = String(body["room_id"]);
      const say = (text: string) => send(client, roomId, "m.room.message", { msgtype: "m.text", body: text });
      await say("before");
      expect(await client("POST", `${pathOf(roomId)}/invite`, { user_id: ghost })).toMatchObject({ status: 200 });
      await say("after");
      await rig.join(roomId, ghost);
      const filter = encodeURIComponent(JSON.stringify({ types: ["m.room.message", "m.room.member"] }));
      const path = `${pathOf(roomId)}/messages?dir=b&limit=100&filter=${filter}&${actingAs(ghost)}`;
      const seen = async () => {
        const chunk = (await rig.bridge("GET", path)).body["chunk"] as {
          state_key?: string;
          content: { body?: string; membership?: string };
        }[];
        return chunk
          .filter(({ state_key }) => state_key === undefined || state_key === ghost)
          .map(({ content }) => content.body ?? content.membership);
      };
      // On Dendrite the timeline is a moment late.
      if (rig.isDendrite) await expect.poll(seen).toContain("join");
      expect((await seen()).slice(0, 3)).toEqual(["join", "after", "invite"]);
    });
  });

  describe("a text", () => {
    test("that a ghost sends again under its transaction id is one event, and under another id two", async () => {
      const { userId } = await rig.person();
      const { ghost, roomId } = await calledRoom(userId);
      const text = (transaction: string) =>
        rig.bridge("PUT", `${pathOf(roomId)}/send/m.room.message/${transaction}?${actingAs(ghost)}`, {
          msgtype: "m.text",
          body: "Hello",
        });
      const [one, again, other] = [await text("one"), await text("one"), await text("other")];
      expect([one.status, again.status, other.status]).toEqual([200, 200, 200]);
      expect(again.body["event_id"]).toBe(one.body["event_id"]);
      expect(other.body["event_id"]).not.toBe(one.body["event_id"]);
    });

    test("shows its writer that it was read by the number, and what the number says of it", async () => {
      const { client } = await rig.person();
      const ghost = await rig.newGhost();
      const roomId = await directRoom(client, ghost);
      await rig.join(roomId, ghost);
      const { body } = await send(client, roomId, "m.room.message", { msgtype: "m.text", body: "Hello?" });
      const eventId = String(body["event_id"]);
      const receipt = `${pathOf(roomId)}/receipt/m.read/${encodeURIComponent(eventId)}?${actingAs(ghost)}`;
      expect(await rig.bridge("POST", receipt, {})).toMatchObject({ status: 200 });
      const relation = { "m.in_reply_to": { event_id: eventId } };
      const notice = { msgtype: "m.notice", body: "Not delivered.", "m.relates_to": relation };
      expect(await send(rig.bridge, roomId, "m.room.message", notice, ghost)).toMatchObject({ status: 200 });
      const sync = await client("GET", "/v3/sync?timeout=0");
      expect(timelineOf(sync.body, roomId)).toContainEqual(
        expect.objectContaining({ sender: ghost, content: expect.objectContaining({ ...notice }) as object }),
      );
      const { join } = sync.body["rooms"] as {
        join: Record<string, { ephemeral: { events: { type: string; content: object }[] } }>;
      };
      const receipts = join[roomId]?.ephemeral.events.filter(({ type }) => type === "m.receipt");
      expect(receipts?.map(({ content }) => content)).toContainEqual(
        expect.objectContaining({ [eventId]: { "m.read": { [ghost]: expect.anything() as object } } }),
      );
    });

    test("cannot be marked as read by a number that is not in the room, but on Dendrite", async () => {
      const { client } = await rig.person();
      const roomId = await directRoom(client, await rig.newGhost());
      const { body } = await send(client, roomId, "m.room.message", { msgtype: "m.text", body: "Hello?" });
      const eventId = encodeURIComponent(String(body["event_id"]));
      const stranger = await rig.newGhost();
      const receipt = `${pathOf(roomId)}/receipt/m.read/${eventId}?${actingAs(stranger)}`;
      const { status } = await rig.bridge("POST", receipt, {});
      expect(status === 200).toBe(rig.isDendrite);
    });
  });
}

type TimelineEvent = { readonly type: string; readonly [field: string]: unknown };

function timelineOf(sync: Record<string, unknown>, roomId: string): TimelineEvent[] {
  const rooms = sync["rooms"] as { join?: Record<string, { timeline: { events: TimelineEvent[] } }> } | undefined;
  return rooms?.join?.[roomId]?.timeline.events ?? [];
}
