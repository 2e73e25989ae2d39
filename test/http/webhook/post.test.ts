import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook as Verifier } from "standardwebhooks";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createPoster, type Poster } from "../../../src/http/webhook/post.ts";
import { signedHeaders, webhookKey } from "../../../src/http/webhook/signature.ts";

const secret = `whsec_${Buffer.alloc(32, 9).toString("base64")}`;
const body = JSON.stringify({ type: "call.ended", timestamp: "2026-11-30T12:00:00.000Z", data: { name: "Zoë" } });

describe("a message to a webhook", () => {
  let server: Server;
  let poster: Poster;
  let answer: (request: IncomingMessage, text: string, response: ServerResponse) => void;
  const headers = () => signedHeaders(webhookKey(secret), { id: "msg1", body, atMs: Date.now() });

  beforeEach(async () => {
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => answer(request, Buffer.concat(chunks).toString(), response));
    });
    await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
    poster = createPoster(`http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, "bridge/1");
  });
  afterEach(async () => {
    await poster.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  test("is signed so that a library of Standard Webhooks accepts it, and nothing else with that signature", async () => {
    let seen: unknown;
    answer = (request, text, response) => {
      const verifier = new Verifier(secret);
      const signed = request.headers as Record<string, string>;
      seen = verifier.verify(text, signed);
      expect(() => verifier.verify(text.replace("ended", "began"), signed)).toThrow("No matching signature found");
      expect(() => verifier.verify(text, { ...signed, "webhook-id": "msg2" })).toThrow("No matching signature found");
      response.end();
    };
    expect(await poster.post(headers(), body)).toEqual({ kind: "taken" });
    expect(seen).toEqual(JSON.parse(body));
  });

  test.each([
    { status: 204, told: { kind: "taken" } },
    { status: 400, told: { kind: "refused", why: "it answered 400" } },
    { status: 410, told: { kind: "refused", why: "it answered 410" } },
    { status: 503, told: { kind: "away", why: "it answered 503", afterMs: undefined } },
    { status: 429, retryAfter: "120", told: { kind: "away", why: "it answered 429", afterMs: 120_000 } },
    { status: 429, retryAfter: "9".repeat(30), told: { kind: "away", why: "it answered 429", afterMs: 86_400_000 } },
    { status: 429, retryAfter: "soon", told: { kind: "away", why: "it answered 429", afterMs: undefined } },
  ])("answered with $status and Retry-After $retryAfter is $told.kind", async ({ status, retryAfter, told }) => {
    answer = (_request, _text, response) => {
      response.writeHead(status, retryAfter === undefined ? {} : { "retry-after": retryAfter }).end("x");
    };
    expect(await poster.post(headers(), body)).toEqual(told);
  });

  test("does not go where a redirect leads", async () => {
    const paths: (string | undefined)[] = [];
    answer = (request, _text, response) => {
      paths.push(request.url);
      response.writeHead(307, { location: "/elsewhere" }).end();
    };
    expect(await poster.post(headers(), body)).toEqual({ kind: "refused", why: "it answered 307" });
    expect(paths).toEqual(["/hook"]);
  });

  test("that nobody takes names the network's error", async () => {
    await new Promise((resolve) => server.close(resolve));
    expect(await poster.post(headers(), body)).toMatchObject({
      kind: "away",
      why: expect.stringContaining("ECONNREFUSED"),
    });
  });

  test("is over with its answer's head, however long the answer goes on", async () => {
    answer = (_request, _text, response) => {
      const more = (): void =>
        void (response.write("x".repeat(65_536)) ? setImmediate(more) : response.once("drain", more));
      more();
    };
    expect((await poster.post(headers(), body)).kind).toBe("taken");
  });
});
