// One UDP socket: datagrams in, datagrams out. What they mean is hub.ts's business.
import { createSocket, type RemoteInfo } from "node:dgram";
import { isIPv6 } from "node:net";
import { plainAddress, type Endpoint } from "./target.ts";
import { transportError } from "./transport-error.ts";

export interface UdpSocket {
  readonly local: Endpoint;
  /** Rejects with TransportError; ICMP errors are not seen on an unconnected socket. */
  send(bytes: Buffer, to: Endpoint): Promise<void>;
  close(): Promise<void>;
}

export interface UdpOptions {
  /** Numeric; `::` listens on both families. */
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  onDatagram(bytes: Buffer, from: Endpoint): void;
  /** The socket broke after it was bound. */
  onError(error: Error): void;
}

/** A burst of answers must not be lost before the event loop comes round; the kernel caps it at its own limit. */
const SOCKET_BUFFER_BYTES = 4 * 1024 * 1024;

/** How often another port is tried where any will do. */
const MORE_PORTS = 50;

/**
 * Opens it together with what `beside` opens on the same number. Where that is taken, and any port will do, another one is
 * tried; `error` is why the last one could not be had. Throws TransportError where UDP itself fails.
 */
export async function openUdpBeside(
  options: UdpOptions,
  beside: (port: number) => Promise<unknown>,
): Promise<{ readonly udp: UdpSocket; readonly error?: unknown }> {
  for (let more = options.port === 0 ? MORE_PORTS : 0; ; more -= 1) {
    const udp = await openUdp(options);
    try {
      await beside(udp.local.port);
      return { udp };
    } catch (error) {
      if (more === 0) return { udp, error };
      await udp.close();
    }
  }
}

/** Throws TransportError, `address-in-use` among others. */
async function openUdp(options: UdpOptions): Promise<UdpSocket> {
  const wide = isIPv6(options.host);
  const socket = createSocket({
    type: wide ? "udp6" : "udp4",
    recvBufferSize: SOCKET_BUFFER_BYTES,
    sendBufferSize: SOCKET_BUFFER_BYTES,
  });
  socket.on("message", (bytes: Buffer, from: RemoteInfo) => {
    options.onDatagram(bytes, { address: plainAddress(from.address), port: from.port });
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("error", (error) => {
      socket.close();
      reject(transportError(error, `udp ${options.host}:${options.port}`));
    });
    socket.bind(options.port, options.host, resolve);
  });
  socket.removeAllListeners("error");
  socket.on("error", (error) => options.onError(error));
  const { address, port } = socket.address();
  let open = true;
  return {
    local: { address, port },
    send(bytes, to) {
      return new Promise((resolve, reject) => {
        const address = wide && !isIPv6(to.address) ? `::ffff:${to.address}` : to.address;
        const where = `${to.address}:${to.port} udp`;
        try {
          socket.send(bytes, to.port, address, (error) => {
            if (error === null) resolve();
            else reject(transportError(error, where));
          });
        } catch (error) {
          // A port of 0 or a closed socket throws instead of calling back.
          reject(transportError(error, where));
        }
      });
    },
    close() {
      if (!open) return Promise.resolve();
      open = false;
      return new Promise((resolve) => {
        socket.close(() => resolve());
      });
    },
  };
}
