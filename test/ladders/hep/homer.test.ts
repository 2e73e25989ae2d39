// What a HEP collector gets of calls, read by what HEP version 3 says; and that no call waits for one that is away.
import { createSocket } from "node:dgram";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import { freePort } from "../../../dev/loopback/free-ports.ts";
import { callId, matrixCallId, roomId, sipCallId, trunkName, type UserId } from "../../../src/core/ids.ts";
import { openLadders, type LadderWishes } from "../../../src/ladders/open/open-ladders.ts";
import { FakeTelemetry } from "../../fakes/telemetry.ts";
import { VirtualClock } from "../../fakes/virtual-clock.ts";
import { sipText } from "../said.ts";

/** The chunks of a packet by their types; all are of the generic vendor. */
function chunksOf(packet: Buffer): ReadonlyMap<number, Buffer> {
  expect(packet.toString("latin1", 0, 4)).toBe("HEP3");
  expect(packet.readUInt16BE(4)).toBe(packet.length);
  const chunks = new Map<number, Buffer>();
  for (let at = 6; at < packet.length; at += packet.readUInt16BE(at + 4)) {
    expect(packet.readUInt16BE(at)).toBe(0);
    chunks.set(packet.readUInt16BE(at + 2), packet.subarray(at + 6, at + packet.readUInt16BE(at + 4)));
  }
  return chunks;
}

const packetText = (chunks: ReadonlyMap<number, Buffer>, type: number): string | undefined =>
  chunks.get(type)?.toString();

function open(homer: Omit<NonNullable<LadderWishes["homer"]>, "host" | "captureId" | "authKey">) {
  const clock = new VirtualClock();
  const telemetry = new FakeTelemetry();
  const wishes = {
    keepMs: 3_600_000,
    memoryBytes: 1_000_000,
    homer: { ...homer, host: "127.0.0.1", captureId: 2001, authKey: "key of the collector" },
  };
  const shownNumber = (number: string): string => number.replaceAll(/\d(?=.*\d\d)/g, "*");
  const opened = openLadders(wishes, { ghostPrefix: "_sip_", shownNumber, clock, log: telemetry.log });
  onTestFinished(() => opened.close());
  const { ladders } = opened;
  if (ladders === undefined) throw new Error("there are no ladders");
  const invite = (dialog = "d1"): void => {
    const local = { address: "192.0.2.9", port: 5070 };
    const remote = { address: "192.0.2.1", port: 5060 };
    const bytes = sipText("INVITE", dialog);
    ladders.sip({ trunk: trunkName("main"), way: "out", transport: "udp", local, remote, bytes });
  };
  return { ladders, clock, telemetry, invite };
}

test("a collector gets SIP and Matrix under the id of the call, numbers masked", async () => {
  const collector = createSocket("udp4");
  onTestFinished(() => void collector.close());
  await new Promise<void>((resolve) => collector.bind(0, "127.0.0.1", resolve));
  const packets: Buffer[] = [];
  collector.on("message", (packet) => void packets.push(packet));
  const { ladders, invite, clock } = open({ port: collector.address().port, transport: "udp" });
  invite();
  // It does not belong to a call yet.
  const room = roomId("!dm:example.org");
  ladders.follow(callId("c-1"), { sip: [sipCallId("d1")], matrix: [{ room, matrixCallId: matrixCallId("m1") }] });
  const sender = "@ann:example.org" as UserId;
  const content = { call_id: "m1", reason: "user_hangup" };
  ladders.matrix({ way: "in", room, sender, type: "m.call.hangup", content, id: "$1", encrypted: false });
  await expect.poll(() => packets.length).toBe(2);
  const [sip, matrix] = packets.map(chunksOf);
  if (sip === undefined || matrix === undefined) throw new Error("a packet is missing");
  expect([...(sip.get(3) ?? []), ...(sip.get(4) ?? [])]).toEqual([192, 0, 2, 9, 192, 0, 2, 1]);
  expect([sip.get(1)?.[0], sip.get(2)?.[0], sip.get(11)?.[0]]).toEqual([2, 17, 1]);
  expect([sip.get(7)?.readUInt16BE(), sip.get(8)?.readUInt16BE()]).toEqual([5070, 5060]);
  expect(sip.get(9)?.readUInt32BE()).toBe(Math.floor(clock.wallMs() / 1000));
  expect(sip.get(12)?.readUInt32BE()).toBe(2001);
  expect([packetText(sip, 14), packetText(sip, 17)]).toEqual(["key of the collector", "c-1"]);
  expect(packetText(sip, 15)).toMatch(/^INVITE sip:\+\*{10}23@192\.0\.2\.1 SIP\/2\.0\r\n/);
  expect([matrix.get(11)?.[0], packetText(matrix, 17)]).toEqual([100, "c-1"]);
  expect(packetText(matrix, 15)).toMatch(/^m\.call\.hangup\n\{/);
});

test("a collector that is away holds nothing up, is said once, and gets what comes after its return", async () => {
  const port = await freePort();
  const { ladders, invite, clock, telemetry } = open({ port, transport: "tcp" });
  const lines = (words: string): number => telemetry.lines.filter(({ message }) => message.includes(words)).length;
  await expect.poll(() => lines("collector is away")).toBe(1);
  ladders.follow(callId("c-1"), { sip: [sipCallId("d1")], matrix: [] });
  invite();
  clock.advance(10_000);
  const server = createServer();
  onTestFinished(() => void server.close());
  const arrived: Buffer[] = [];
  server.on("connection", (socket: Socket) => {
    onTestFinished(() => void socket.destroy());
    socket.on("data", (data: Buffer) => arrived.push(data));
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  expect((server.address() as AddressInfo).port).toBe(port);
  await expect
    .poll(() => {
      clock.advance(10_000);
      return lines("collector is back");
    })
    .toBe(1);
  ladders.follow(callId("c-2"), { sip: [sipCallId("d2")], matrix: [] });
  invite("d2");
  await expect.poll(() => arrived.length).toBe(1);
  expect(packetText(chunksOf(arrived[0] ?? Buffer.alloc(0)), 17)).toBe("c-2");
  expect(lines("collector is away")).toBe(1);
});
