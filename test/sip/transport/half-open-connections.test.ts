// Connections to the trunk's own port on which nobody says anything: closed in time, never in the way of those who do, and
// nothing that a stop waits for.
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { freePort } from "../../../dev/loopback/free-ports.ts";
import { listen } from "../../../dev/loopback/listen.ts";
import type { SipTransportName, TrunkSettings } from "../../../src/ports/sip.ts";
import { Crowd } from "../../../src/core/policy/crowd.ts";
import { certificates, closeLater, rig, standStill, startStack } from "../rig/rig.ts";
import { trunkSettings, type Stack } from "../rig/stack.ts";

interface Listening {
  readonly stack: Stack;
  readonly port: number;
}

/** A trunk that listens with a certificate of its own, and takes requests from all of loopback. */
async function listening(transport: "tcp" | "tls"): Promise<Listening> {
  const { authority, server } = certificates();
  const own = { ca: authority.ca, certificate: server.cert, key: server.key, serverName: undefined };
  const port = await freePort();
  const settings: Partial<TrunkSettings> = {
    peers: ["127.0.0.0/8"],
    local: { host: "127.0.0.1", port, advertised: undefined },
  };
  const { stack } = await rig(transport, transport === "tls" ? { ...settings, tls: own } : settings);
  return { stack, port };
}

async function open(port: number, from = "127.0.0.1"): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", localAddress: from });
  closeLater(async () => void socket.destroy());
  socket.on("error", () => {});
  socket.resume();
  await once(socket, "connect");
  return socket;
}

const options = (port: number): string =>
  `OPTIONS sip:us@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:${port};branch=z9hG4bKgood\r\nMax-Forwards: 70\r\n` +
  `From: <sip:peer@127.0.0.1>;tag=a\r\nTo: <sip:us@127.0.0.1>\r\nCall-ID: good\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n`;

describe("a connection to a TLS trunk", () => {
  it.each([
    ["says nothing", []],
    ["sends three bytes", ["\u0016\u0003\u0001"]],
    ["sends a byte now and then", ["\u0016", "\u0003", "\u0001", "\u0002", "\u0000", "\u0001"]],
  ])("that %s is closed 10 s after it was opened", async (_what, bytes) => {
    const pass = standStill();
    const { stack, port } = await listening("tls");
    const socket = await open(port);
    // Whoever connected after it has been seen, so it has, too.
    (await open(port)).destroy();
    for (const byte of bytes) {
      socket.write(Buffer.from(byte, "latin1"));
      await new Promise((resolve) => void setImmediate(resolve));
      pass(1_500);
    }
    pass(9_900 - bytes.length * 1_500);
    expect(socket.closed).toBe(false);
    pass(200);
    await expect.poll(() => socket.closed).toBe(true);
    const said = stack.log.find(({ message }) => message === "SIP connection closed");
    expect(said).toMatchObject({
      level: "warn",
      fields: { why: "TLS handshake not finished in time", address: "127.0.0.1", setting: "peers" },
    });
  });

  it("that speaks SIP without TLS is closed at once", async () => {
    const { stack, port } = await listening("tls");
    const socket = await open(port);
    socket.write(options(port));
    await expect.poll(() => socket.closed).toBe(true);
    expect(stack.log).toContainEqual(
      expect.objectContaining({ fields: expect.objectContaining({ why: "TLS handshake failed" }) }),
    );
  });
});

describe("a connection to a TCP trunk", () => {
  it.each([
    ["says nothing", ""],
    ["sends keep-alives alone", "\r\n\r\n"],
    ["sends half a message", "OPTIONS sip:us@127.0.0.1 SIP/2.0\r\n"],
  ])("that %s is closed after 30 s", async (_what, bytes) => {
    const pass = standStill();
    const { port } = await listening("tcp");
    const socket = await open(port);
    if (bytes !== "") socket.write(bytes);
    const later = await open(port);
    later.write("\r\n\r\n");
    await once(later, "data");
    pass(29_000);
    expect(socket.closed).toBe(false);
    pass(2_000);
    await expect.poll(() => socket.closed).toBe(true);
  });
});

