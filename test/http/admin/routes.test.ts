// Each thing that the admin API can be asked: what comes back, what the bridge is ordered to do, what is wrong in words.
// Every answer here is held against the OpenAPI document that the API serves.
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { base, openApiDocument } from "../../../src/http/admin/openapi.ts";
import { routes } from "../../../src/http/admin/routes/all.ts";
import { StoreError } from "../../../src/ports/store.ts";
import { endedCall } from "../../fakes/admin-door.ts";
import { startAdmin, type Answer, type Asking } from "./admin-rig.ts";

interface Responses {
  readonly [status: string]: { readonly content: { readonly "application/json": { readonly schema: object } } };
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly responses: Responses }>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

const document = openApiDocument(routes) as unknown as Document;
// The checker looks for references in $defs.
const defs = JSON.stringify(document.components.schemas).replaceAll("#/components/schemas/", "#/$defs/");

/** Asks over the socket, and holds the answer against the document. */
async function asker() {
  const admin = await startAdmin();
  return {
    ...admin,
    ask: async (path: string, asking: Asking = {}): Promise<Answer> => {
      const answer = await admin.ask(path, asking);
      expectDocumented(asking.method ?? "GET", path, answer);
      return answer;
    },
  };
}

function expectDocumented(method: string, path: string, { status, body }: Answer): void {
  const [bare = ""] = path.split("?");
  const known = Object.keys(document.paths).filter((at) =>
    new RegExp(`^${at.replaceAll(/\{\w+\}/g, "[^/]+")}$`).test(base + bare),
  );
  const at = known.find((one) => !one.includes("{")) ?? known[0];
  const response = document.paths[at ?? ""]?.[method.toLowerCase()]?.responses[status];
  expect(response, `${method} ${path}: ${status} is in the document`).toBeDefined();
  const schema = JSON.stringify(response?.content["application/json"].schema).replaceAll(
    "#/components/schemas/",
    "#/$defs/",
  );
  const check = z.fromJSONSchema({ ...(JSON.parse(schema) as object), $defs: JSON.parse(defs) as object } as never);
  expect(check.safeParse(body), `${method} ${path} is as documented`).toMatchObject({ success: true });
}

const error = (code: string, words: RegExp, field?: string) => ({
  code,
  message: expect.stringMatching(words) as string,
  ...(field === undefined ? {} : { field }),
});

describe("calls", () => {
  test("are listed with who is in them and how their audio is", async () => {
    const { ask } = await asker();
    const { status, body, headers } = await ask("/calls");
    expect(status).toBe(200);
    expect(body).toEqual({
      calls: [
        {
          id: "c-1",
          direction: "outbound",
          person: "@ann:example.org",
          room: "!dm:example.org",
          number: "+*********81",
          trunk: "main",
          phase: "connected",
          since: "2026-11-30T12:00:00.000Z",
          started_at: "2026-11-30T11:59:55.000Z",
          answered_at: "2026-11-30T12:00:00.000Z",
          media: {
            codec: "PCMU",
            from_matrix: { packets: 50, lost: 0, jitter_ms: 0, last_heard_at: "2026-11-30T12:00:00.000Z" },
            from_trunk: { packets: 0, lost: 0, jitter_ms: 0 },
          },
        },
      ],
    });
    expect(headers).toMatchObject({ "cache-control": "no-store", "matrix-appservice-sip-version": "1.2.3" });
    expect((await ask("/calls/c-1")).body).toMatchObject({ id: "c-1" });
  });

  test("that are not there are said to be none", async () => {
    const { ask } = await asker();
    for (const [path, method] of [
      ["/calls/c-9", "GET"],
      ["/calls/c-9/hangup", "POST"],
    ] as const) {
      const { status, body } = await ask(path, { method });
      expect([status, body]).toEqual([404, error("not_found", /no such call/, "id")]);
    }
  });

  test("are hung up with a reason, which goes into the log with who did it", async () => {
    const { ask, door, lines } = await asker();
    const { status, body } = await ask("/calls/c-1/hangup", { method: "POST", body: { reason: "toll fraud" } });
    expect([status, body]).toEqual([202, { id: "c-1" }]);
    expect(door.ended).toEqual([["c-1", "toll fraud"]]);
    const who = `uid ${process.getuid?.()}`;
    const did = { who, action: "hang up call", detail: "toll fraud", outcome: "done" };
    expect(lines).toMatchObject([{ level: "info", message: "an admin acts", fields: { ...did, of: "c-1" } }]);
    expect(door.noted).toMatchObject([{ ...did, target: "c-1" }]);
    expect((await ask("/actions")).body).toMatchObject({ actions: [{ number: 1, ...did, target: "c-1" }] });
    // Without a body too.
    expect((await ask("/calls/c-1/hangup", { method: "POST" })).status).toBe(202);
  });

  test("what an admin tried in vain is logged as well", async () => {
    const { ask, lines } = await asker();
    await ask("/calls/c-9/hangup", { method: "POST" });
    await ask("/calls/c-1/hangup", { method: "POST", body: { why: "?" } });
    expect(lines.map(({ fields }) => fields)).toMatchObject([
      { action: "hang up call", of: "c-9", outcome: "not_found" },
      { action: "hang up call", of: "c-1", outcome: "bad_request" },
    ]);
  });

  test("a store that takes no actions keeps nobody from acting", async () => {
    const { ask, door, lines } = await asker();
    door.storeFails = new StoreError("full", "disk full");
    expect((await ask("/calls/c-1/hangup", { method: "POST" })).status).toBe(202);
    expect(lines.map(({ level }) => level)).toEqual(["info", "warn"]);
  });
});

