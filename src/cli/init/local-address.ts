// Which address of this machine another one would see: the one that packets to it leave from. Nothing is sent.
import { createSocket } from "node:dgram";

/** Undefined if the host cannot be found within a moment. Never rejects. */
export function localAddressTowards(host: string, timeoutMs = 2_000): Promise<string | undefined> {
  return new Promise((resolve) => {
    if (host === "") return resolve(undefined);
    const bare = host.replace(/^\[(.*)\]$/, "$1");
    const socket = createSocket(bare.includes(":") ? "udp6" : "udp4");
    let isOver = false;
    const end = (address: string | undefined): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      socket.close();
      resolve(address);
    };
    const timer = setTimeout(() => end(undefined), timeoutMs);
    socket.on("error", () => end(undefined));
    socket.connect(9, bare, (error?: Error) => end(error ? undefined : socket.address().address));
  });
}
