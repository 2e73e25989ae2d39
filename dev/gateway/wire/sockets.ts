// The gateway's SIP sockets: one UDP port and one TCP port, and a way back to whoever wrote to us.
// Knows no SIP beyond where a message ends.
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { bind, listen } from "../../loopback/listen.ts";
import { streamFrames } from "./stream-frames.ts";

export type SipTransport = "UDP" | "TCP";

/** A way to one peer: for TCP its connection, for UDP its address. */
export interface Flow {
  readonly transport: SipTransport;
  /** As `host:port`. */
  readonly peer: string;
  readonly address: string;
  readonly port: number;
  /** False once a connection is closed; a datagram can always be sent. */
  readonly open: boolean;
  send(message: string): void;
}

export interface SipSockets {
  readonly host: string;
  readonly udpPort: number;
  readonly tcpPort: number;
  /** For requests of our own, and for answers that go elsewhere than back. */
  flowTo(transport: SipTransport, host: string, port: number): Flow;
  stop(): Promise<void>;
}

export interface SocketOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly udpPort: number;
  /** Undefined: the same number as the UDP port. */
  readonly tcpPort: number | undefined;
  readonly arrived: (bytes: Buffer, flow: Flow) => void;
  /** A peer that went away, an address that cannot be reached: told, never thrown. */
  readonly failed: (why: string, error: Error) => void;
}

/** Throws what `bind` or `listen` throws (EADDRINUSE). */
export async function openSockets(options: SocketOptions): Promise<SipSockets> {
  // A free UDP port need not be free for TCP: where any will do, another is tried.
  const attempts = options.udpPort === 0 && options.tcpPort === undefined ? 50 : 1;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await openBoth(options);
    } catch (error) {
      if (attempt === attempts) throw error;
    }
  }
}

async function openBoth(options: SocketOptions): Promise<SipSockets> {
  const { host, arrived, failed } = options;
  const udp = createSocket(host.includes(":") ? "udp6" : "udp4");
  await bind(udp, options.udpPort, host);
  const udpPort = udp.address().port;

  const datagramFlow = (address: string, port: number): Flow => ({
    transport: "UDP",
    peer: `${address}:${port}`,
    address,
    port,
    open: true,
    send: (message) => {
      // The one port that throws instead of failing, and a Via may name it.
      if (port === 0) failed("datagram not sent", new Error("to port 0"));
      else
        udp.send(message, port, address, (error) => {
          if (error !== null) failed("datagram not sent", error);
        });
    },
  });
  udp.on("message", (bytes, from) => arrived(bytes, datagramFlow(from.address, from.port)));
  udp.on("error", (error) => failed("UDP socket", error));

  const connections = new Set<Socket>();
  const adopt = (socket: Socket, address: string, port: number): Flow => {
    const flow = streamFlow(socket, address, port);
    const frames = streamFrames();
    connections.add(socket);
    socket.setNoDelay(true);
    socket.on("close", () => connections.delete(socket));
    socket.on("error", (error) => failed("TCP connection", error));
    socket.on("data", (chunk) => {
      for (const frame of frames.push(chunk)) {
        if (frame.kind === "message") arrived(frame.bytes, flow);
        else if (frame.kind === "ping") socket.write("\r\n");
        else {
          failed("TCP stream", new Error(frame.why));
          socket.destroy();
        }
      }
    });
    return flow;
  };

  const tcp = createServer((socket) => void adopt(socket, socket.remoteAddress ?? "", socket.remotePort ?? 0));
  let tcpPort: number;
  try {
    tcpPort = await listen(tcp, options.tcpPort ?? udpPort, host);
  } catch (error) {
    udp.close();
    throw error;
  }
  tcp.on("error", (error) => failed("TCP listener", error));

  return {
    host,
    udpPort,
    tcpPort,
    flowTo: (transport, address, port) =>
      transport === "UDP" ? datagramFlow(address, port) : adopt(connect({ host: address, port }), address, port),
    async stop() {
      const closed = Promise.all([once(udp, "close"), once(tcp, "close")]);
      udp.close();
      tcp.close();
      for (const socket of connections) socket.destroy();
      await closed;
    },
  };
}

const streamFlow = (socket: Socket, address: string, port: number): Flow => ({
  transport: "TCP",
  peer: `${address}:${port}`,
  address,
  port,
  get open() {
    return !socket.destroyed && !socket.writableEnded;
  },
  send: (message) => void socket.write(message),
});