describe("records", () => {
  test("are paged by a cursor, and say by its absence that there are no more", async () => {
    const { ask } = await asker();
    const first = await ask("/records?limit=2");
    expect(first.body).toMatchObject({
      records: [{ id: "c-3", result: "callee", cause: "busy", ended_at: "2026-11-30T12:00:00.000Z" }, { id: "c-2" }],
      next: expect.any(String) as string,
    });
    const { next } = first.body as { next: string };
    const second = await ask(`/records?limit=2&after=${next}`);
    expect(second.body).toMatchObject({ records: [{ id: "c-0" }] });
    expect(second.body).not.toHaveProperty("next");
  });

  test("are asked of the bridge by everything that the query names", async () => {
    const { ask, door } = await asker();
    await ask(
      "/records?from=2026-11-01&to=2026-12-01T00:00:00%2B01:00&person=@ann:example.org&number=020%207946&trunk=main&result=callee",
    );
    expect(door.asked).toEqual([
      {
        fromMs: Date.UTC(2026, 10, 1),
        toMs: Date.UTC(2026, 10, 30, 23),
        person: "@ann:example.org",
        number: "020 7946",
        trunk: "main",
        result: "callee",
        after: undefined,
        limit: 100,
        wholeNumbers: false,
      },
    ]);
  });

  test.each([
    ["from=yesterday", /should be a time/, "from"],
    ["to=2026-13-01", /should be a time/, "to"],
    ["person=ann", /should be a Matrix user id/, "person"],
    ["result=good", /./, "result"],
    ["limit=0", /from 1 to 500/, "limit"],
    ["limit=501", /from 1 to 500/, "limit"],
    ["limit=1e2", /from 1 to 500/, "limit"],
    ["after=me", /`next` of the page before/, "after"],
    ["colour=red", /not known/, "colour"],
    ["limit=1&limit=2", /twice/, "limit"],
    ["number=%00", /control characters/, "number"],
  ])("are not asked for by %s", async (query, words, field) => {
    const { ask } = await asker();
    const { status, body } = await ask(`/records?${query}`);
    expect([status, body]).toEqual([400, error("bad_request", words, field)]);
  });

  test("show whole numbers only where the configuration lets them", async () => {
    const { ask, door } = await asker();
    const refused = await ask("/records?whole_numbers=true");
    expect([refused.status, refused.body]).toEqual([403, error("forbidden", /admin\.whole_numbers/, "whole_numbers")]);
    expect(door.asked).toEqual([]);
    const free = await startAdmin({ wholeNumbers: true });
    await free.ask("/records?whole_numbers=true");
    expect(free.door.asked).toMatchObject([{ wholeNumbers: true }]);
  });

  test("of ladders, too, are whole only where the configuration lets them be", async () => {
    const { ask } = await asker();
    const { status, body } = await ask("/calls/c-1/ladder");
    expect([status, body]).toEqual([200, expect.objectContaining({ messages: expect.any(Array) as unknown })]);
    for (const path of ["/calls/c-1/ladder", "/trunks/main/ladder"])
      expect((await ask(`${path}?whole_numbers=true`)).status).toBe(403);
    for (const path of ["/calls/c-7/ladder", "/trunks/none/ladder"]) expect((await ask(path)).status).toBe(404);
  });

  test("cannot be had while the store cannot be asked", async () => {
    const { ask, door } = await asker();
    door.storeFails = new StoreError("slow", "the server is away");
    const { status, body } = await ask("/records");
    expect([status, body]).toEqual([503, error("unavailable", /the server is away/)]);
  });

  test("of any form are as documented", async () => {
    const { ask, door } = await asker();
    door.history = [
      endedCall("c-9", {
        direction: "joined",
        person: undefined,
        sipStatus: undefined,
        ringingAtMs: 1.5,
        media: { ...endedCall("c").media, converted: { a: "opus", b: "PCMA" } },
      }),
    ];
    expect((await ask("/records")).status).toBe(200);
  });
});

