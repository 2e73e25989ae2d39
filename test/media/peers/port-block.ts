// A block of UDP ports for one test process. Test files run side by side in processes of their own, and bridges that other
// tests start take random RTP ports from the default range, so a block lies outside that range and outside the ports that
// the kernel hands out, and belongs to whoever holds the TCP port of its first number.
import { createServer } from "node:net";

const portsInBlock = 600;
const firsts = Array.from({ length: 15 }, (_, index) => 10_000 + index * portsInBlock);

export async function reserveBlock(): Promise<{ readonly portMin: number; readonly portMax: number }> {
  for (const first of firsts) if (await isHeld(first)) return { portMin: first, portMax: first + portsInBlock - 1 };
  throw new Error("every block of test ports is in use");
}

/** True once the port is ours. It stays so until the process ends. */
async function isHeld(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => {
      server.unref();
      resolve(true);
    });
  });
}
