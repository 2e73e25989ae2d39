// A scripted homeserver: answers what the bridge asks as fast as it can, keeps no state, and pushes events as Synapse does:
// one transaction at a time, up to 100 events in each. The small homeserver of dev/ is the one to prove things with.
import { once } from "node:events";
import { Agent, createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export type RoomEvent = Readonly<Record<string, unknown>>;

/** What the bridge did, as the script of a benchmark sees it. The answer has been sent. */
export interface HomeserverScript {
  /** An event goes to the bridge now; before that it waited for the transaction before. */
  pushing?(event: RoomEvent): void;
  joined(room: string, ghost: string): void;
  sent(room: string, ghost: string, type: string, content: RoomEvent): void;
  /** Gives the room that a ghost makes for a person. */
  created(ghost: string, person: string): string;
  /** A ghost has got its picture, which is the last that it gets before its first call. */
  pictured?(ghost: string): void;
}

export interface HomeserverDouble {
  readonly url: string;
  /** Requests that the bridge should not have made, and transactions that it did not take. */
  readonly problems: readonly string[];
  /** Requests that have come in. */
  readonly requests: number;
  /** Ghosts registered. */
  readonly registered: number;
  /** From here on registrations wait, until `release`. */
  holdRegistrations(): void;
  release(): void;
  /** Where events go. */
  connect(bridge: { readonly port: number; readonly token: string }): void;
  push(...events: readonly RoomEvent[]): void;
  stop(): Promise<void>;
}

const longestTurnMs = 600_000;
const eventsInTransaction = 100;
const client = "/_matrix/client/v3";
const sendPath = new RegExp(`^${client}/rooms/([^/]+)/send/([^/]+)/[^/]+$`);
const joinPath = new RegExp(`^${client}/rooms/([^/]+)/join$`);
const messagesPath = new RegExp(`^${client}/rooms/[^/]+/messages$`);
const encryptionPath = new RegExp(`^${client}/rooms/[^/]+/state/m\\.room\\.encryption/?$`);
const membersPath = new RegExp(`^${client}/rooms/([^/]+)/members$`);
const profilePath = new RegExp(`^${client}/profile/[^/]+/(?:displayname|avatar_url)$`);
const personPath = new RegExp(`^${client}/profile/[^/]+$`);
const uploadPath = "/_matrix/media/v3/upload";

export async function startHomeserverDouble(script: HomeserverScript): Promise<HomeserverDouble> {
  const problems: string[] = [];
  const held: (() => void)[] = [];
  /** Who is in the rooms that ghosts made: people come at once. Nobody but the caller is in the others. */
  const people = new Map<string, string>();
  let isHolding = false;
  let registered = 0;
  let requests = 0;
  let eventCount = 0;

  /** MSC2659: the bridge asks to be asked. */
  const ping = (done: () => void): void => {
    const headers = { authorization: `Bearer ${bridge?.token}`, "content-type": "application/json" };
    const target = { host: "127.0.0.1", port: bridge?.port, method: "POST", path: "/_matrix/app/v1/ping", headers };
    request(target, (response) => response.resume().once("end", done))
      .once("error", done)
      .end("{}");
  };

  const answer = (message: IncomingMessage, response: ServerResponse, body: string): void => {
    requests += 1;
    const target = message.url ?? "";
    const mark = target.indexOf("?");
    const path = mark < 0 ? target : target.slice(0, mark);
    const user = mark < 0 ? "" : (new URLSearchParams(target.slice(mark)).get("user_id") ?? "");
    const reply = (json: string, status = 200): void => {
      response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(json) });
      response.end(json);
    };
    const sending = sendPath.exec(path);
    if (sending !== null) {
      const [, room = "", type = ""] = sending;
      reply(`{"event_id":"$answer${(eventCount += 1)}"}`);
      script.sent(decodeURIComponent(room), user, type, JSON.parse(body) as RoomEvent);
      return;
    }
    const joining = joinPath.exec(path);
    if (joining !== null) {
      const room = decodeURIComponent(joining[1] ?? "");
      reply(JSON.stringify({ room_id: room }));
      script.joined(room, user);
      return;
    }
    if (path === `${client}/register`) {
      registered += 1;
      const done = (): void => reply("{}");
      if (isHolding) held.push(done);
      else done();
    } else if (path === `${client}/createRoom`) {
      const { invite } = JSON.parse(body) as { invite: readonly string[] };
      const person = invite[0] ?? "";
      const room = script.created(user, person);
      people.set(room, person);
      reply(JSON.stringify({ room_id: room }));
    } else if (encryptionPath.test(path)) reply('{"errcode":"M_NOT_FOUND"}', 404);
    else if (messagesPath.test(path)) reply('{"chunk":[],"start":"s"}');
    else if (membersPath.test(path)) {
      const person = people.get(decodeURIComponent(membersPath.exec(path)?.[1] ?? ""));
      reply(
        JSON.stringify({ chunk: person === undefined ? [] : [{ state_key: person, content: { membership: "join" } }] }),
      );
    } else if (path === `${client}/voip/turnServer` || profilePath.test(path)) {
      reply("{}");
      if (path.endsWith("/avatar_url")) script.pictured?.(user);
    } else if (path === uploadPath) reply('{"content_uri":"mxc://example.org/picture"}');
    else if (path === `${client}/account/whoami`) reply('{"user_id":""}');
    else if (path === `${client}/joined_rooms`) reply('{"joined_rooms":[]}');
    else if (personPath.test(path)) reply("{}");
    else if (path.endsWith("/ping")) ping(() => reply('{"duration_ms":1}'));
    else {
      problems.push(`${message.method} ${target}`);
      response.writeHead(404).end('{"errcode":"M_UNRECOGNIZED"}');
    }
  };

  const server = createServer((message, response) => {
    let body = "";
    message.setEncoding("utf8");
    message.on("data", (text: string) => {
      body += text;
    });
    message.on("end", () => answer(message, response, body));
  });
  // The floor makes no connection anew, and waits while others take their turns.
  server.keepAliveTimeout = longestTurnMs;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const waiting: RoomEvent[] = [];
  let bridge: { readonly port: number; readonly token: string } | undefined;
  let isPushing = false;
  let transactions = 0;

  const put = (events: readonly RoomEvent[], transaction: number): Promise<void> =>
    new Promise((resolve, reject) => {
      if (script.pushing !== undefined) for (const event of events) script.pushing(event);
      const body = Buffer.from(JSON.stringify({ "de.sorunome.msc2409.to_device": [], ephemeral: [], events }));
      const outgoing = request(
        {
          agent,
          host: "127.0.0.1",
          port: bridge?.port,
          method: "PUT",
          path: `/_matrix/app/v1/transactions/${transaction}`,
          headers: {
            authorization: `Bearer ${bridge?.token}`,
            "content-type": "application/json",
            "content-length": body.length,
          },
        },
        (response) => {
          if (response.statusCode !== 200) problems.push(`transaction refused: ${response.statusCode}`);
          response.resume().once("end", resolve).once("error", reject);
        },
      );
      outgoing.once("error", reject).end(body);
    });

  const pushAll = async (): Promise<void> => {
    isPushing = true;
    while (waiting.length > 0) {
      const events = waiting.splice(0, eventsInTransaction);
      const transaction = (transactions += 1);
      // The bridge may be closing a connection that was idle for as long as it keeps one.
      await put(events, transaction).catch(() => put(events, transaction));
    }
    isPushing = false;
  };

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    problems,
    get requests() {
      return requests;
    },
    get registered() {
      return registered;
    },
    holdRegistrations() {
      isHolding = true;
    },
    release() {
      isHolding = false;
      for (const done of held.splice(0)) done();
    },
    connect(to) {
      bridge = to;
    },
    push(...events) {
      waiting.push(...events);
      if (!isPushing) pushAll().catch((error: unknown) => problems.push(`transaction failed: ${String(error)}`));
    },
    async stop() {
      agent.destroy();
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