describe("trunks", () => {
  test("are listed, paused and resumed by name", async () => {
    const { ask, door, lines } = await asker();
    expect((await ask("/trunks")).body).toMatchObject({ trunks: [{ name: "main", state: "up", paused: false }] });
    expect((await ask("/trunks/main/pause", { method: "POST" })).body).toMatchObject({ name: "main", paused: true });
    expect(door.paused).toBe(true);
    expect((await ask("/trunks/main/resume", { method: "POST" })).body).toMatchObject({ paused: false });
    expect(lines.map(({ fields }) => fields?.["action"])).toEqual(["pause trunk", "resume trunk"]);
    const { status, body } = await ask("/trunks/mian/pause", { method: "POST" });
    expect([status, body]).toEqual([404, error("not_found", /there are main/, "name")]);
  });

  test("explain who a number of theirs is", async () => {
    const { ask } = await asker();
    const { body } = await ask("/trunks/main/explain?text=%2B441632960001");
    expect(body).toMatchObject({ called: { number: "+441632960001", stages: [{ people: ["@ann:example.org"] }] } });
    expect((await ask("/trunks/none/explain?text=1")).status).toBe(404);
    expect((await ask("/trunks/main/explain")).body).toEqual(error("bad_request", /is missing/, "text"));
  });
});

describe("numbers, people, limits", () => {
  test("are listed", async () => {
    const { ask } = await asker();
    expect((await ask("/numbers")).body).toMatchObject({
      numbers: [
        { match: "exact", number: "+441632960001", stages: [{ people: ["@ann:example.org"], ring_seconds: 30 }] },
        {},
        {},
        { stages: [{ rooms: ["!reception:example.org"] }] },
      ],
    });
    expect((await ask("/users")).body).toMatchObject({ users: [{ subject: "@ann:example.org", may_call: true }] });
    expect((await ask("/limits")).body).toMatchObject({ calls_in_all: { limit: 10, used: 1 } });
  });

  test("a dialled number is explained, also one that goes nowhere", async () => {
    const { ask } = await asker();
    expect((await ask("/numbers/explain?text=0181%20811%208181&as=@ann:example.org")).body).toMatchObject({
      goes_out: true,
      trunks: [{ trunk: "main", sent: "+441818118181" }],
    });
    expect((await ask("/numbers/explain?text=999")).body).toMatchObject({ goes_out: false, refused: "emergency" });
    expect((await ask("/numbers/explain?text=hello")).body).toMatchObject({ goes_out: false });
    expect((await ask("/numbers/explain?text=1&trunk=none")).status).toBe(404);
  });
});

