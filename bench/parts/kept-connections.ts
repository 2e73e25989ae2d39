// The least that an HTTP client can be: text written to kept connections, answers read by their length, in order. For a
// homeserver double that always gives a length; nothing else is understood.
import { once } from "node:events";
import { connect, type Socket } from "node:net";

type Answered = (body: string) => void;

interface Connection {
  readonly socket: Socket;
  readonly waiting: Answered[];
}

const lengthField = /\r\ncontent-length: *(\d+)/i;
const headEnd = "\r\n\r\n";

export class KeptConnections {
  readonly #connections: Connection[] = [];
  readonly #fixedHead: string;
  #next = 0;

  private constructor(host: string, token: string) {
    this.#fixedHead = `host: ${host}\r\nauthorization: Bearer ${token}\r\n`;
  }

  static async open(url: string, token: string, count: number): Promise<KeptConnections> {
    const { hostname, port, host } = new URL(url);
    const kept = new KeptConnections(host, token);
    for (let index = 0; index < count; index += 1) {
      const socket = connect(Number(port), hostname);
      await once(socket, "connect");
      socket.setNoDelay(true);
      const waiting: Answered[] = [];
      read(socket, waiting);
      kept.#connections.push({ socket, waiting });
    }
    return kept;
  }

  /** Gives the answer's body, whatever its status. */
  request(method: string, path: string, body = ""): Promise<string> {
    const index = this.#next;
    this.#next = (index + 1) % this.#connections.length;
    const connection = this.#connections[index];
    return new Promise((resolve) => {
      connection?.waiting.push(resolve);
      const described =
        body === "" ? "" : `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`;
      connection?.socket.write(`${method} ${path} HTTP/1.1\r\n${this.#fixedHead}${described}\r\n${body}`);
    });
  }

  close(): void {
    for (const { socket } of this.#connections) socket.destroy();
  }
}

function read(socket: Socket, waiting: Answered[]): void {
  let rest = "";
  // One character a byte, so that a length counts characters.
  socket.setEncoding("latin1").on("data", (text: string) => {
    rest += text;
    for (;;) {
      const end = rest.indexOf(headEnd);
      if (end < 0) return;
      const from = end + headEnd.length;
      const length = Number(lengthField.exec(rest.slice(0, end))?.[1] ?? 0);
      if (rest.length < from + length) return;
      const body = rest.slice(from, from + length);
      rest = rest.slice(from + length);
      waiting.shift()?.(body);
    }
  });
}
