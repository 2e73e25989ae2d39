// The capture file of a ladder, read by what the format says: blocks, IP packets, checksums, comments.
import { expect, test } from "vitest";
import { captureOf } from "../../../src/cli/ladder/pcap.ts";
import type { LadderOfCall } from "../../../src/cli/ladder/drawing.ts";

type Message = LadderOfCall["messages"][number];

function sip(label: string, more: Partial<Message> = {}): Message {
  return {
    order: 1,
    at: "2026-11-30T12:00:00.250Z",
    from: { lane: "bridge", name: "", address: "192.0.2.9:5070" },
    to: { lane: "trunk", name: "main", address: "192.0.2.1:5060" },
    transport: "udp",
    thread: "one",
    label,
    repeat: false,
    text: `${label} sip:a@192.0.2.1 SIP/2.0\r\nContent-Length: 0\r\n\r\n`,
    left_out_before: 0,
    ...more,
  };
}

const hangup: Message = {
  ...sip("m.call.hangup"),
  from: { lane: "client", name: "@ann:example.org" },
  to: { lane: "bridge", name: "" },
  transport: undefined,
  text: '{"type":"m.call.hangup"}',
};

interface Block {
  readonly type: number;
  readonly body: Buffer;
}

function blocksOf(file: Buffer): readonly Block[] {
  const blocks: Block[] = [];
  for (let at = 0; at < file.length;) {
    const length = file.readUInt32LE(at + 4);
    expect(length % 4).toBe(0);
    expect(file.readUInt32LE(at + length - 4)).toBe(length);
    blocks.push({ type: file.readUInt32LE(at), body: file.subarray(at + 8, at + length - 4) });
    at += length;
  }
  return blocks;
}

function ones(bytes: Buffer): number {
  let sum = 0;
  const even = bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(1)]);
  for (let at = 0; at < even.length; at += 2) sum += even.readUInt16BE(at);
  while (sum > 0xff_ff) sum = (sum % 0x1_00_00) + Math.floor(sum / 0x1_00_00);
  return sum;
}

/** A packet's parts; its checksums are right. */
function packetIn({ body }: Block) {
  const length = body.readUInt32LE(12);
  const ip = body.subarray(20, 20 + length);
  const atMs = (body.readUInt32LE(4) * 2 ** 32 + body.readUInt32LE(8)) / 1_000;
  const isV4 = ip.readUInt8(0) >> 4 === 4;
  const head = isV4 ? 20 : 40;
  const protocol = ip.readUInt8(isV4 ? 9 : 6);
  if (isV4) expect(ones(ip.subarray(0, 20))).toBe(0xff_ff);
  expect(isV4 ? ip.readUInt16BE(2) : ip.readUInt16BE(4) + 40).toBe(ip.length);
  const segment = ip.subarray(head);
  const size = Buffer.alloc(4);
  size.writeUInt16BE(segment.length, 0);
  size.writeUInt16BE(protocol, 2);
  expect(ones(Buffer.concat([ip.subarray(isV4 ? 12 : 8, head), size, segment]))).toBe(0xff_ff);
  const data = segment.subarray(protocol === 17 ? 8 : 20);
  return {
    atMs,
    addresses: isV4 ? [[...ip.subarray(12, 16)].join("."), [...ip.subarray(16, 20)].join(".")] : [],
    ports: [segment.readUInt16BE(0), segment.readUInt16BE(2)],
    protocol: protocol === 17 ? "udp" : "tcp",
    sequence: protocol === 17 ? 0 : segment.readUInt32BE(4),
    text: data.toString(),
    comments: body.subarray(20 + Math.ceil(length / 4) * 4).toString(),
  };
}

test("has each SIP message as a packet with the right addresses and checksums, and Matrix events as comments", () => {
  const file = captureOf({ messages: [hangup, sip("INVITE"), sip("INVITE", { repeat: true, text: "" })] });
  const [section, link, ...packets] = blocksOf(file);
  expect([section?.type, section?.body.readUInt32LE(0)]).toEqual([0x0a_0d_0d_0a, 0x1a_2b_3c_4d]);
  expect([link?.type, link?.body.readUInt16LE(0)]).toEqual([1, 101]);
  const [first, again] = packets.map(packetIn);
  expect(first).toMatchObject({
    atMs: Date.parse("2026-11-30T12:00:00.250Z"),
    addresses: ["192.0.2.9", "192.0.2.1"],
    ports: [5070, 5060],
    protocol: "udp",
    text: "INVITE sip:a@192.0.2.1 SIP/2.0\r\nContent-Length: 0\r\n\r\n",
  });
  expect(first?.comments).toContain("Matrix, @ann:example.org -> bridge: m.call.hangup");
  expect(again?.text).toBe(first?.text);
  expect(again?.atMs).toBeGreaterThan(first?.atMs ?? 0);
});

test("has TCP as one stream in each direction, and IPv6", () => {
  const v6 = { from: { lane: "bridge", name: "", address: "[2001:db8::9]:5070" } } as const;
  const to = { lane: "trunk", name: "main", address: "[2001:db8::1]:5061" } as const;
  const messages = [sip("INVITE", { ...v6, to, transport: "tls" }), sip("ACK", { ...v6, to, transport: "tls" })];
  const [first, second] = blocksOf(captureOf({ messages })).slice(2).map(packetIn);
  expect([first?.protocol, first?.ports]).toEqual(["tcp", [5070, 5061]]);
  expect(second?.sequence).toBe((first?.sequence ?? 0) + (first?.text.length ?? 0));
  expect(first?.comments).toContain("sent over TLS");
});

test("of a call without SIP keeps what Matrix said", () => {
  expect(captureOf({ messages: [hangup] }).toString()).toContain("m.call.hangup");
});
