// A door in front of Synapse that is as strict with new users as Dendrite, tuwunel and the others: today's grammar of
// user ids or nothing (Matrix spec, appendix 4.2.1). All else goes through as it is.
import { createServer, type IncomingMessage, request as ask, type ServerResponse } from "node:http";
import { listen } from "../../../../dev/loopback/listen.ts";
import type { Rig } from "../base/rig.ts";

const LOCALPART = /^[0-9a-z_\-+=./]+$/;

export interface StrictDoor {
  /** `http://127.0.0.1:port` */
  readonly url: string;
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function userNameIn(body: Buffer): string | undefined {
  const { username } = JSON.parse(body.toString()) as { username?: unknown };
  return typeof username === "string" ? username : undefined;
}

/** Opens the door to a homeserver that may not be up yet; it closes with the rig. */
export async function openStrictDoor(rig: Rig, homeserverUrl: string): Promise<StrictDoor> {
  const pass = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await bodyOf(request);
    const { method = "GET", url = "/", headers } = request;
    const username = method === "POST" && url.startsWith("/_matrix/client/v3/register") ? userNameIn(body) : undefined;
    if (username !== undefined && !LOCALPART.test(username)) {
      const words = "Username can only contain characters a-z, 0-9, or '_-./=+'";
      response.writeHead(400, { "content-type": "application/json" });
      response.end(JSON.stringify({ errcode: "M_INVALID_USERNAME", error: words }));
      return;
    }
    const onward = ask(`${homeserverUrl}${url}`, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    onward.end(body);
  };
  const server = createServer((request, response) => {
    pass(request, response).catch(() => response.destroy());
  });
  const port = await listen(server);
  rig.defer("strict door", async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  });
  return { url: `http://127.0.0.1:${port}` };
}
