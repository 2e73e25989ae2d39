import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { VirtualClock } from "../../fakes/virtual-clock.ts";
import { ghost, hsToken, pstn, startEdge, textMessage } from "../edge-rig.ts";

const pstnUser = "/_matrix/app/v1/thirdparty/user/m.protocol.pstn";

describe("the homeserver's token", () => {
  it.each([
    ["a transaction", "PUT", "/_matrix/app/v1/transactions/1"],
    ["a lookup", "GET", `${pstnUser}?m.id.phone=1`],
    ["a protocol query", "GET", "/_matrix/app/unstable/thirdparty/protocol/m.protocol.pstn"],
    ["a user query", "GET", "/_matrix/app/v1/users/%40a%3Ab"],
    ["a ping", "POST", "/_matrix/app/v1/ping"],
    ["an unknown path", "GET", "/_matrix/app/v1/nothing"],
  ])("is asked of %s: without it 401, with a wrong one 403", async (_what, method, path) => {
    const rig = await startEdge();
    expect(await rig.request(method, path, { token: undefined })).toMatchObject({
      status: 401,
      body: { errcode: "M_MISSING_TOKEN" },
    });
    expect(await rig.request(method, path, { token: `${hsToken}x` })).toMatchObject({
      status: 403,
      body: { errcode: "M_FORBIDDEN" },
    });
  });

  it("is also taken from the query, as old homeservers send it, and not passed on", async () => {
    const rig = await startEdge();
    const answer = await rig.request("GET", `${pstnUser}?m.id.phone=1&access_token=${hsToken}`, { token: undefined });
    expect(answer.status).toBe(200);
    expect(JSON.stringify(answer.body)).not.toContain(hsToken);
    const wrong = await rig.request("GET", `${pstnUser}?m.id.phone=1&access_token=x`, { token: undefined });
    expect(wrong.status).toBe(403);
    expect((await fetch(`${rig.url}${pstnUser}`, { headers: { authorization: "Basic Zm9v" } })).status).toBe(403);
  });
});

describe("a stranger without the token", () => {
  it.each(["", "authorization: Bearer wrong-token-of-a-stranger\r\n"])(
    "is answered and hung up on, however much there is to send (%j)",
    async (authorization) => {
      const rig = await startEdge();
      const { hostname, port } = new URL(rig.url);
      const socket = connect(Number(port), hostname);
      let answer = "";
      socket.on("data", (chunk: Buffer) => (answer += chunk.toString("latin1")));
      const closed = new Promise((resolve) => socket.on("close", resolve).on("error", resolve));
      socket.write(
        `PUT /_matrix/app/v1/transactions/1 HTTP/1.1\r\nhost: bridge\r\n${authorization}content-length: 9000000\r\n\r\n{`,
      );
      await closed;
      expect(answer).toMatch(/^HTTP\/1\.1 40[13] /);
    },
  );
});

