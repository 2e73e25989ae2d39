// A ladder as a capture file (pcapng, draft-ietf-opsawg-pcapng): SIP as packets, Matrix events as comments on the packet that
// comes after them. Wireshark, tshark and sngrep open it.
import type { LadderOfCall } from "./drawing.ts";
import { Packets } from "./packets.ts";

type Message = LadderOfCall["messages"][number];

const section = 0x0a_0d_0d_0a;
const byteOrder = 0x1a_2b_3c_4d;
const interfaceBlock = 1;
const packetBlock = 6;
/** LINKTYPE_RAW: each packet begins with its IP header. */
const rawIp = 101;
const optionComment = 1;
const optionProgram = 4;
const longestOption = 60_000;

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}

function options(list: readonly (readonly [code: number, text: string])[]): Buffer {
  if (list.length === 0) return Buffer.alloc(0);
  const parts = list.map(([code, text]) => {
    const value = Buffer.from(text).subarray(0, longestOption);
    const head = Buffer.alloc(4);
    head.writeUInt16LE(code, 0);
    head.writeUInt16LE(value.length, 2);
    return Buffer.concat([head, padded(value)]);
  });
  return Buffer.concat([...parts, Buffer.alloc(4)]);
}

function block(type: number, body: Buffer): Buffer {
  const length = 12 + body.length;
  const whole = Buffer.alloc(length);
  whole.writeUInt32LE(type, 0);
  whole.writeUInt32LE(length, 4);
  body.copy(whole, 8);
  whole.writeUInt32LE(length, length - 4);
  return whole;
}

function packetAt(atUs: bigint, packet: Buffer, comments: readonly string[]): Buffer {
  const head = Buffer.alloc(20);
  head.writeUInt32LE(Number(atUs >> 32n), 4);
  head.writeUInt32LE(Number(atUs & 0xff_ff_ff_ffn), 8);
  head.writeUInt32LE(packet.length, 12);
  head.writeUInt32LE(packet.length, 16);
  const notes = options(comments.map((text) => [optionComment, text] as const));
  return block(packetBlock, Buffer.concat([head, padded(packet), notes]));
}

function commentOf({ at, from, to, label, text, repeat }: Message): string {
  const who = ({ lane, name }: Message["from"]): string => (name === "" ? lane : name);
  return `${at} Matrix, ${who(from)} -> ${who(to)}: ${label}${repeat ? " (again)" : ""}\n${text}`.trimEnd();
}

export function captureOf({ messages }: LadderOfCall): Buffer {
  const packets = new Packets();
  const blocks: Buffer[] = [];
  const texts = new Map<string, string>();
  let comments: string[] = [];
  let lastUs = 0n;
  for (const message of messages) {
    const { at, from, to, label, thread, text, transport, repeat } = message;
    // A repetition is kept without its text.
    const sameAs = `${thread} ${label} ${from.lane}`;
    const said = repeat ? (texts.get(sameAs) ?? "") : text;
    texts.set(sameAs, said);
    const packet =
      transport !== undefined && from.address !== undefined && to.address !== undefined
        ? packets.packet({ from: from.address, to: to.address, isUdp: transport === "udp", payload: Buffer.from(said) })
        : undefined;
    if (packet === undefined) {
      comments.push(commentOf(message));
      continue;
    }
    // Programs sort by time, and several messages may have the same millisecond.
    const atUs = BigInt(Date.parse(at)) * 1000n;
    lastUs = atUs > lastUs ? atUs : lastUs + 1n;
    if (transport !== "udp" && transport !== "tcp") comments.push(`sent over ${transport?.toUpperCase() ?? ""}`);
    blocks.push(packetAt(lastUs, packet, comments));
    comments = [];
  }
  const head = Buffer.alloc(16);
  head.writeUInt32LE(byteOrder, 0);
  head.writeUInt16LE(1, 4);
  // The section's length is not said.
  head.writeBigInt64LE(-1n, 8);
  // What came after the last packet has no other place.
  const about = [
    [optionProgram, "matrix-appservice-sip"] as const,
    ...comments.map((text) => [optionComment, text] as const),
  ];
  const link = Buffer.alloc(8);
  link.writeUInt16LE(rawIp, 0);
  return Buffer.concat([block(section, Buffer.concat([head, options(about)])), block(interfaceBlock, link), ...blocks]);
}
