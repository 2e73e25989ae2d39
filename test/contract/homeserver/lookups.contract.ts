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
    /** What nobody was found by: an empty list, which Dendrite calls a 404. */
    const nobody = () =>
      rig.isDendrite ? { status: 404, body: { errcode: "M_NOT_FOUND" } } : { status: 200, body: [] };
    const asked = (target: string) => rig.appservice.requests.filter((request) => request.target === target);
    const userPath = "/_matrix/app/v1/thirdparty/user/m.protocol.pstn";

    test("list the protocols that answer, and keep failures for as long as answers or ask anew each time", async () => {
      const { client } = await rig.person();
      const protocols = await client("GET", "/v3/thirdparty/protocols");
      expect(protocols.status).toBe(200);
      expect(Object.keys(protocols.body)).toEqual(expect.arrayContaining([...workingProtocols]));
      expect(protocols.body["m.protocol.pstn"]).toMatchObject({
        user_fields: ["m.id.phone"],
        instances: [{ network_id: "sip", ...(rig.isDendrite ? {} : { instance_id: "double|sip" }) }],
      });

      const recover = rig.appservice.answer(isFailing, { status: 200, body: { instances: [] } });
      const again = await client("GET", "/v3/thirdparty/protocols");
      recover();
      expect(again.body["m.protocol.pstn"]).toEqual(protocols.body["m.protocol.pstn"]);
      // Dendrite lists what failed too, with nothing in it.
      expect(failingProtocol in protocols.body).toBe(rig.isDendrite);
      expect(failingProtocol in again.body).toBe(rig.isDendrite);
      for (const protocol of [...workingProtocols, failingProtocol]) {
        expect(asked(`/_matrix/app/v1/thirdparty/protocol/${protocol}`)).toHaveLength(rig.isDendrite ? 2 : 1);
      }
    });

    test("describe one protocol, and 404 for one that nobody speaks", async () => {
      const { client } = await rig.person();
      expect(await client("GET", "/v3/thirdparty/protocol/m.protocol.pstn")).toMatchObject({
        status: 200,
        body: { user_fields: ["m.id.phone"] },
      });
      expect(await client("GET", "/v3/thirdparty/protocol/nope")).toMatchObject({
        // Dendrite asks every service, and the double has an answer to all.
        status: rig.isDendrite ? 200 : 404,
      });
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
      // Dendrite sorts the fields.
      const target = userPath + (rig.isDendrite ? sortedQuery(forwarded) : forwarded);
      const before = asked(target).length;
      expect(await lookUp(query)).toMatchObject(nobody());
      expect(asked(target)).toHaveLength(before + 1);
    });

    test("pass results on and drop those of the wrong shape, or all beside them", async () => {
      const number = freshNumber();
      const good = { userid: rig.ghostId(number), protocol: "m.protocol.pstn", fields: { "m.id.phone": number } };
      const stop = rig.appservice.answer(({ target }) => target.endsWith(number), {
        status: 200,
        body: [good, { ...good, userid: 5 }, { ...good, protocol: undefined }, { ...good, fields: [] }],
      });
      const found = await lookUp(`?m.id.phone=${number}`);
      stop();
      if (rig.isDendrite) expect(found).toMatchObject(nobody());
      else expect(found.body).toEqual([good]);
    });

    test.each([
      ["a 404", { status: 404, body: { errcode: "M_NOT_FOUND" } }],
      ["a failure", { status: 500, body: {} }],
      ["no list", { status: 200, body: { userid: "@a:b" } }],
    ])("are empty after %s, and asked anew each time", async (_name, reply) => {
      const number = freshNumber();
      const stop = rig.appservice.answer(({ target }) => target.endsWith(number), reply);
      expect(await lookUp(`?m.id.phone=${number}`)).toMatchObject(nobody());
      expect(await lookUp(`?m.id.phone=${number}`)).toMatchObject(nobody());
      stop();
      expect(asked(`${userPath}?m.id.phone=${number}`)).toHaveLength(2);
    });

    test("for locations are forwarded", async () => {
      const { client } = await rig.person();
      const path = "/thirdparty/location/m.protocol.pstn?m.id.phone=1";
      expect(await client("GET", `/v3${path}`)).toMatchObject(nobody());
      expect(asked(`/_matrix/app/v1${path}`)).toHaveLength(1);
    });

    test("by user id, or of a protocol that nobody speaks, find nobody", async () => {
      const { client } = await rig.person();
      const before = rig.appservice.requests.length;
      const reverse = `/v3/thirdparty/user?userid=${encodeURIComponent(rig.ghostId("1"))}`;
      expect(await client("GET", reverse)).toMatchObject(nobody());
      expect(await client("GET", "/v3/thirdparty/user/nope?m.id.phone=1")).toMatchObject(nobody());
      const since = rig.appservice.requests.slice(before).filter(({ target }) => target.includes("thirdparty"));
      expect(since).toHaveLength(rig.isDendrite ? 2 : 0);
    });
  });
}

const sortedQuery = (query: string): string => `?${query.slice(1).split("&").toSorted().join("&")}`;

const isFailing = ({ target }: { readonly target: string }) => target.endsWith(failingProtocol);