describe("a hundred requests that are refused", () => {
  it.each([
    ["with a wrong token", `${pstnUser}?m.id.phone=1`, "wrong", /wrong hs_token refused: if the homeserver sent it/],
    ["without a token", `${pstnUser}?m.id.phone=1`, undefined, /without a homeserver token refused/],
    ["of other paths", "/wp-login.php", undefined, /none of an application service's refused/],
  ])("%s are one line, and later one with their count", async (_, path, token, words) => {
    const clock = new VirtualClock(Date.now());
    const rig = await startEdge({ clock });
    await Promise.all(Array.from({ length: 100 }, () => rig.request("GET", path, { token })));
    expect(rig.lines).toMatchObject([
      { level: "warn", message: expect.stringMatching(words), fields: { peer: "127.0.0.1" } },
    ]);
    clock.advance(60_000);
    expect(rig.lines.slice(1)).toMatchObject([{ message: expect.stringMatching(words), fields: { more: 99 } }]);
    clock.advance(3_600_000);
    expect(rig.lines).toHaveLength(2);
    await rig.request("GET", path, { token });
    expect(rig.lines).toHaveLength(3);
  });
});

describe("connections on which nothing is said", () => {
  async function silent(url: string, count: number, said = ""): Promise<Socket[]> {
    const { hostname, port } = new URL(url);
    const sockets = Array.from({ length: count }, () => connect(Number(port), hostname));
    onTestFinished(() => sockets.forEach((socket) => void socket.destroy()));
    for (const socket of sockets) socket.on("error", () => {}).resume();
    await Promise.all(sockets.map((socket) => once(socket, "connect")));
    for (const socket of sockets) socket.write(said);
    return sockets;
  }

  it("keep no homeserver out, not even one at their address", async () => {
    const rig = await startEdge();
    const sockets = await silent(rig.url, 700);
    expect((await rig.push("1", [textMessage("hello")])).status).toBe(200);
    await expect.poll(() => sockets.filter(({ closed }) => !closed).length).toBeLessThan(301);
  });

  it.each([
    ["nothing at all", ""],
    ["half a request", "PUT /_matrix/app/v1/transactions/1 HTTP/1.1\r\nhost:"],
  ])("are not waited for at the end: %s", async (_what, said) => {
    const rig = await startEdge();
    await silent(rig.url, 3, said);
    await rig.push("1", [textMessage("hello")]);
    const startedMs = performance.now();
    await rig.edge.stop();
    // Whoever is waited for has two seconds.
    expect(performance.now() - startedMs).toBeLessThan(2_000);
  });

  it("are closed after 10 s, whether nothing came or half a request", async () => {
    const rig = await startEdge();
    const startedMs = performance.now();
    const sockets = await Promise.all([silent(rig.url, 1), silent(rig.url, 1, "PUT /_matrix/app/v1/trans")]);
    await expect.poll(() => sockets.flat().every(({ closed }) => closed)).toBe(true);
    expect(performance.now() - startedMs).toBeGreaterThan(8_000);
  });
});

describe("a lookup's query", () => {
  it.each([
    ["as entered", "m.id.phone=01818118181", { "m.id.phone": "01818118181" }],
    ["with an escaped plus", "m.id.phone=%2B4418", { "m.id.phone": "+4418" }],
    ["with a raw plus, which becomes a space", "m.id.phone=+4418", { "m.id.phone": " 4418" }],
    ["as a service code", "m.id.phone=%2A67+%23%C3%A9", { "m.id.phone": "*67 #é" }],
    ["with escapes that are none", "m.id.phone=%2&%zz=%ff", { "m.id.phone": "%2", "%zz": "\ufffd" }],
    ["repeated", "m.id.phone=1&m.id.phone=2&m.id.phone=3", { "m.id.phone": ["1", "2", "3"] }],
    ["with brackets, which make no object", "m.id.phone[a]=1&b[]=2", { "m.id.phone[a]": "1", "b[]": "2" }],
    ["naming a prototype", "__proto__=1&constructor=2", { __proto__: undefined, constructor: "2" }],
    ["absent", "", {}],
  ])("reaches the bridge %s", async (_how, query, expected) => {
    const seen: unknown[] = [];
    const rig = await startEdge({
      queries: {
        usersByField: (_protocol, fields) => {
          seen.push({ ...fields });
          return [];
        },
      },
    });
    expect(await rig.request("GET", `${pstnUser}?${query}`)).toEqual({ status: 200, body: [] });
    expect(seen).toEqual([query.startsWith("__proto__") ? { ["__proto__"]: "1", constructor: "2" } : expected]);
  });
});

describe("the third-party routes", () => {
  it("tell of a user who was found when it may be told, and of nobody at once", async () => {
    let release = (): void => {};
    const told = new Promise<void>((resolve) => {
      release = resolve;
    });
    const rig = await startEdge({ queries: { lookupDelay: () => told } });
    let isAnswered = false;
    const waiting = rig.request("GET", `${pstnUser}?m.id.phone=1`).then((answer) => {
      isAnswered = true;
      return answer;
    });
    expect(await rig.request("GET", "/_matrix/app/v1/thirdparty/protocol/m.protocol.pstn")).toMatchObject({
      status: 200,
    });
    expect(isAnswered).toBe(false);
    release();
    expect(await waiting).toMatchObject({ status: 200, body: [expect.anything()] });
  });

  it.each(["v1", "unstable"])("of %s answer both names of the telephone network", async (version) => {
    const rig = await startEdge();
    for (const protocol of ["m.protocol.pstn", "im.vector.protocol.pstn"]) {
      const path = `/_matrix/app/${version}/thirdparty`;
      expect(await rig.request("GET", `${path}/protocol/${protocol}`)).toEqual({ status: 200, body: pstn });
      expect(await rig.request("GET", `${path}/user/${protocol}?m.id.phone=1`)).toEqual({
        status: 200,
        body: [{ userid: ghost, protocol, fields: { asked: '{"m.id.phone":"1"}' } }],
      });
      expect(await rig.request("GET", `${path}/location/${protocol}?x=1`)).toEqual({ status: 200, body: [] });
    }
    expect(await rig.request("GET", `/_matrix/app/${version}/thirdparty/location?alias=%23a%3Ab`)).toEqual({
      status: 200,
      body: [],
    });
    expect(
      await rig.request("GET", `/_matrix/app/${version}/thirdparty/user?userid=${encodeURIComponent(ghost)}`),
    ).toMatchObject({ status: 200, body: [{ userid: ghost }] });
  });

  it("answer 404 for another network", async () => {
    const rig = await startEdge();
    for (const kind of ["protocol", "user", "location"]) {
      expect(await rig.request("GET", `/_matrix/app/v1/thirdparty/${kind}/irc`)).toMatchObject({
        status: 404,
        body: { errcode: "M_NOT_FOUND" },
      });
    }
  });

  it.each([
    ["a reverse lookup of nobody", "user", "M_MISSING_PARAM"],
    ["a reverse lookup of two users", "user?userid=%40a%3Ab&userid=%40c%3Ad", "M_MISSING_PARAM"],
    ["a reverse lookup of no alias", "location", "M_MISSING_PARAM"],
    ["a protocol with a bad escape", "user/%zz?m.id.phone=1", "M_INVALID_PARAM"],
  ])("refuse %s", async (_what, path, errcode) => {
    const rig = await startEdge();
    expect(await rig.request("GET", `/_matrix/app/v1/thirdparty/${path}`)).toMatchObject({
      status: 400,
      body: { errcode },
    });
  });

  it("answer GET alone, and no other path", async () => {
    const rig = await startEdge();
    for (const [method, path] of [
      ["POST", pstnUser],
      ["PUT", pstnUser],
      ["GET", `${pstnUser}/more`],
      ["GET", "/_matrix/app/v2/thirdparty/user/m.protocol.pstn"],
      ["GET", "/_matrix/app/v1/thirdparty/protocol"],
    ] as const) {
      expect(await rig.request(method, path)).toMatchObject({ status: 404, body: { errcode: "M_UNRECOGNIZED" } });
    }
  });
});

describe("queries for users and rooms", () => {
  it("find a ghost under its exact id only", async () => {
    const rig = await startEdge();
    const path = (user: string): string => `/_matrix/app/v1/users/${encodeURIComponent(user)}`;
    expect(path(ghost)).toContain("%2540");
    // Registering is the query's business; the homeserver of this test is out of reach.
    const other = await rig.request("GET", path(ghost.replace("%40", "@")));
    expect(other).toMatchObject({ status: 404, body: { errcode: "M_NOT_FOUND" } });
  });

  it("say 500 and leave a line where the ghost cannot be made now", async () => {
    const userExists = () => Promise.reject(new Error("the homeserver does not answer"));
    const rig = await startEdge({ queries: { userExists } });
    expect(await rig.request("GET", `/_matrix/app/v1/users/${encodeURIComponent(ghost)}`)).toMatchObject({
      status: 500,
      body: { errcode: "M_UNKNOWN" },
    });
    expect(rig.lines).toMatchObject([{ level: "warn", fields: { user: ghost } }]);
  });

  it("find no room alias", async () => {
    const rig = await startEdge();
    expect(await rig.request("GET", "/_matrix/app/v1/rooms/%23_sip_1%3Aexample.org")).toMatchObject({
      status: 404,
      body: { errcode: "M_NOT_FOUND" },
    });
    expect((await rig.request("GET", "/_matrix/app/v1/ROOMS/%23_sip_1%3Aexample.org")).status).toBe(404);
  });
});

describe("other requests", () => {
  it("answer a ping", async () => {
    const rig = await startEdge();
    expect(await rig.request("POST", "/_matrix/app/v1/ping", { body: '{"transaction_id":"t"}' })).toEqual({
      status: 200,
      body: {},
    });
  });

  it.each([
    ["GET", "/"],
    ["GET", "/health"],
    ["PUT", "/_MATRIX/app/v1/transactions/1"],
    ["PUT", "/_matrix/app/v1/Transactions/1"],
    ["PUT", "/_matrix/app/v1/transactions/1/"],
    ["PUT", "/_matrix/app/v2/transactions/1"],
    ["GET", "/_matrix/app/v1/unknown"],
    ["POST", "/_matrix/app/v1/transactions/1"],
  ])("%s %s is not recognised", async (method, path) => {
    const rig = await startEdge();
    expect(await rig.request(method, path, { body: undefined as never })).toMatchObject({
      status: 404,
      body: { errcode: "M_UNRECOGNIZED" },
    });
  });

  it("on the unversioned paths of old homeservers are sent to the new ones", async () => {
    const rig = await startEdge();
    const headers = { authorization: `Bearer ${hsToken}` };
    for (const [method, path] of [
      ["GET", "/users/x"],
      ["PUT", "/transactions/1"],
    ] as const) {
      const answer = await fetch(rig.url + path, { method, headers, redirect: "manual" });
      expect([answer.status, answer.headers.get("location")]).toEqual([308, `/_matrix/app/v1${path}`]);
      expect((await rig.request(method, path, { token: undefined })).status).toBe(401);
    }
  });

  it("with a bad escape in the path are refused", async () => {
    const rig = await startEdge();
    expect((await rig.request("GET", "/_matrix/app/v1/users/%zz")).status).toBe(400);
  });
});
