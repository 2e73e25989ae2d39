// Whether TURN servers do what calls will ask of them: an allocation with the credentials (RFC 8656 s7), given back at once.
// Over UDP alone, as the engine uses them.
import { createHash, createHmac, randomBytes } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { isIPv6 } from "node:net";
import type { IceServer } from "../../../ports/media.ts";
import { nativeIceServers } from "../base/ice-servers.ts";

export interface TurnProblem {
  /** `host:port`. */
  readonly server: string;
  /** In plain words. */
  readonly reason: string;
}

interface TurnServer {
  readonly hostname: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
}

const cookie = 0x2112_a442;
const headerLength = 20;
const types = { allocate: 0x0003, refresh: 0x0004, success: 0x0103, error: 0x0113 } as const;
const attributes = {
  username: 0x0006,
  integrity: 0x0008,
  errorCode: 0x0009,
  lifetime: 0x000d,
  realm: 0x0014,
  nonce: 0x0015,
  transport: 0x0019,
} as const;
const udp = Buffer.from([17, 0, 0, 0]);
/** RFC 8489 s6.2.1, RTO of 500 ms. */
const sendAtMs = [0, 500, 1500];
const patienceMs = 3_000;
const unauthorized = 401;
const staleNonce = 438;
const wrongCredentials = 441;

type Attribute = readonly [type: number, value: Buffer];

/** One after the other. Never rejects. */
export async function probeTurn(servers: readonly IceServer[]): Promise<readonly TurnProblem[]> {
  const named = servers.flatMap(({ urls }) => urls).filter((url) => /^turns?:/i.test(url));
  const usable = nativeIceServers(servers).flatMap((server): TurnServer[] =>
    typeof server === "object" && server.username !== undefined && server.password !== undefined
      ? [{ hostname: server.hostname, port: server.port, username: server.username, password: server.password }]
      : [],
  );
  if (usable.length === 0)
    return named.slice(0, 1).map((server) => ({ server, reason: "only TURN over UDP with credentials is used" }));
  const problems: TurnProblem[] = [];
  for (const server of usable) {
    const reason = await problemOf(server).catch((error: unknown) =>
      error instanceof Error ? error.message : "cannot be asked",
    );
    if (reason !== undefined) problems.push({ server: `${server.hostname}:${server.port}`, reason });
  }
  return problems;
}

/** undefined: it works. */
async function problemOf(server: TurnServer): Promise<string | undefined> {
  const { address } = await lookup(server.hostname);
  const socket = createSocket(isIPv6(address) ? "udp6" : "udp4");
  socket.on("error", () => {});
  const ask = (request: Buffer) => answerTo(request, socket, server.port, address);
  try {
    let answer = await ask(message(types.allocate, [[attributes.transport, udp]]));
    if (answer === undefined) return "does not answer";
    for (let attempt = 0; attempt < 2; attempt++) {
      const code = errorCodeOf(answer);
      if (code !== unauthorized && code !== staleNonce) break;
      const signed = credentialsOf(server, answer);
      if (signed === undefined) break;
      answer = await ask(message(types.allocate, [[attributes.transport, udp], ...signed.attributes], signed.key));
      if (answer === undefined) return "does not answer any more once it has the credentials";
      if (answer.readUInt16BE(0) === types.success) {
        const lifetime: Attribute = [attributes.lifetime, Buffer.alloc(4)];
        socket.send(message(types.refresh, [lifetime, ...signed.attributes], signed.key), server.port, address);
        return undefined;
      }
    }
    const code = errorCodeOf(answer);
    if (code === unauthorized || code === wrongCredentials) return "refuses the credentials";
    return code === undefined ? undefined : `refuses an allocation (${code})`;
  } finally {
    // What is being sent goes out first.
    setImmediate(() => socket.close());
  }
}

function answerTo(request: Buffer, socket: Socket, port: number, address: string): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const done = (answer: Buffer | undefined): void => {
      for (const timer of timers) clearTimeout(timer);
      socket.off("message", hear);
      resolve(answer);
    };
    const hear = (packet: Buffer): void => {
      const isAnswer =
        packet.length >= headerLength && packet.subarray(4, headerLength).equals(request.subarray(4, headerLength));
      if (isAnswer) done(packet);
    };
    const timers = sendAtMs.map((atMs) => setTimeout(() => socket.send(request, port, address, () => undefined), atMs));
    timers.push(setTimeout(() => done(undefined), patienceMs));
    socket.on("message", hear);
  });
}

/** The long-term credential of RFC 8489 s9.2, by what the server's challenge says. */
function credentialsOf({ username, password }: TurnServer, challenge: Buffer) {
  const realm = attributeOf(challenge, attributes.realm);
  const nonce = attributeOf(challenge, attributes.nonce);
  if (realm === undefined || nonce === undefined) return undefined;
  const key = createHash("md5")
    .update(`${username}:${realm.toString("utf8")}:${password}`)
    .digest();
  const own: readonly Attribute[] = [
    [attributes.username, Buffer.from(username)],
    [attributes.realm, realm],
    [attributes.nonce, nonce],
  ];
  return { key, attributes: own };
}

/** With a key the message is signed (RFC 8489 s14.5): its length then counts the signature. */
function message(type: number, own: readonly Attribute[], key?: Buffer): Buffer {
  const body = Buffer.concat(own.map(encoded));
  const header = Buffer.alloc(headerLength);
  header.writeUInt16BE(type, 0);
  header.writeUInt16BE(body.length + (key === undefined ? 0 : 24), 2);
  header.writeUInt32BE(cookie, 4);
  randomBytes(12).copy(header, 8);
  const unsigned = Buffer.concat([header, body]);
  if (key === undefined) return unsigned;
  return Buffer.concat([unsigned, encoded([attributes.integrity, createHmac("sha1", key).update(unsigned).digest()])]);
}

function encoded([type, value]: Attribute): Buffer {
  const out = Buffer.alloc(4 + Math.ceil(value.length / 4) * 4);
  out.writeUInt16BE(type, 0);
  out.writeUInt16BE(value.length, 2);
  value.copy(out, 4);
  return out;
}

function attributeOf(packet: Buffer, wanted: number): Buffer | undefined {
  const end = Math.min(packet.length, headerLength + packet.readUInt16BE(2));
  for (let offset = headerLength; offset + 4 <= end;) {
    const length = packet.readUInt16BE(offset + 2);
    if (packet.readUInt16BE(offset) === wanted) return packet.subarray(offset + 4, Math.min(end, offset + 4 + length));
    offset += 4 + Math.ceil(length / 4) * 4;
  }
  return undefined;
}

/** undefined for anything but a refusal. */
function errorCodeOf(packet: Buffer): number | undefined {
  if (packet.readUInt16BE(0) !== types.error) return undefined;
  const value = attributeOf(packet, attributes.errorCode);
  return value === undefined || value.length < 4 ? 0 : ((value[2] ?? 0) & 7) * 100 + (value[3] ?? 0);
}
