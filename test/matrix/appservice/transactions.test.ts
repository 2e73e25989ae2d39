// Transactions as the homeserver pushes them.
import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { StoreError } from "../../../src/ports/store.ts";
import { openMemoryStore } from "../../fakes/memory-store.ts";
import { hsToken, startEdge, textMessage } from "../edge-rig.ts";

describe("a transaction", () => {
  it("that is no JSON is refused as M_NOT_JSON", async () => {
    const rig = await startEdge();
    for (const body of ["", "{", "events"]) {
      expect(await rig.request("PUT", "/_matrix/app/v1/transactions/1", { body })).toMatchObject({
        status: 400,
        body: { errcode: "M_NOT_JSON" },
      });
    }
  });

  it("that is another JSON is refused as M_BAD_JSON", async () => {
    const rig = await startEdge();
    for (const body of ["null", "[]", "7", '"x"', '{"events":{}}', '{"events":null}']) {
      expect(await rig.request("PUT", "/_matrix/app/v1/transactions/1", { body })).toMatchObject({
        status: 400,
        body: { errcode: "M_BAD_JSON" },
      });
    }
  });

  it("with only ephemeral data is acknowledged", async () => {
    const rig = await startEdge();
    const body = JSON.stringify({ ephemeral: [{ type: "m.typing" }] });
    expect(await rig.request("PUT", "/_matrix/app/v1/transactions/1", { body })).toEqual({ status: 200, body: {} });
  });

  it("of 100 events of 64 KiB is taken", async () => {
    const rig = await startEdge();
    const large = Array.from({ length: 100 }, (_, index) =>
      textMessage(`n ${index}`, { unsigned: { age: 1, padding: "x".repeat(65_000) } }),
    );
    expect((await rig.push("1", large)).status).toBe(200);
    await rig.factCount(100);
  });

  it("of more than that is refused before it is read, and the connection is good for nothing more", async () => {
    const rig = await startEdge();
    const { hostname, port } = new URL(rig.url);
    const socket = connect(Number(port), hostname);
    let answer = "";
    socket.on("data", (chunk: Buffer) => (answer += chunk.toString("latin1")));
    const closed = new Promise((resolve) => socket.on("close", resolve).on("error", resolve));
    socket.write(
      `PUT /_matrix/app/v1/transactions/1 HTTP/1.1\r\nhost: bridge\r\nauthorization: Bearer ${hsToken}\r\n` +
        "content-length: 60000000\r\n\r\n{",
    );
    await closed;
    expect(answer).toMatch(/^HTTP\/1\.1 413 [\s\S]*M_TOO_LARGE/);
    expect(rig.lines).toMatchObject([{ message: "transaction refused", fields: { errcode: "M_TOO_LARGE" } }]);
  });

  it("is not acknowledged before its events are stored", async () => {
    const memory = openMemoryStore();
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    let reached: () => void = () => undefined;
    const storing = new Promise<void>((resolve) => {
      reached = resolve;
    });
    const store = {
      ...memory,
      inbox: {
        ...memory.inbox,
        take: async (entries: Parameters<typeof memory.inbox.take>[0]) => {
          reached();
          await gate;
          return memory.inbox.take(entries);
        },
      },
    };
    const rig = await startEdge({ store });
    let acknowledged = false;
    const push = rig.push("1", [textMessage("hello")]).then((answer) => {
      acknowledged = true;
      return answer;
    });
    await storing;
    // Another request goes all the way through meanwhile; the transaction still waits.
    await rig.request("POST", "/_matrix/app/v1/ping", { body: "{}" });
    expect([acknowledged, rig.facts.length]).toEqual([false, 0]);
    release();
    expect((await push).status).toBe(200);
    await rig.factCount(1);
  });

  it("that cannot be stored is answered 500, and taken when it comes again", async () => {
    const memory = openMemoryStore();
    let broken = true;
    const store = {
      ...memory,
      inbox: {
        ...memory.inbox,
        take: async (entries: Parameters<typeof memory.inbox.take>[0]) => {
          if (broken) throw new StoreError("unavailable", "disk full");
          return memory.inbox.take(entries);
        },
      },
    };
    const rig = await startEdge({ store });
    const events = [textMessage("hello")];
    expect(await rig.push("1", events)).toMatchObject({ status: 500, body: { errcode: "M_UNKNOWN" } });
    expect(rig.facts).toEqual([]);
    broken = false;
    expect((await rig.push("1", events)).status).toBe(200);
    await rig.factCount(1);
    expect(rig.facts).toMatchObject([{ kind: "message.received", body: "hello" }]);
  });
});
