// A hop in front of a TCP server that can lose what goes through it, as networks do.
import { connect, createServer, type Socket } from "node:net";
import { listen } from "../../../../dev/loopback/listen.ts";
import { freePort } from "../../../../dev/loopback/free-ports.ts";
import type { Rig } from "../base/rig.ts";

export interface TcpHop {
  readonly port: number;
  /** The near side hears that the connection is gone; the far side hears nothing. */
  cut(): void;
  /** From now on nothing arrives on either side, and neither hears why. */
  swallow(): void;
  /** Cuts when the answer comes to what holds this text; the answer is lost. */
  cutAfter(text: string): void;
}

/** Ends with the rig. */
export async function startTcpHop(rig: Rig, farPort: number): Promise<TcpHop> {
  const pairs = new Set<{ near: Socket; far: Socket }>();
  let swallows = false;
  let fatal: string | undefined;
  const server = createServer((near) => {
    const far = connect(farPort, "127.0.0.1");
    const pair = { near, far };
    pairs.add(pair);
    let isDoomed = false;
    near.on("data", (data) => {
      if (swallows) return;
      if (fatal !== undefined && data.includes(fatal)) isDoomed = true;
      far.write(data);
    });
    far.on("data", (data) => {
      if (isDoomed) near.destroy();
      else if (!swallows) near.write(data);
    });
    near.on("end", () => far.end());
    far.on("end", () => near.end());
    for (const socket of [near, far]) socket.on("error", () => socket.destroy());
  });
  const port = await freePort();
  await listen(server, port);
  rig.defer("TCP hop", async () => {
    for (const { near, far } of pairs) for (const socket of [near, far]) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return {
    port,
    cut: () => {
      for (const { near } of pairs) near.destroy();
    },
    swallow: () => void (swallows = true),
    cutAfter: (text) => void (fatal = text),
  };
}
