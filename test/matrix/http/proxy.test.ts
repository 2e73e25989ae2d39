// The proxy variables that other programs know, too: http_proxy, https_proxy and no_proxy, in capitals as well.
import { createServer as createHttpServer, request as ask } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { connect } from "node:net";
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from "vitest";
import { freePort } from "../../../dev/loopback/free-ports.ts";
import { listen } from "../../../dev/loopback/listen.ts";
import { Authority } from "../../sip/rig/certificates.ts";
import { bot, startEdge } from "../edge-rig.ts";
import { startScripted } from "../scripted-homeserver.ts";

beforeEach(() => {
  for (const name of ["http_proxy", "https_proxy", "no_proxy"]) {
    vi.stubEnv(name, undefined);
    vi.stubEnv(name.toUpperCase(), undefined);
  }
});
afterEach(() => void vi.unstubAllEnvs());

/** Passes on what comes for others (RFC 9110 s7.3, s9.3.6), and notes it. */
async function startProxy() {
  const asked: string[] = [];
  const server = createHttpServer((request, response) => {
    asked.push(`${request.method} ${request.url?.replace(/\?.*/, "")}`);
    const { method, headers } = request;
    const onward = ask(request.url ?? "", { method: method ?? "GET", headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    request.pipe(onward);
  });
  server.on("connect", (request, near) => {
    asked.push(`CONNECT ${request.url}`);
    const far = connect(Number(request.url?.split(":")[1]), "127.0.0.1", () => {
      near.write("HTTP/1.1 200 OK\r\n\r\n");
      near.pipe(far).pipe(near);
    });
    for (const socket of [near, far]) socket.on("error", () => socket.destroy());
    onTestFinished(() => void far.destroy());
  });
  const url = `http://127.0.0.1:${await listen(server)}`;
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url, asked };
}

const me = "@_sip_bot:example.org";

async function whoAmI(homeserverUrl: string): Promise<unknown> {
  const { edge } = await startEdge({ homeserverUrl });
  return edge.homeserver.whoAmI().catch((error: unknown) => String(error));
}

it.each(["http_proxy", "HTTP_PROXY"])("%s: requests to an http address go through the proxy", async (name) => {
  const [proxy, homeserver] = [await startProxy(), await startScripted([{ status: 200, body: { user_id: me } }])];
  vi.stubEnv(name, proxy.url);
  const { edge } = await startEdge({ homeserverUrl: homeserver.url });
  expect(await edge.homeserver.whoAmI()).toBe(me);
  await edge.homeserver.setDisplayName(bot, "Telephone");
  expect(proxy.asked).toEqual([
    `GET ${homeserver.url}/_matrix/client/v3/account/whoami`,
    `PUT ${homeserver.url}/_matrix/client/v3/profile/${encodeURIComponent(bot)}/displayname`,
  ]);
  expect(homeserver.requests[1]?.body).toEqual({ displayname: "Telephone" });
});

it("https_proxy: requests to an https address go through the proxy in a tunnel, so that it sees no token", async () => {
  const authority = new Authority();
  onTestFinished(() => authority.remove());
  const { cert, key } = authority.issue("homeserver", "IP:127.0.0.1");
  const server = createHttpsServer({ cert, key }, (_, response) => response.end("{}"));
  onTestFinished(() => void server.close());
  const [proxy, port] = [await startProxy(), await listen(server)];
  vi.stubEnv("https_proxy", proxy.url);
  // The certificate is the homeserver's own, which nobody trusts here.
  expect(await whoAmI(`https://127.0.0.1:${port}`)).toContain("nobody whom this machine trusts");
  expect(new Set(proxy.asked)).toEqual(new Set([`CONNECT 127.0.0.1:${port}`]));
});

it.each(["127.0.0.1", "example.org,127.0.0.1", "*"])("no_proxy: %s keeps it out", async (hosts) => {
  const homeserver = await startScripted([{ status: 200, body: { user_id: me } }]);
  vi.stubEnv("http_proxy", `http://127.0.0.1:${await freePort()}`);
  vi.stubEnv("no_proxy", hosts);
  expect(await whoAmI(homeserver.url)).toBe(me);
});
