// What calls of people in conferences cost the media worker: each has its person's end at a media server, which is in this
// process, and a telephone. In each room are the persons of two calls, who hear each other's telephones.
import { createSocket, type Socket } from "node:dgram";
import { encodeRtp } from "../dev/audio/rtp.ts";
import { freePort } from "../dev/loopback/free-ports.ts";
import { bind } from "../dev/loopback/listen.ts";
import type { LegForm } from "../src/core/call/model/matrix-leg.ts";
import { callId } from "../src/core/ids.ts";
import { seatDescription, type FrameKey, type Seat, type SeatId } from "../src/ports/conference.ts";
import type { CallMedia, MediaSession } from "../src/ports/media.ts";
import { fakeAdmission, FakeSfu } from "../test/fakes/sfu/sfu.ts";
import { childrenUsage } from "./parts/usage.ts";

const frameMs = 20;
const form = { kind: "rtc", media: "own" } as LegForm;

/** What the telephones have. */
interface Telephone {
  readonly codec: "PCMU" | "opus";
  readonly payloadType: number;
  readonly ticks: number;
  readonly packets: readonly Uint8Array[];
}

interface Cost {
  readonly usPerPacket: number;
  readonly setUpMs: number;
  readonly kib: number;
}

/** Seats in rooms of two, by `room number, 0 or 1, key or none`. */
class Rooms {
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  seat(id: SeatId): Seat {
    const [room = "", side = "", kind = ""] = id.split(" ");
    const keyOf = (index: number): FrameKey => ({ index, secret: new Uint8Array(16).fill(index + 1) });
    const isEncrypted = kind === "encrypted";
    const other = 1 - Number(side);
    const participants = [{ identity: String(other), keys: isEncrypted ? [keyOf(other)] : [] }];
    return {
      check: async () => undefined,
      admit: async () => fakeAdmission(this.#port, side, room),
      attend: (changed) => {
        changed({ participants, ownKey: isEncrypted ? keyOf(Number(side)) : undefined });
        return () => undefined;
      },
    };
  }
}

export class ConferenceBench {
  readonly rooms: Rooms;
  readonly #sfu: FakeSfu;
  #count = 0;
  #frame = 0;

  private constructor(sfu: FakeSfu, port: number) {
    this.#sfu = sfu;
    this.rooms = new Rooms(port);
  }

  static async start(): Promise<ConferenceBench> {
    const port = await freePort();
    return new ConferenceBench(await FakeSfu.start(port), port);
  }

  async stop(): Promise<void> {
    await this.#sfu.stop();
  }

  /** Of the worker, by so many calls in pairs. They are closed again. */
  async cost(
    media: CallMedia<string>,
    calls: number,
    telephone: Telephone,
    kind: "plain" | "encrypted",
    measuredMs: number,
  ): Promise<Cost> {
    const before = childrenUsage(process.pid);
    const opened: Call[] = [];
    for (let number = 0; number < calls; number += 1) opened.push(await this.#open(media, telephone, kind));
    await Promise.all(opened.map(async ({ up }) => up));
    const up = childrenUsage(process.pid);
    await this.#talk(opened, telephone, 2000);
    const warm = childrenUsage(process.pid);
    const packets = await this.#talk(opened, telephone, measuredMs);
    const after = childrenUsage(process.pid);
    for (const { session, socket } of opened) {
      await session.close();
      socket.close();
    }
    if (before === undefined || up === undefined || warm === undefined || after === undefined)
      throw new Error("no /proc");
    return {
      // What has come to a telephone has passed the worker twice: to the server, and from there.
      usPerPacket: ((after.cpuMs - warm.cpuMs) * 1000) / (2 * packets),
      setUpMs: (up.cpuMs - before.cpuMs) / calls,
      kib: (after.rss - before.rss) / calls / 1024,
    };
  }

  async #open(media: CallMedia<string>, { codec, payloadType }: Telephone, kind: string): Promise<Call> {
    const number = this.#count;
    this.#count += 1;
    const seat = `${Math.floor(number / 2)} ${number % 2} ${kind}` as SeatId;
    const socket = createSocket("udp4");
    await bind(socket);
    const leg = callId(`conference-${number}`);
    let connected: () => void = () => undefined;
    const up = new Promise<void>((resolve) => (connected = resolve));
    const session = await media.open(
      {
        call: leg,
        a: { kind: "leg", form },
        b: { kind: "trunk", media: { srtp: "off", codecs: [codec], rtpNetworks: [] }, leg },
      },
      (fact) => (fact.kind === "media.connected" ? connected() : undefined),
    );
    const { description } = await session.offer("a", seatDescription(seat));
    const gateway = [
      "v=0",
      "o=- 1 1 IN IP4 127.0.0.1",
      "s=-",
      "c=IN IP4 127.0.0.1",
      "t=0 0",
      `m=audio ${socket.address().port} RTP/AVP ${payloadType}`,
      ...(codec === "opus" ? [`a=rtpmap:${payloadType} opus/48000/2`] : []),
      "",
    ];
    await session.answer("b", gateway.join("\r\n"));
    return { session, socket, port: Number(/m=audio (\d+)/.exec(description)?.[1]), up };
  }

  /** 50 packets a second from each telephone; resolves with those that came to one. */
  async #talk(calls: readonly Call[], { payloadType, ticks, packets }: Telephone, durationMs: number): Promise<number> {
    let arrived = 0;
    for (const { socket } of calls) socket.removeAllListeners("message").on("message", () => (arrived += 1));
    const startMs = performance.now();
    for (let frame = 0; frame * frameMs < durationMs; frame += 1) {
      const waitMs = startMs + frame * frameMs - performance.now();
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
      this.#frame += 1;
      const payload = packets[this.#frame % packets.length] ?? new Uint8Array(160);
      for (const [index, { socket, port }] of calls.entries()) {
        const [sequence, timestamp] = [this.#frame & 0xffff, this.#frame * ticks];
        const said = encodeRtp({ payloadType, marker: false, sequence, timestamp, ssrc: 9000 + index, payload });
        socket.send(said, port, "127.0.0.1");
      }
    }
    return arrived;
  }
}

interface Call {
  readonly session: MediaSession<string>;
  readonly socket: Socket;
  readonly port: number;
  readonly up: Promise<void>;
}
