// A name server on loopback UDP that knows A, AAAA, SRV and NAPTR records given by tests (RFC 1035, RFC 2782,
// RFC 3403).
import { createSocket, type Socket } from "node:dgram";
import { bind } from "../../../dev/loopback/listen.ts";
import type { NaptrRecord, SrvRecord } from "../../../src/sip/transport/resolver.ts";

const TYPES = { A: 1, AAAA: 28, SRV: 33, NAPTR: 35 } as const;

export interface Zone {
  readonly a?: Readonly<Record<string, readonly string[]>>;
  readonly aaaa?: Readonly<Record<string, readonly string[]>>;
  readonly srv?: Readonly<Record<string, readonly SrvRecord[]>>;
  readonly naptr?: Readonly<Record<string, readonly NaptrRecord[]>>;
}

export class NameServer {
  zone: Zone;
  /** Answers SERVFAIL while set. */
  failing = false;
  readonly asked: string[] = [];
  readonly #socket: Socket;

  private constructor(socket: Socket, zone: Zone) {
    this.#socket = socket;
    this.zone = zone;
    socket.on("message", (query, { port }) => socket.send(this.#answer(query), port, "127.0.0.1"));
  }

  static async start(zone: Zone): Promise<NameServer> {
    const socket = createSocket("udp4");
    await bind(socket);
    return new NameServer(socket, zone);
  }

  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.close(resolve));
  }

  #answer(query: Buffer): Buffer {
    const labels: string[] = [];
    let at = 12;
    for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
      labels.push(query.toString("latin1", at + 1, at + 1 + length));
      at += 1 + length;
    }
    const name = labels.join(".").toLowerCase();
    const type = query.readUInt16BE(at + 1);
    const question = query.subarray(12, at + 5);
    this.asked.push(`${Object.entries(TYPES).find(([, code]) => code === type)?.[0] ?? type} ${name}`);
    const records = this.failing ? [] : this.#records(name, type);
    const head = Buffer.alloc(12);
    query.copy(head, 0, 0, 2);
    const known = records.length > 0;
    head.writeUInt16BE(0x8180 | (this.failing ? 2 : known ? 0 : 3), 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(records.length, 6);
    return Buffer.concat([
      head,
      question,
      ...records.map((data) => {
        const record = Buffer.alloc(12);
        record.writeUInt16BE(0xc00c, 0);
        record.writeUInt16BE(type, 2);
        record.writeUInt16BE(1, 4);
        record.writeUInt32BE(1, 6);
        record.writeUInt16BE(data.length, 10);
        return Buffer.concat([record, data]);
      }),
    ]);
  }

  #records(name: string, type: number): Buffer[] {
    const { a = {}, aaaa = {}, srv = {}, naptr = {} } = this.zone;
    if (type === TYPES.A) return (a[name] ?? []).map((address) => Buffer.from(address.split(".").map(Number)));
    if (type === TYPES.AAAA) return (aaaa[name] ?? []).map(ipv6Bytes);
    if (type === TYPES.NAPTR) return (naptr[name] ?? []).map(naptrBytes);
    if (type !== TYPES.SRV) return [];
    return (srv[name] ?? []).map(({ priority, weight, port, name: target }) => {
      const data = Buffer.alloc(6);
      data.writeUInt16BE(priority, 0);
      data.writeUInt16BE(weight, 2);
      data.writeUInt16BE(port, 4);
      return Buffer.concat([data, nameBytes(target)]);
    });
  }
}

function nameBytes(name: string): Buffer {
  const labels = name === "." || name === "" ? [] : name.split(".");
  return Buffer.concat([...labels.map(text), Buffer.from([0])]);
}

/** RFC 3403 s4.1; the regexp is empty. */
function naptrBytes({ order, preference, flags, service, replacement }: NaptrRecord): Buffer {
  const numbers = Buffer.alloc(4);
  numbers.writeUInt16BE(order, 0);
  numbers.writeUInt16BE(preference, 2);
  return Buffer.concat([numbers, text(flags), text(service), text(""), nameBytes(replacement)]);
}

/** A length and so many characters. */
function text(value: string): Buffer {
  return Buffer.concat([Buffer.from([value.length]), Buffer.from(value)]);
}

function ipv6Bytes(address: string): Buffer {
  const [left = "", right = ""] = address.split("::");
  const words = (text: string): number[] => (text === "" ? [] : text.split(":").map((word) => parseInt(word, 16)));
  const [head, tail] = [words(left), words(right)];
  const all = [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => 0), ...tail];
  return Buffer.from(all.flatMap((word) => [word >> 8, word & 0xff]));
}
