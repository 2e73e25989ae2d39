// Taking ports on loopback: each rejects with what the system says (EADDRINUSE) instead of waiting for ever.
import type { Socket } from "node:dgram";
import { once } from "node:events";
import type { AddressInfo, Server } from "node:net";

/** Gives the port: any, unless one is named. */
export async function listen(server: Server, port = 0, host = "127.0.0.1"): Promise<number> {
  server.listen(port, host);
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** Gives the port: any, unless one is named. */
export async function bind(socket: Socket, port = 0, host = "127.0.0.1"): Promise<number> {
  socket.bind(port, host);
  await once(socket, "listening");
  return socket.address().port;
}
