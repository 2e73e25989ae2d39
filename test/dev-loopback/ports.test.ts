import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { freePort, freePorts } from "../../dev/loopback/free-ports.ts";
import { bind, listen } from "../../dev/loopback/listen.ts";

function newServer() {
  const server = createServer();
  onTestFinished(() => void server.close());
  return server;
}

function newSocket() {
  const socket = createSocket("udp4");
  onTestFinished(() => void socket.close());
  return socket;
}

test("whoever asks for a port that is taken is told so", async () => {
  const [tcp, udp] = [await listen(newServer()), await bind(newSocket())];
  await expect(listen(newServer(), tcp)).rejects.toMatchObject({ code: "EADDRINUSE" });
  await expect(bind(newSocket(), udp)).rejects.toMatchObject({ code: "EADDRINUSE" });
});

test("free ports are even, none is given out twice, and one that somebody holds is passed over", async () => {
  const first = await freePort();
  await bind(newSocket(), first + 2);
  await listen(newServer(), first + 4);
  const rows = await Promise.all([freePort(), freePorts(4), freePort(), freePorts(150)]);
  const all = rows.flatMap((row, index) => Array.from({ length: [1, 4, 1, 150][index] ?? 0 }, (_, each) => row + each));
  expect(new Set(all).size).toBe(all.length);
  expect(all).not.toContain(first + 2);
  expect(all).not.toContain(first + 4);
  expect(rows.filter((row) => row % 2 !== 0)).toEqual([]);
});

test("two processes never have a port in common, even where both begin at the same one", async () => {
  const ours = [await freePort(), await freePort()];
  const module = join(import.meta.dirname, "../../dev/loopback/free-ports.ts");
  const code = `Object.defineProperty(process, "pid", { value: ${process.pid} });
    const { freePorts } = await import(${JSON.stringify(module)});
    console.log(await freePorts(198), await freePorts(198), await freePorts(198));`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", code], { stdio: ["ignore", "pipe", "inherit"] });
  let out = "";
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  await once(child, "close");
  const theirs = out.trim().split(" ").map(Number);
  expect(theirs).toHaveLength(3);
  for (const port of ours) expect(theirs.filter((first) => first <= port && port < first + 198)).toEqual([]);
});
