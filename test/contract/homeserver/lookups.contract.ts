// Third-party lookups: what reaches the application service and what comes back.
import { beforeAll, describe, expect, test } from "vitest";
import { failingProtocol, workingProtocols } from "../appservice-double.ts";
import { clientOf } from "../client-request.ts";
import type { HomeserverRig } from "./rig.ts";
import { freshNumber } from "./rig.ts";

export function lookupContract(ready: () => HomeserverRig): void {
  describe("third-party lookups", () => {
    let rig: HomeserverRig;
    beforeAll(() => {
      rig = ready();
    });

    const lookUp = async (query: string) => {
      const { client } = await rig.person();
      return client("GET", `/v3/thirdparty/user/m.protocol.pstn${query}`);
    };
    const asked = (target: string) => rig.appservice.requests.filter((request) => request.target === target);
    const userPath = "/_matrix/app/v1/thirdparty/user/m.protocol.pstn";

    test("list the protocols that answer, and keep failures for as long as answers", async () => {
      const { client } = await rig.person();
      const protocols = await client("GET", "/v3/thirdparty/protocols");
      expect(protocols.status).toBe(200);
      expect(Object.keys(protocols.body).toSorted()).toEqual([...workingProtocols].toSorted());
      expect(protocols.body["m.protocol.pstn"]).toMatchObject({
        user_fields: ["m.id.phone"],
        instances: [{ network_id: "sip", instance_id: "double|sip" }],
      });

      const recover = rig.appservice.answer(isFailing, { status: 200, body: { instances: [] } });
      const again = await client("GET", "/v3/thirdparty/protocols");
      recover();
      expect(again.body).toEqual(protocols.body);
      for (const protocol of [...workingProtocols, failingProtocol]) {
        expect(asked(`/_matrix/app/v1/thirdparty/protocol/${protocol}`)).toHaveLength(1);
      }
    });

    test("describe one protocol, and 404 for one that nobody speaks", async () => {
      const { client } = await rig.person();
      expect(await client("GET", "/v3/thirdparty/protocol/m.protocol.pstn")).toMatchObject({
        status: 200,
        body: { user_fields: ["m.id.phone"] },
      });
      expect(await client("GET", "/v3/thirdparty/protocol/nope")).toMatchObject({ status: 404 });
    });

    test("need an access token", async () => {
      expect(await clientOf(rig.server.url)("GET", "/v3/thirdparty/protocols")).toMatchObject({
        status: 401,
        body: { errcode: "M_MISSING_TOKEN" },
      });
      expect(await clientOf(rig.server.url, "nonsense")("GET", "/v3/thirdparty/protocols")).toMatchObject({
        status: 401,
        body: { errcode: "M_UNKNOWN_TOKEN" },
      });
    });

    test.each([
      ["digits", "?m.id.phone=01818118181", "?m.id.phone=01818118181"],
      ["a raw plus", "?m.id.phone=+441818118181", "?m.id.phone=+441818118181"],
      ["an encoded plus", "?m.id.phone=%2B441818118181", "?m.id.phone=%2B441818118181"],
      ["a service code", "?m.id.phone=*67%20%23%C3%A9", "?m.id.phone=%2A67+%23%C3%A9"],
      ["a repeated field", "?m.id.phone=111&m.id.phone=222", "?m.id.phone=111&m.id.phone=222"],
      ["an extra field", "?m.id.phone=111&foo=bar", "?m.id.phone=111&foo=bar"],
      ["a SIP address", "?m.id.phone=sip%3Abob%40example.org", "?m.id.phone=sip%3Abob%40example.org"],
      ["no field", "", ""],
    ])("forward %s", async (_name, query, forwarded) => {
      const before = asked(userPath + forwarded).length;
      expect(await lookUp(query)).toMatchObject({ status: 200, body: [] });
      expect(asked(userPath + forwarded)).toHaveLength(before + 1);
    });

    test("pass results on and drop those of the wrong shape", async () => {
      const number = freshNumber();
      const good = { userid: rig.ghostId(number), protocol: "m.protocol.pstn", fields: { "m.id.phone": number } };
      const stop = rig.appservice.answer(({ target }) => target.endsWith(number), {
        status: 200,
        body: [good, { ...good, userid: 5 }, { ...good, protocol: undefined }, { ...good, fields: [] }],
      });
      expect((await lookUp(`?m.id.phone=${number}`)).body).toEqual([good]);
      stop();
    });

    test.each([
      ["a 404", { status: 404, body: { errcode: "M_NOT_FOUND" } }],
      ["a failure", { status: 500, body: {} }],
      ["no list", { status: 200, body: { userid: "@a:b" } }],
    ])("are empty after %s, and asked anew each time", async (_name, reply) => {
      const number = freshNumber();
      const stop = rig.appservice.answer(({ target }) => target.endsWith(number), reply);
      expect(await lookUp(`?m.id.phone=${number}`)).toMatchObject({ status: 200, body: [] });
      expect(await lookUp(`?m.id.phone=${number}`)).toMatchObject({ status: 200, body: [] });
      stop();
      expect(asked(`${userPath}?m.id.phone=${number}`)).toHaveLength(2);
    });

    test("for locations are forwarded", async () => {
      const { client } = await rig.person();
      const path = "/thirdparty/location/m.protocol.pstn?m.id.phone=1";
      expect(await client("GET", `/v3${path}`)).toMatchObject({ status: 200, body: [] });
      expect(asked(`/_matrix/app/v1${path}`)).toHaveLength(1);
    });

    test("by user id, or of a protocol that nobody speaks, reach no service", async () => {
      const { client } = await rig.person();
      const before = rig.appservice.requests.length;
      const reverse = `/v3/thirdparty/user?userid=${encodeURIComponent(rig.ghostId("1"))}`;
      expect(await client("GET", reverse)).toMatchObject({ status: 200, body: [] });
      expect(await client("GET", "/v3/thirdparty/user/nope?m.id.phone=1")).toMatchObject({ status: 200, body: [] });
      const since = rig.appservice.requests.slice(before).filter(({ target }) => target.includes("thirdparty"));
      expect(since).toEqual([]);
    });
  });
}

const isFailing = ({ target }: { readonly target: string }) => target.endsWith(failingProtocol);
