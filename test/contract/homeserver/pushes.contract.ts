// Transactions to the application service: order, retries, questions that go before them.
import { beforeAll, describe, expect, test } from "vitest";
import type { HomeserverRig } from "./rig.ts";
import { directRoom, freshNumber, isMembership, isOfType, send } from "./rig.ts";

export function pushContract(ready: () => HomeserverRig): void {
  describe("pushes", () => {
    let rig: HomeserverRig;
    beforeAll(() => {
      rig = ready();
    });

    test("come to /_matrix/app/v1 with the hs_token as Bearer and nowhere else", async () => {
      const { client } = await rig.person();
      await rig.pushed(await directRoom(client, await rig.newGhost()), isOfType("m.room.member"));
      const { hs_token } = rig.appservice.registration;
      for (const { target, authorization } of rig.appservice.requests) {
        expect(target).toMatch(/^\/_matrix\/app\/v1\//);
        expect(target).not.toContain(hs_token);
        expect(authorization).toBe(`Bearer ${hs_token}`);
      }
    });

    test("of an invitation are preceded by the question whether the unknown ghost exists, but not of a new room on Dendrite", async () => {
      const { client } = await rig.person();
      const rest = `${freshNumber()}${rig.isDendrite ? "=40" : "%40"}sip.example.org`;
      const roomId = await directRoom(client, rig.ghostId(rest));
      await rig.pushed(roomId, isOfType("m.room.member"));
      if (rig.isDendrite) {
        expect(rig.appservice.requests.filter(({ target }) => target.includes("/users/"))).toEqual([]);
        return;
      }
      const quoted = encodeURIComponent(rig.ghostId(rest));
      const isQuestion = ({ target }: { target: string }) => target === `/_matrix/app/v1/users/${quoted}`;
      const isPush = ({ body }: { body: unknown }) => JSON.stringify(body ?? "").includes(roomId);
      const question = rig.appservice.requests.findIndex(isQuestion);
      expect(question).toBeGreaterThanOrEqual(0);
      expect(rig.appservice.requests.findIndex(isPush)).toBeGreaterThan(question);
    });

    test("let the service register the ghost that it is asked for, which then can join", async () => {
      const { client } = await rig.person();
      const rest = freshNumber();
      const ghost = rig.ghostId(rest);
      const stop = rig.appservice.answer(({ target }) => target.includes(`/users/`) && target.includes(rest), {
        status: 200,
        body: {},
      });
      const roomId = await directRoom(client, ghost);
      await rig.pushed(roomId, isOfType("m.room.member"));
      stop();
      expect(await rig.register(`_sip_${rest}`)).toMatchObject({ status: 200 });
      expect(await rig.join(roomId, ghost)).toMatchObject({ status: 200 });
    });

    test("are tried again with the same id and all events of before, and nothing overtakes", async () => {
      const { client } = await rig.person();
      const ghost = await rig.newGhost();
      const roomId = await directRoom(client, ghost);
      await rig.join(roomId, ghost);
      await rig.pushed(roomId, isMembership(ghost, "join"));
      const recover = rig.appservice.answer(({ target }) => target.includes("/transactions/"), {
        status: 503,
        body: {},
      });
      const sent: unknown[] = [];
      for (const body of ["1", "2"]) {
        sent.push((await send(client, roomId, "m.room.message", { msgtype: "m.text", body })).body["event_id"]);
        await rig.appservice.until(() => rig.appservice.pushes().find(({ status }) => status === 503));
      }
      recover();
      const arrived = await rig.appservice.until(() => {
        const ids = rig.appservice.events(roomId).map(({ event_id }) => event_id);
        return sent.every((id) => ids.includes(String(id))) ? ids : undefined;
      });
      expect(arrived.filter((id) => sent.includes(id))).toEqual(sent);
      const refused = rig.appservice.pushes().find(({ status }) => status === 503);
      const taken = rig.appservice.pushes().find(({ id, status }) => id === refused?.id && status === 200);
      const before = refused?.events.map(({ event_id }) => event_id) ?? [];
      // Dendrite puts into it what was sent meanwhile.
      const after = taken?.events.map(({ event_id }) => event_id).slice(0, rig.isDendrite ? before.length : undefined);
      expect(after).toEqual(before);
    });

    test("have increasing ids and at most 100 events", async () => {
      const { client } = await rig.person();
      await rig.pushed(await directRoom(client, await rig.newGhost()), isOfType("m.room.member"));
      const ids = rig.appservice.pushes().map(({ id }) => Number(id));
      expect(ids).toEqual(ids.toSorted((one, other) => one - other));
      for (const { events } of rig.appservice.pushes()) expect(events.length).toBeLessThanOrEqual(100);
    });

    test("can be tested by a ping, or it is unknown", async () => {
      const ping = "/v1/appservice/double/ping";
      if (rig.isDendrite) {
        expect(await rig.bridge("POST", ping, {})).toMatchObject({ status: 404, body: { errcode: "M_UNRECOGNIZED" } });
        return;
      }
      expect(await rig.bridge("POST", ping, { transaction_id: "t1" })).toMatchObject({
        status: 200,
        body: { duration_ms: expect.any(Number) as number },
      });
      const pings = rig.appservice.requests.filter(({ target }) => target === "/_matrix/app/v1/ping");
      expect(pings.map(({ body }) => body)).toContainEqual({ transaction_id: "t1" });

      const stop = rig.appservice.answer(({ target }) => target.endsWith("/ping"), { status: 500, body: {} });
      expect(await rig.bridge("POST", ping, {})).toMatchObject({
        status: 502,
        body: { errcode: "M_BAD_STATUS", status: 500 },
      });
      stop();
      expect(await rig.bridge("POST", "/v1/appservice/other/ping", {})).toMatchObject({ status: 403 });
    });
  });
}
