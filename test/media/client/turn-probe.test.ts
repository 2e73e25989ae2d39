// What is found out of a TURN server before a call needs it. The server's bytes are written by hand.
import { createHash, createHmac } from "node:crypto";
import { createSocket } from "node:dgram";
import { expect, onTestFinished, test } from "vitest";
import { bind } from "../../../dev/loopback/listen.ts";
import { probeTurn } from "../../../src/media/embedded/client/turn-probe.ts";

const realm = "0014000b" + Buffer.from("example.org").toString("hex") + "00";
const nonce = "00150004" + Buffer.from("once").toString("hex");

function answer(request: Buffer, type: string, body: string): Buffer {
  const length = (body.length / 2).toString(16).padStart(4, "0");
  return Buffer.concat([Buffer.from(type + length, "hex"), request.subarray(4, 20), Buffer.from(body, "hex")]);
}

const refusal = (request: Buffer, hundreds: number, rest: number): Buffer =>
  answer(
    request,
    "0113",
    `000900040000${[hundreds, rest].map((n) => n.toString(16).padStart(2, "0")).join("")}${realm}${nonce}`,
  );

/** Signed with the right password, by RFC 8489 s14.5: the last 24 bytes. */
function isSigned(request: Buffer): boolean {
  const key = createHash("md5").update("bridge:example.org:secret").digest();
  const signature = createHmac("sha1", key).update(request.subarray(0, -24)).digest();
  return request.subarray(-20).equals(signature);
}

async function turnServer(respond: (request: Buffer) => Buffer | undefined, host = "127.0.0.1") {
  const seen: string[] = [];
  const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
  socket.on("message", (request, { port, address }) => {
    seen.push(request.subarray(0, 2).toString("hex"));
    const response = respond(request);
    if (response !== undefined) socket.send(response, port, address);
  });
  await bind(socket, 0, host);
  onTestFinished(() => void socket.close());
  return { seen, url: `turn:${host.includes(":") ? `[${host}]` : host}:${socket.address().port}` };
}

const probe = (url: string, credential = "secret") => probeTurn([{ urls: [url], username: "bridge", credential }]);

/** As a real one: a challenge first, then an allocation for whoever knows the password. */
const strict = (request: Buffer): Buffer =>
  request.length > 60 && isSigned(request) ? answer(request, "0103", "") : refusal(request, 4, 1);

test.each(["127.0.0.1", "::1"])("a server at %s that gives an allocation is fine, and gets it back", async (host) => {
  const { url, seen } = await turnServer(strict, host);
  expect(await probe(url)).toEqual([]);
  await expect.poll(() => seen).toEqual(["0003", "0003", "0004"]);
});

test("a wrong password is said so", async () => {
  const { url } = await turnServer(strict);
  expect(await probe(url, "guess")).toMatchObject([{ reason: "refuses the credentials" }]);
});

test("a server that is full says so by its code", async () => {
  const { url } = await turnServer((request) => (isSigned(request) ? refusal(request, 4, 86) : refusal(request, 4, 1)));
  expect(await probe(url)).toMatchObject([{ reason: "refuses an allocation (486)" }]);
});

test("a server whose nonce has just run out is asked again with the new one", async () => {
  const asked: string[] = [];
  const { url } = await turnServer((request) => {
    asked.push(request.subarray(0, 2).toString("hex"));
    if (!isSigned(request)) return refusal(request, 4, 1);
    return asked.length < 3 ? refusal(request, 4, 38) : answer(request, "0103", "");
  });
  expect(await probe(url)).toEqual([]);
});

test("a server that is not there is said so, and one whose name is nobody's", async () => {
  const { url } = await turnServer(() => undefined);
  expect(await probe(url)).toMatchObject([{ reason: "does not answer" }]);
  expect(await probe("turn:turn.invalid:3478")).toMatchObject([{ server: "turn.invalid:3478" }]);
});

test("nonsense for an answer does no harm", async () => {
  const { url } = await turnServer((request) =>
    Buffer.concat([Buffer.from("0113ffff", "hex"), request.subarray(4, 20)]),
  );
  expect(await probe(url)).toMatchObject([{ reason: "refuses an allocation (0)" }]);
});

test("TURN that the engine cannot use is said so, and no TURN is nothing to speak of", async () => {
  expect(await probe("turns:turn.example.org:5349")).toMatchObject([
    { reason: expect.stringContaining("only TURN over UDP") },
  ]);
  expect(await probeTurn([{ urls: ["stun:stun.example.org"] }])).toEqual([]);
});
