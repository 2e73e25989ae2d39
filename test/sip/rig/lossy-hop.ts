// A hop in front of a UDP peer that loses datagrams both ways, by a seeded draw.
import { createSocket, type Socket } from "node:dgram";
import { bind } from "../../../dev/loopback/listen.ts";

async function bound(): Promise<Socket> {
  const socket = createSocket("udp4");
  await bind(socket);
  return socket;
}

/** mulberry32 */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export class LossyHop {
  /** Where the stack sends to. */
  readonly port: number;
  lost = 0;
  passed = 0;
  readonly #front: Socket;
  readonly #back: Socket;
  #stackPort = 0;

  private constructor(front: Socket, back: Socket) {
    this.#front = front;
    this.#back = back;
    this.port = front.address().port;
  }

  static async start(loss: number, seed: number, peerPort: () => number): Promise<LossyHop> {
    const hop = new LossyHop(await bound(), await bound());
    const draw = seeded(seed);
    const pass = (send: () => void): void => {
      if (draw() < loss) {
        hop.lost += 1;
        return;
      }
      hop.passed += 1;
      send();
    };
    hop.#front.on("message", (bytes, { port }) => {
      hop.#stackPort = port;
      pass(() => hop.#back.send(bytes, peerPort(), "127.0.0.1"));
    });
    hop.#back.on("message", (bytes) => pass(() => hop.#front.send(bytes, hop.#stackPort, "127.0.0.1")));
    return hop;
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.#front.close(resolve));
    await new Promise<void>((resolve) => this.#back.close(resolve));
  }
}
