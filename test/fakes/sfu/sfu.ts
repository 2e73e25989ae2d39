// A media server that speaks LiveKit's signalling over one peer connection and passes on sound from each to all: enough of
// one for those who take part, and quick to start. It believes every token, and makes rooms on demand.
import { createServer, type IncomingMessage, type Server } from "node:http";
import { WebSocketServer } from "ws";
import { listen } from "../../../dev/loopback/listen.ts";
import type { Admission } from "../../../src/ports/conference.ts";
import { SfuMember } from "./sfu-member.ts";

interface Claims {
  readonly sub: string;
  readonly video: { readonly room: string };
}

/** Into a room of a server on that port. */
export function fakeAdmission(port: number, identity: string, room: string): Admission {
  const claims: Claims = { sub: identity, video: { room } };
  const token = `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.e30`;
  return { url: `http://127.0.0.1:${port}`, token };
}

function claimsOf(request: IncomingMessage): Claims | undefined {
  const body = /^Bearer [^.]+\.([^.]+)\./.exec(request.headers.authorization ?? "")?.[1];
  return body === undefined ? undefined : (JSON.parse(Buffer.from(body, "base64url").toString()) as Claims);
}

const allCodecs = ["PCMU", "PCMA", "opus", "red"];

export class FakeSfu {
  /** What it makes of its answers to somebody. */
  spoil: (sdp: string, identity: string) => string = (sdp) => sdp;
  /** What it says that it takes. */
  codecs: readonly string[] = allCodecs;
  readonly #http: Server;
  readonly #said = new Map<string, Set<number>>();
  readonly #rooms = new Map<string, Set<SfuMember>>();

  private constructor(http: Server) {
    this.#http = http;
    const sockets = new WebSocketServer({ noServer: true });
    http.on("upgrade", (request, socket, head) => {
      const claims = claimsOf(request);
      const { pathname, searchParams } = new URL(request.url ?? "/", "http://sfu");
      const isJoin = pathname === "/rtc/v1" && searchParams.has("join_request");
      if (claims === undefined || !isJoin) {
        socket.end("HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n");
        return;
      }
      const { sub, video } = claims;
      const room = this.#rooms.get(video.room) ?? new Set();
      this.#rooms.set(video.room, room);
      sockets.handleUpgrade(request, socket, head, (webSocket) => {
        for (const other of room) if (other.identity === sub) other.remove("DUPLICATE_IDENTITY");
        const member = new SfuMember(sub, webSocket, room, this.said(sub), (sdp) => this.spoil(sdp, sub));
        room.add(member);
        member.join(this.codecs);
      });
    });
  }

  static async start(port: number): Promise<FakeSfu> {
    const http = createServer((_request, response) => void response.end());
    await listen(http, port);
    return new FakeSfu(http);
  }

  /** The payload types in which that one has spoken, in any room. */
  said(identity: string): Set<number> {
    const said = this.#said.get(identity) ?? new Set();
    this.#said.set(identity, said);
    return said;
  }

  /** How many candidates came before they could be used. */
  get early(): number {
    let early = 0;
    for (const room of this.#rooms.values()) for (const member of room) early += member.early;
    return early;
  }

  /** Everybody is told to go. */
  dismiss(reason: "PARTICIPANT_REMOVED" | "SERVER_SHUTDOWN"): void {
    for (const room of this.#rooms.values()) for (const member of room) member.remove(reason);
  }

  /** As if it were killed: nobody hears a word. */
  async stop(): Promise<void> {
    for (const room of this.#rooms.values()) for (const member of room) member.cut();
    await new Promise<void>((resolve) => this.#http.close(() => resolve()));
  }
}
