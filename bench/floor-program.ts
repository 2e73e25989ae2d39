// The floor: the smallest program with the input and output of one complete outbound call, and no logic. It takes the same
// transactions, makes the same requests, sends the same datagrams and commits as often, to SQLite with the same settings. Whatever
// the bridge costs above this is the bridge's own. What it does in each step was counted on the bridge; when that changes, this
// changes with it.
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import SqliteDatabase from "better-sqlite3";
import type { BridgeDialogue } from "./bridge-program.ts";
import { cpuMs } from "./parts/cpu.ts";
import { KeptConnections } from "./parts/kept-connections.ts";
import { serve } from "./parts/program.ts";
import { clientAnswer, trunkOffer } from "./parts/silent-engine.ts";

interface PushedEvent {
  readonly event_id: string;
  readonly type: string;
  readonly room_id: string;
  readonly sender: string;
  readonly state_key?: string;
  readonly content: Readonly<Record<string, unknown>>;
}

interface FloorCall {
  readonly room: string;
  readonly ghost: string;
  readonly number: string;
  readonly person: string;
  matrixCallId: string;
}

const client = "/_matrix/client/v3";
const connections = 8;

/** Writes of one row each, committed one by one as the bridge commits them. */
const commitsBeforeJoin = 1;
const commitsAfterJoin = 2;
const commitsBeforeInvite = 3;
const commitsAtAnswer = 3;
const commitsAtHangup = 1;

type Start = BridgeDialogue["start"]["question"];

/** The pragmas of src/store, which give the price of a commit. */
function openDatabase(path: string): SqliteDatabase.Database {
  const database = new SqliteDatabase(path);
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = NORMAL");
  database.exec(`
    create table inbox (seq integer primary key autoincrement, event_id text not null unique, room text not null,
      received_at_ms bigint not null, json text);
    create index inbox_received on inbox (received_at_ms);
    create table call (id text primary key, room text not null, call text, record text, ended_at_ms bigint);
    create index call_known on call (room);
    create index call_ended on call (ended_at_ms);`);
  return database;
}

