// What the bridge says of a homeserver's address that does not work, over real sockets.
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { createServer as createTcpServer, type Server } from "node:net";
import { afterAll, expect, it, onTestFinished } from "vitest";
import { freePort } from "../../../dev/loopback/free-ports.ts";
import { listen } from "../../../dev/loopback/listen.ts";
import { Authority } from "../../sip/rig/certificates.ts";
import { startEdge } from "../edge-rig.ts";

const authority = new Authority();
afterAll(() => authority.remove());

async function portOf(server: Server): Promise<number> {
  const port = await listen(server);
  onTestFinished(() => void server.close());
  return port;
}

const tlsServer = (names: string) => {
  const { cert, key } = authority.issue("homeserver", names);
  return portOf(createHttpsServer({ cert, key }, (_, response) => response.end("{}")));
};

it.each<[string, () => Promise<string>, RegExp]>([
  [
    "https to a port that speaks http",
    async () => `https://127.0.0.1:${await portOf(createHttpServer((_, response) => response.end("{}")))}`,
    /does not speak TLS, so its address begins with http:/,
  ],
  ["http to a port that speaks TLS", async () => `http://127.0.0.1:${await tlsServer("IP:127.0.0.1")}`, /https:\/\//],
  [
    "a certificate that nobody trusts",
    async () => `https://127.0.0.1:${await tlsServer("IP:127.0.0.1")}`,
    /nobody whom this machine trusts; NODE_EXTRA_CA_CERTS names more/,
  ],
  [
    "a port where nothing listens",
    async () => `http://127.0.0.1:${await freePort()}`,
    /nothing listens .* \(ECONNREFUSED\)/,
  ],
  ["the same by IPv6", async () => `http://[::1]:${await freePort()}`, /nothing listens .* \(ECONNREFUSED\)/],
  [
    "a port that closes each connection",
    async () => `http://127.0.0.1:${await portOf(createTcpServer((socket) => socket.destroy()))}`,
    /closed without an answer/,
  ],
  [
    "a port that speaks something else",
    async () => `http://127.0.0.1:${await portOf(createTcpServer((socket) => socket.end("220 mail.example.org\r\n")))}`,
    /does not speak HTTP/,
  ],
])("%s is said so in one line", async (_, address, words) => {
  const { edge } = await startEdge({ homeserverUrl: await address() });
  const failure = await edge.homeserver.whoAmI().then(String, (error: unknown) => error);
  expect(failure).toMatchObject({ code: "UNREACHABLE", transient: true, message: expect.stringMatching(words) });
  expect(String(failure)).not.toContain("\n");
});
