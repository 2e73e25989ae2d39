// Ghosts: which ids they can have, who may register them and act for them.
import { beforeAll, describe, expect, test } from "vitest";
import { actingAs, clientOf } from "../client-request.ts";
import type { HomeserverRig } from "./rig.ts";
import { freshNumber } from "./rig.ts";

export function ghostContract(ready: () => HomeserverRig): void {
  describe("ghosts", () => {
    let rig: HomeserverRig;
    beforeAll(() => {
      rig = ready();
    });

    test.each([
      ["MSC2845's example", (n: string) => `${n}%40sip.example.org`],
      ["MSC4009's example", (n: string) => `+${n}`],
      ["the user-id grammar's escape", (n: string) => `${n}=40sip.example.org`],
      ["a service code", (n: string) => `%252a${n}%2523`],
    ])("can have the id of %s", async (_name, rest) => {
      const localpart = `_sip_${rest(freshNumber())}`;
      const userId = `@${localpart}:${rig.server.domain}`;
      const registered = await rig.register(localpart);
      if (rig.isDendrite && localpart.includes("%")) {
        expect(registered).toMatchObject({ status: 400, body: { errcode: "M_INVALID_USERNAME" } });
        return;
      }
      expect(registered).toMatchObject({ status: 200, body: { user_id: userId } });
      expect(await rig.bridge("GET", `/v3/account/whoami?${actingAs(userId)}`)).toMatchObject({
        status: 200,
        body: { user_id: userId },
      });
    });

    test("registered with inhibit_login get no access token", async () => {
      const { body } = await rig.register(`_sip_${freshNumber()}`);
      expect(body).not.toHaveProperty("access_token");
    });

    test("registered twice are M_USER_IN_USE", async () => {
      const ghost = await rig.newGhost();
      expect(await rig.register(ghost.slice(1).split(":")[0] ?? "")).toMatchObject({
        status: 400,
        body: { errcode: "M_USER_IN_USE" },
      });
    });

    test("outside the namespace are M_EXCLUSIVE", async () => {
      expect(await rig.register(`other_${freshNumber()}`)).toMatchObject({
        status: 400,
        body: { errcode: "M_EXCLUSIVE" },
      });
    });

    test("whose names differ in case only are different users, or have no capitals", async () => {
      const number = freshNumber();
      expect(await rig.register(`_sip_=2b${number}`)).toMatchObject({ status: 200 });
      expect(await rig.register(`_sip_=2B${number}`)).toMatchObject({ status: rig.isDendrite ? 400 : 200 });
    });

    test("cannot be acted for before they are registered", async () => {
      const ghost = rig.ghostId(freshNumber());
      const path = `/v3/profile/${encodeURIComponent(ghost)}/displayname?${actingAs(ghost)}`;
      expect(await rig.bridge("PUT", path, { displayname: "x" })).toMatchObject({
        status: 403,
        body: { errcode: "M_FORBIDDEN" },
      });
    });

    test("are the only users that the service may act for", async () => {
      const { userId } = await rig.person();
      expect(await rig.bridge("GET", `/v3/account/whoami?${actingAs(userId)}`)).toMatchObject({
        status: 403,
        body: { errcode: "M_FORBIDDEN" },
      });
    });

    test("cannot be registered by a person", async () => {
      const stranger = clientOf(rig.server.url);
      const body = { username: `_sip_${freshNumber()}`, password: "x12345678", auth: { type: "m.login.dummy" } };
      expect(await stranger("POST", "/v3/register", body)).toMatchObject({ status: 400 });
    });

    test("show the name that the bridge gave them", async () => {
      const ghost = await rig.newGhost();
      const { client } = await rig.person();
      const profile = `/v3/profile/${encodeURIComponent(ghost)}`;
      expect(
        await rig.bridge("PUT", `${profile}/displayname?${actingAs(ghost)}`, { displayname: "+44 181 811 8181" }),
      ).toMatchObject({ status: 200 });
      expect(await client("GET", profile)).toMatchObject({
        status: 200,
        body: { displayname: "+44 181 811 8181" },
      });
    });

    test("show the picture that the bridge gave them", async () => {
      const ghost = await rig.newGhost();
      const { client } = await rig.person();
      const { url, appservice } = rig.server;
      const uploaded = await fetch(`${url}/_matrix/media/v3/upload`, {
        method: "POST",
        headers: { authorization: `Bearer ${appservice.registration.as_token}`, "content-type": "image/png" },
        body: Buffer.from("89504e470d0a1a0a", "hex"),
      });
      const { content_uri: address } = (await uploaded.json()) as { content_uri: string };
      expect(address.startsWith(`mxc://${rig.server.domain}/`)).toBe(true);
      const profile = `/v3/profile/${encodeURIComponent(ghost)}`;
      const body = { avatar_url: address };
      expect(await rig.bridge("PUT", `${profile}/avatar_url?${actingAs(ghost)}`, body)).toMatchObject({ status: 200 });
      expect(await client("GET", profile)).toMatchObject({ status: 200, body });
    });

    test("have no device keys, so that clients make plain rooms", async () => {
      const ghost = await rig.newGhost();
      const { client } = await rig.person();
      const { body } = await client("POST", "/v3/keys/query", { device_keys: { [ghost]: [] } });
      expect(body["device_keys"]).toEqual({ [ghost]: {} });
    });
  });
}