async function floor({ config, registration }: Start): Promise<number> {
  const database = openDatabase(config.database.path);
  const full = database.prepare("pragma synchronous = full");
  const normal = database.prepare("pragma synchronous = normal");
  const begin = database.prepare("begin");
  const commit = database.prepare("commit");
  const take = database.prepare(
    "insert into inbox (event_id, room, received_at_ms, json) values (?, ?, ?, ?) on conflict (event_id) do nothing",
  );
  const done = database.prepare("update inbox set json = null where event_id = ?");
  const save = database.prepare(
    "insert into call (id, room, call, record) values (?, ?, ?, ?) on conflict (id) do update set call = excluded.call, record = excluded.record",
  );

  const homeserver = await KeptConnections.open(config.homeserver.url, registration.as_token, connections);
  const [, trunkPort = ""] = String(config.trunks[0]?.server).split(":");
  const trunk = `127.0.0.1:${trunkPort}`;
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const local = `127.0.0.1:${socket.address().port}`;
  const calls = new Map<string, FloorCall>();

  const write = (call: FloorCall, count: number): void => {
    const json = JSON.stringify(call);
    for (let index = 0; index < count; index += 1) save.run(call.room, call.room, json, null);
  };

  const send = (method: string, { room, number, person }: FloorCall, cseq: number, to: string, body: string): void => {
    const name = room.slice(1, room.indexOf(":"));
    const target = cseq === 1 && to === "" ? `sip:${number}@${trunk}` : `sip:callee@${trunk}`;
    const described = body === "" ? "" : "Content-Type: application/sdp\r\n";
    socket.send(
      `${method} ${target} SIP/2.0\r\nVia: SIP/2.0/UDP ${local};branch=z9hG4bK${method}${name};rport\r\n` +
        `Max-Forwards: 70\r\nFrom: <sip:${person.slice(1, person.indexOf(":"))}@127.0.0.1>;tag=${name}\r\n` +
        `To: <sip:${number}@${trunk}>${to}\r\nCall-ID: ${room}\r\nCSeq: ${cseq} ${method}\r\n` +
        `Contact: <sip:main@${local}>\r\nAllow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, PRACK, UPDATE, REFER, NOTIFY, MESSAGE\r\n` +
        `Supported: 100rel, replaces, timer\r\nUser-Agent: matrix-appservice-sip/bench\r\n` +
        `${described}Content-Length: ${body.length}\r\n\r\n${body}`,
      Number(trunkPort),
      "127.0.0.1",
    );
  };

  const invited = async (event: PushedEvent): Promise<void> => {
    const room = event.room_id;
    const ghost = event.state_key ?? "";
    const number = ghost.slice("@_sip_".length, ghost.indexOf("%"));
    const call: FloorCall = { room, ghost, number, person: event.sender, matrixCallId: "" };
    calls.set(room, call);
    const as = `?user_id=${encodeURIComponent(ghost)}`;
    const inRoom = `${client}/rooms/${encodeURIComponent(room)}`;
    const profile = `${client}/profile/${encodeURIComponent(ghost)}`;
    await homeserver.request("POST", `${client}/register${as}`, JSON.stringify({ username: ghost }));
    await homeserver.request("PUT", `${profile}/displayname${as}`, JSON.stringify({ displayname: number }));
    await homeserver.request(
      "PUT",
      `${profile}/avatar_url${as}`,
      JSON.stringify({ avatar_url: "mxc://example.org/p" }),
    );
    write(call, commitsBeforeJoin);
    await homeserver.request("POST", `${inRoom}/join${as}`, "{}");
    write(call, commitsAfterJoin);
    done.run(event.event_id);
    await Promise.all([
      homeserver.request("GET", `${inRoom}/state/m.room.encryption${as}`),
      homeserver.request("GET", `${inRoom}/messages${as}&dir=b&limit=100`),
      homeserver.request("GET", `${inRoom}/members${as}`),
    ]);
  };

  const ring = async (call: FloorCall): Promise<void> => {
    await homeserver.request("GET", `${client}/voip/turnServer?user_id=${encodeURIComponent(call.ghost)}`);
    write(call, commitsBeforeInvite);
    send("INVITE", call, 1, "", trunkOffer);
  };

  const act = (event: PushedEvent): void => {
    if (event.type === "m.room.member") {
      if (event.content["membership"] === "invite") void invited(event);
      return;
    }
    const call = calls.get(event.room_id);
    if (call === undefined || event.sender === call.ghost) return;
    done.run(event.event_id);
    if (event.type === "m.call.invite") {
      call.matrixCallId = String(event.content["call_id"]);
      void ring(call);
    } else if (event.type === "m.call.hangup") {
      write(call, commitsAtHangup);
      send("BYE", call, 2, ";tag=callee", "");
    }
  };

  socket.on("message", (bytes) => {
    const text = bytes.toString("latin1");
    if (!text.startsWith("SIP/2.0 200")) return;
    const call = calls.get(/\r\nCall-ID: (.*)\r\n/.exec(text)?.[1] ?? "");
    if (call === undefined) return;
    const { room, ghost, matrixCallId } = call;
    if (text.includes("\r\nCSeq: 1 INVITE")) {
      send("ACK", call, 1, ";tag=callee", "");
      write(call, commitsAtAnswer);
      const content = {
        call_id: matrixCallId,
        party_id: "floor",
        version: "1",
        answer: { type: "answer", sdp: clientAnswer },
      };
      void homeserver.request(
        "PUT",
        `${client}/rooms/${encodeURIComponent(room)}/send/m.call.answer/${encodeURIComponent(room)}?user_id=${encodeURIComponent(ghost)}`,
        JSON.stringify(content),
      );
      return;
    }
    calls.delete(room);
    save.run(room, room, null, JSON.stringify(call));
    console.log(
      JSON.stringify({ level: "info", room, direction: "outbound", cause: "caller-hung-up", msg: "call ended" }),
    );
  });

  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => {
      body += text;
    });
    request.on("end", () => {
      const { events = [] } = JSON.parse(body) as { events?: readonly PushedEvent[] };
      const taken = events.filter(({ type, sender }) => type !== "m.call.answer" && !sender.startsWith("@_sip_"));
      if (taken.length > 0) {
        full.run();
        begin.run();
        for (const event of taken) take.run(event.event_id, event.room_id, Date.now(), JSON.stringify(event));
        commit.run();
        normal.run();
      }
      response.writeHead(200, { "content-type": "application/json", "content-length": 2 }).end("{}");
      for (const event of taken) act(event);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

serve<BridgeDialogue>({
  start: floor,
  async footprint() {
    globalThis.gc?.();
    await delay(500);
    globalThis.gc?.();
    const { rss, heapUsed } = process.memoryUsage();
    return { rss, heap: heapUsed };
  },
  cpuMs,
});