describe("five hundred connections that say nothing", () => {
  it.each<"tcp" | "tls">(["tcp", "tls"])(
    "keep no good peer out, over %s, not even one at their address",
    async (kind) => {
      const { stack, port } = await listening(kind);
      const silent = await Promise.all(Array.from({ length: 500 }, () => open(port)));
      const { authority } = certificates();
      const good = kind === "tcp" ? await open(port) : await secured(port, authority.ca);
      good.write(options(port).replace("/TCP", kind === "tcp" ? "/TCP" : "/TLS"));
      const [answer] = (await once(good, "data")) as [Buffer];
      expect(answer.toString("latin1")).toMatch(/^SIP\/2\.0 200 /);
      expect(silent.filter(({ closed }) => !closed).length).toBeLessThan(201);
      expect(stack.log).toContainEqual(
        expect.objectContaining({ fields: expect.objectContaining({ why: "too many connections" }) }),
      );
    },
  );
});

async function secured(port: number, ca: string): Promise<Socket> {
  const { connect: connectTls } = await import("node:tls");
  const socket = connectTls({ port, host: "127.0.0.1", ca, servername: "localhost" });
  closeLater(async () => void socket.destroy());
  await once(socket, "secureConnect");
  return socket;
}

describe("a stop", () => {
  it.each<"tcp" | "tls">(["tcp", "tls"])("waits for no connection that says nothing, over %s", async (kind) => {
    const { stack, port } = await listening(kind);
    const silent = await Promise.all([open(port), open(port)]);
    silent[1]?.write("\u0016\u0003\u0001");
    const startedMs = performance.now();
    await stack.stop();
    expect(performance.now() - startedMs).toBeLessThan(5_000);
    await expect.poll(() => silent.every(({ closed }) => closed)).toBe(true);
  });

  it.each<SipTransportName>(["tls", "ws", "wss"])(
    "waits for no server that never finishes its handshake, over %s",
    async (transport) => {
      const mute = createServer((socket) => void socket.on("error", () => {}).resume());
      const closed: Promise<unknown>[] = [];
      mute.on("connection", (socket: Socket) => void closed.push(once(socket, "close")));
      const port = await listen(mute);
      closeLater(async () => void mute.close());
      const stack = await startStack(trunkSettings(port, { transport }));
      await expect.poll(() => closed.length).toBe(1);
      const startedMs = performance.now();
      await stack.stop();
      await Promise.all(closed);
      expect(performance.now() - startedMs).toBeLessThan(5_000);
    },
  );
});

describe("of too many connections", () => {
  function crowd(limits: { all: number; fromOneAddress: number }) {
    const all = new Crowd(limits);
    const closed: string[] = [];
    const add = (address: string, name: string) => all.add(address, () => void closed.push(name)).member;
    return { add, closed, all };
  }

  it("the oldest of that address that has said nothing goes, before any that has spoken", () => {
    const { add, closed } = crowd({ all: 100, fromOneAddress: 3 });
    add("a", "a1").heard();
    add("a", "a2");
    add("a", "a3");
    add("a", "a4");
    expect(closed).toEqual(["a2"]);
    add("b", "b1");
    expect(closed).toEqual(["a2"]);
  });

  it("where all have spoken, the one longest unheard of goes", () => {
    const { add, closed } = crowd({ all: 100, fromOneAddress: 2 });
    const first = add("a", "a1");
    first.heard();
    add("a", "a2").heard();
    first.heard();
    add("a", "a3");
    expect(closed).toEqual(["a2"]);
  });

  it("from all over, those of the address go that holds most in silence: few are safe", () => {
    const { add, closed, all } = crowd({ all: 10, fromOneAddress: 9 });
    add("good", "good").heard();
    add("slow", "slow");
    for (let one = 0; one < 8; one++) add("bad", `bad${one}`);
    for (let one = 0; one < 50; one++) add(`new${one % 5}`, `new${one}`);
    expect(closed).not.toContain("good");
    expect(all.size).toBe(10);
    expect(closed.slice(0, 3)).toEqual(["bad0", "bad1", "bad2"]);
  });

  it("a crowd that talks keeps its place before a few that do not", () => {
    const { add, closed } = crowd({ all: 6, fromOneAddress: 5 });
    for (let one = 0; one < 4; one++) add("office", `office${one}`).heard();
    add("slow", "slow0");
    add("slow", "slow1");
    add("new", "new");
    expect(closed).toEqual(["slow0"]);
  });

  it("one that has gone by itself makes room", () => {
    const { add, closed } = crowd({ all: 100, fromOneAddress: 1 });
    add("a", "a1").gone();
    add("a", "a2");
    expect(closed).toEqual([]);
  });
});
