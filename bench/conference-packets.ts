// What calls of people in conferences cost the media worker: each has its person's end at a media server and a telephone at the
// other. The person's client is in this process.
import { createSocket, type Socket } from "node:dgram";
import { encodeRtp } from "../dev/audio/rtp.ts";
import { bind } from "../dev/loopback/listen.ts";
import type { LegForm } from "../src/core/call/model/matrix-leg.ts";
import { callId } from "../src/core/ids.ts";
import { FrameSealer } from "../src/media/embedded/participant/frame-cipher.ts";
import { Visit } from "../src/media/embedded/participant/visit.ts";
import { seatDescription, type FrameKey, type Seat, type SeatId } from "../src/ports/conference.ts";
import type { CallMedia, MediaSession } from "../src/ports/media.ts";
import { childrenUsage } from "./parts/usage.ts";
import type { MediaServers } from "./rtc/media-servers.ts";

const frameMs = 20;
const form = { kind: "rtc", media: "own" } as LegForm;
const ice = { bindHost: "127.0.0.1", advertisedHosts: [], portMin: undefined, portMax: undefined };

/** What somebody says. */
interface Speech {
  readonly payloadType: number;
  readonly ticks: number;
  readonly packets: readonly Uint8Array[];
}

export interface ConferenceKind {
  readonly codec: "PCMU" | "opus";
  /** Of the telephone; the person speaks Opus. */
  readonly telephone: Speech;
  readonly isEncrypted: boolean;
  /** What the media server takes. */
  readonly takes: readonly string[];
}

interface Cost {
  readonly usPerPacket: number;
  readonly setUpMs: number;
  readonly kib: number;
}

const keyOf = (index: number): FrameKey => ({ index, secret: new Uint8Array(16).fill(index + 1) });
const [ownKey, personKey] = [keyOf(0), keyOf(1)];

/** A room for each seat, with a person in it, by `room, key or none, codecs of the media server`. */
class Rooms {
  readonly #servers: MediaServers;

  constructor(servers: MediaServers) {
    this.#servers = servers;
  }

  seat(id: SeatId): Seat {
    const [room = "", kind, codecs = ""] = id.split(" ");
    const isEncrypted = kind === "encrypted";
    const participants = [{ identity: "person", keys: isEncrypted ? [personKey] : [] }];
    return {
      check: async () => undefined,
      admit: () => this.#servers.admit("telephone", room, codecs.split(",")),
      met: () => undefined,
      attend: (changed) => {
        changed({ participants, ownKey: isEncrypted ? ownKey : undefined });
        return () => undefined;
      },
    };
  }
}

export class ConferenceBench {
  readonly rooms: Rooms;
  readonly #servers: MediaServers;
  readonly #speech: Speech;
  #count = 0;
  #frame = 0;

  readonly #name: string;

  /** `name`: with what its rooms begin. `speech`: of the people. */
  constructor(name: string, servers: MediaServers, speech: Speech) {
    this.#name = name;
    this.#servers = servers;
    this.#speech = speech;
    this.rooms = new Rooms(servers);
  }

  /** Of the worker, by so many calls. They are closed again. */
  async cost(media: CallMedia<string>, calls: number, kind: ConferenceKind, measuredMs: number): Promise<Cost> {
    const before = childrenUsage(process.pid);
    const opened: Call[] = [];
    for (let number = 0; number < calls; number += 1) opened.push(await this.#open(media, kind));
    await Promise.all(opened.map(async ({ up }) => up));
    const up = childrenUsage(process.pid);
    await this.#talk(opened, kind, 2000);
    const warm = childrenUsage(process.pid);
    const packets = await this.#talk(opened, kind, measuredMs);
    const after = childrenUsage(process.pid);
    for (const { session, socket, person } of opened) {
      await session.close();
      person.visit.close();
      socket.close();
    }
    if (before === undefined || up === undefined || warm === undefined || after === undefined)
      throw new Error("no /proc");
    return {
      usPerPacket: ((after.cpuMs - warm.cpuMs) * 1000) / packets,
      setUpMs: (up.cpuMs - before.cpuMs) / calls,
      kib: (after.rss - before.rss) / calls / 1024,
    };
  }

  async #open(media: CallMedia<string>, kind: ConferenceKind): Promise<Call> {
    const { codec, telephone, isEncrypted, takes } = kind;
    const room = `${this.#name}${this.#count}`;
    this.#count += 1;
    const person = await this.#enter(room, kind);
    const socket = createSocket("udp4");
    await bind(socket);
    const leg = callId(`conference-${room}`);
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
    const { description } = await session.offer(
      "a",
      seatDescription(`${room} ${isEncrypted ? "encrypted" : "plain"} ${takes.join()}` as SeatId),
    );
    const { payloadType } = telephone;
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
    return { session, socket, port: Number(/m=audio (\d+)/.exec(description)?.[1]), up, person };
  }

  /** The person's client, who is there first. */
  async #enter(room: string, { isEncrypted, takes }: ConferenceKind): Promise<Person> {
    const ssrc = 7000 + this.#count;
    const admission = await this.#servers.admit("person", room, takes);
    const sealer = new FrameSealer(personKey);
    const person = { heard: 0, packets: this.#speech.packets.map((each) => (isEncrypted ? sealer.seal(each) : each)) };
    const visit = await new Promise<Visit>((resolve, reject) => {
      const entered: Visit = new Visit(
        admission,
        { ice, voice: { ssrc, cname: "person", cid: "TR_person", codecs: () => [] }, isEncrypted },
        {
          speaks: () => undefined,
          untaken: () => undefined,
          up: () => resolve(entered),
          over: (reason) => reject(new Error(reason)),
          attended: () => undefined,
          rtp: () => (person.heard += 1),
          rtcp: () => undefined,
        },
      );
    });
    return Object.assign(person, { visit, ssrc });
  }

  /** 50 packets a second each way and call; resolves with those that came out at both ends. */
  async #talk(calls: readonly Call[], { telephone }: ConferenceKind, durationMs: number): Promise<number> {
    let arrived = 0;
    for (const { socket, person } of calls) {
      person.heard = 0;
      socket.removeAllListeners("message").on("message", () => (arrived += 1));
    }
    const startMs = performance.now();
    for (let frame = 0; frame * frameMs < durationMs; frame += 1) {
      const waitMs = startMs + frame * frameMs - performance.now();
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
      this.#frame += 1;
      for (const [index, { socket, port, person }] of calls.entries()) {
        socket.send(this.#packet(telephone, telephone.packets, 9000 + index), port, "127.0.0.1");
        person.visit.send(this.#packet(this.#speech, person.packets, person.ssrc));
      }
    }
    return calls.reduce((sum, { person }) => sum + person.heard, arrived);
  }

  #packet({ payloadType, ticks }: Speech, packets: readonly Uint8Array[], ssrc: number): Buffer {
    const payload = packets[this.#frame % packets.length] ?? new Uint8Array(160);
    const [sequence, timestamp] = [this.#frame & 0xffff, this.#frame * ticks];
    return Buffer.from(encodeRtp({ payloadType, marker: false, sequence, timestamp, ssrc, payload }));
  }
}

interface Person {
  heard: number;
  /** What it says, encrypted where it has to be. */
  readonly packets: readonly Uint8Array[];
  readonly ssrc: number;
  readonly visit: Visit;
}

interface Call {
  readonly session: MediaSession<string>;
  readonly socket: Socket;
  readonly port: number;
  readonly up: Promise<void>;
  readonly person: Person;
}