describe("the bridge itself", () => {
  test("says how it is, and drains", async () => {
    const { ask, door } = await asker();
    const { body } = await ask("/status");
    expect(body).toMatchObject({ version: "1.2.3", calls: 1, log_level: "info", ready: true });
    expect(body).not.toHaveProperty("closed");
    const drained = await ask("/drain", { method: "POST", body: { within_seconds: 60 } });
    expect([drained.status, drained.body]).toMatchObject([202, { closed: "draining" }]);
    expect(door.drains).toEqual([60_000]);
    const wrong = await ask("/drain", { method: "POST" });
    expect([wrong.status, wrong.body]).toEqual([400, error("bad_request", /./)]);
  });

  test("shows and changes the level of its log", async () => {
    const { ask, door } = await asker();
    expect((await ask("/log/level")).body).toEqual({ level: "info" });
    expect((await ask("/log/level", { method: "PUT", body: { level: "debug" } })).body).toEqual({ level: "debug" });
    expect(door.level).toBe("debug");
    const { status, body } = await ask("/log/level", { method: "PUT", body: { level: "loud" } });
    expect([status, body]).toEqual([400, error("bad_request", /trace/, "level")]);
  });

  test("pages through what admins did", async () => {
    const { ask } = await asker();
    for (const verb of ["pause", "resume", "pause"]) await ask(`/trunks/main/${verb}`, { method: "POST" });
    const { body } = await ask("/actions?limit=2");
    expect(body).toMatchObject({ actions: [{ number: 3 }, { number: 2, action: "resume trunk" }], next: "2" });
    expect((await ask("/actions?limit=2&after=2")).body).toMatchObject({ actions: [{ number: 1 }] });
  });

  test("serves its own description", async () => {
    const { ask } = await asker();
    expect((await ask("/openapi.json")).body).toEqual(JSON.parse(JSON.stringify(document)));
  });
});

test("what is nowhere, by the wrong method, or no JSON is said in the same shape", async () => {
  const admin = await startAdmin();
  const { ask } = admin;
  const failed = async (path: string, asking: Asking = {}) => {
    const { status, body } = await ask(path, asking);
    return [status, (body as { code: string }).code];
  };
  expect(await failed("/nothing")).toEqual([404, "not_found"]);
  expect(await failed("/calls/%zz")).toEqual([400, "bad_request"]);
  expect(await failed("/events", { method: "POST" })).toEqual([405, "method_not_allowed"]);
  expect((await ask("/calls", { method: "DELETE" })).headers["allow"]).toBe("GET");
  const put = { method: "PUT", headers: { "content-type": "application/json" } };
  expect(await failed("/log/level", { ...put, rawBody: "{" })).toEqual([400, "bad_request"]);
  expect(await failed("/log/level", { ...put, rawBody: `{"level":"${"x".repeat(20_000)}"}` })).toEqual([
    413,
    "too_large",
  ]);
  const form = { "content-type": "text/plain" };
  expect(await failed("/log/level", { ...put, headers: form, rawBody: '{"level":"debug"}' })).toEqual([
    415,
    "unsupported_media_type",
  ]);
});

test("a defect is a 500 without its words, and a line in the log", async () => {
  const { ask, door, lines } = await asker();
  door.users = () => {
    throw new Error("what nobody should read");
  };
  const { status, text } = await ask("/users");
  expect(status).toBe(500);
  expect(text).not.toContain("nobody should read");
  expect(lines).toMatchObject([{ level: "error", message: "a request for admins failed" }]);
});

test("how long a trunk took to answer is there as a series, with the times that it did not", async () => {
  const { ask } = await startAdmin();
  expect((await ask("/trunks/main/answers")).body).toEqual({
    answers: [{ at: "2026-11-30T12:00:00.000Z", took_ms: 23 }, { at: "2026-11-30T12:00:30.000Z" }],
  });
  expect((await ask("/trunks/none/answers")).status).toBe(404);
});
