// A homeserver for calls in which nothing but signalling is in question.
import { createServer } from "node:http";
import { expect, onTestFinished } from "vitest";
import { listen } from "../../dev/loopback/listen.ts";

export interface Sent {
  readonly type: string;
  readonly content: Readonly<Record<string, unknown>>;
}

export interface Homeserver {
  readonly url: string;
  readonly sent: readonly Sent[];
  /** `hangs`: takes requests and answers none. `no rooms`: fails to make any. */
  mood: "well" | "hangs" | "no rooms";
  /** Nothing listens any more. */
  stop(): void;
  /** The content of the first event of a type, when it is there. */
  event(type: string): Promise<Sent["content"]>;
}

/** A homeserver that agrees to everything and remembers what was sent into rooms. */
export async function homeserver(): Promise<Homeserver> {
  const sent: Sent[] = [];
  const moods: { mood: Homeserver["mood"] } = { mood: "well" };
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    request.on("end", () => {
      const path = decodeURIComponent((request.url ?? "").replace(/\?.*/, ""));
      const type = /\/send\/([^/]+)\//.exec(path)?.[1];
      if (type !== undefined) sent.push({ type, content: JSON.parse(body) as Sent["content"] });
      if (moods.mood === "hangs") return;
      if (moods.mood === "no rooms" && path.endsWith("/createRoom")) {
        response.writeHead(500).end();
        return;
      }
      const isState = path.includes("/state/m.room.encryption");
      response.writeHead(isState ? 404 : 200, { "content-type": "application/json" });
      // Ann joins whatever she is invited to.
      const chunk = [{ state_key: "@ann:example.org", content: { membership: "join" } }];
      response.end(
        JSON.stringify(
          isState
            ? { errcode: "M_NOT_FOUND", error: "none" }
            : { room_id: "!made:example.org", event_id: `$${sent.length}`, chunk, duration_ms: 1 },
        ),
      );
    });
  });
  const port = await listen(server);
  const stop = (): void => {
    server.closeAllConnections();
    server.close();
  };
  onTestFinished(stop);
  return Object.assign(moods, {
    stop,
    url: `http://127.0.0.1:${port}`,
    sent,
    event: async (type: string) => {
      const found = (): Sent | undefined => sent.find((one) => one.type === type);
      await expect.poll(found).toBeDefined();
      return found()?.content ?? {};
    },
  });
}
