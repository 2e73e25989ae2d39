// A door before the bridge, through which the homeserver's transactions go: it knows what they hold, and can lose the keys in
// them, as Synapse does if a transaction was not taken at the first attempt.
import { createServer, type IncomingMessage, request as ask, type ServerResponse } from "node:http";
import { listen } from "../../../../dev/loopback/listen.ts";
import type { Rig } from "../base/rig.ts";

/** Where a transaction has them, once as the name says and once as Synapse calls it. */
const TO_DEVICE = "de.sorunome.msc2409.to_device";

export interface TransactionDoor {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  /** While it is true, to-device messages do not reach the bridge. */
  losesKeys: boolean;
  /** To-device messages that went through, and that were lost. */
  readonly passed: readonly object[];
  readonly lost: readonly object[];
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Opens the door to a bridge that may not be up yet; it closes with the rig. */
export async function openTransactionDoor(rig: Rig, bridgeUrl: string): Promise<TransactionDoor> {
  const passed: object[] = [];
  const lost: object[] = [];
  const sift = (body: Buffer): Buffer => {
    const transaction = JSON.parse(body.toString()) as { [TO_DEVICE]?: object[] };
    const messages = transaction[TO_DEVICE] ?? [];
    (door.losesKeys ? lost : passed).push(...messages);
    return door.losesKeys ? Buffer.from(JSON.stringify({ ...transaction, [TO_DEVICE]: [] })) : body;
  };
  const pass = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = "GET", url = "/", headers } = request;
    const given = await bodyOf(request);
    const body = url.includes("/transactions/") ? sift(given) : given;
    const length = { "content-length": body.length };
    const onward = ask(`${bridgeUrl}${url}`, { method, headers: { ...headers, ...length } }, (answer) => {
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
  rig.defer("transaction door", async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  });
  const door: TransactionDoor = { url: `http://127.0.0.1:${port}`, losesKeys: false, passed, lost };
  return door;
}
