// A telephone gateway's media for tests: plain RTP (or what `seal` and `open` make of it) on real UDP sockets.
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { bind } from "../../../dev/loopback/listen.ts";
import { decodeRtp, encodeRtp, isRtcp, type RtpPacket } from "../../../dev/audio/rtp.ts";
import { Ear, type Waiting } from "./ear.ts";
import { alawVoice, g722Voice, opusVoice, ulawVoice, type Voice } from "./voice.ts";

const voices = {
  PCMA: { payloadType: 8, voice: alawVoice },
  PCMU: { payloadType: 0, voice: ulawVoice },
  G722: { payloadType: 9, voice: g722Voice },
  opus: { payloadType: 111, voice: opusVoice },
} as const;

/** Encryption of a test's own, where it speaks SRTP. */
export interface TrunkCipher {
  seal(packet: Buffer): Buffer;
  open(packet: Buffer): Buffer | undefined;
}

export interface TrunkPeerOptions {
  readonly hz: number;
  readonly host?: string;
  readonly ssrc?: number;
  /** PCMU unless said otherwise. */
  readonly codec?: keyof typeof voices;
}

export class TrunkPeer {
  readonly ear: Ear;
  readonly rtcp: Buffer[] = [];
  /** The ports that RTCP came to. */
  readonly reportedTo = new Set<"rtp" | "rtcp">();
  /** Where packets came from last. */
  from: RemoteInfo | undefined;
  cipher: TrunkCipher | undefined;
  ssrc: number;
  sequence = 7;
  timestamp = 90_000;
  readonly #rtp: Socket;
  readonly #rtcpSocket: Socket;
  readonly #voice: Voice;
  readonly #payloadType: number;
  readonly #host: string;
  #timer: NodeJS.Timeout | undefined;
  #target = { port: 0, host: "127.0.0.1" };
  #waiting: Waiting[] = [];

  private constructor(rtp: Socket, rtcp: Socket, host: string, options: TrunkPeerOptions) {
    this.#rtp = rtp;
    this.#rtcpSocket = rtcp;
    this.#host = host;
    const { payloadType, voice } = voices[options.codec ?? "PCMU"];
    this.#voice = voice(options.hz);
    this.#payloadType = payloadType;
    this.ear = new Ear(this.#payloadType, this.#voice.decode);
    this.ssrc = options.ssrc ?? 0x0bad_cafe;
    rtp.on("message", (bytes, from) => this.#receive(bytes, from));
    rtcp.on("message", (bytes) => this.#reported(bytes, "rtcp"));
  }

  static async open(options: TrunkPeerOptions): Promise<TrunkPeer> {
    const host = options.host ?? "127.0.0.1";
    const rtp = await bound(host);
    const rtcp = await bound(host);
    return new TrunkPeer(rtp, rtcp, host, options);
  }

  get port(): number {
    return this.#rtp.address().port;
  }

  /** An SDP of this peer; `formats` and `lines` as a gateway would write them. */
  sdp(options: { formats?: string; lines?: readonly string[]; address?: string; protocol?: string } = {}): string {
    const { formats = `${this.#payloadType} 101`, address = this.#host, protocol = "RTP/AVP" } = options;
    const lines = options.lines ?? ["a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15", "a=sendrecv"];
    return [
      "v=0",
      `o=gateway 1 1 IN IP4 ${this.#host}`,
      "s=-",
      `c=IN ${address.includes(":") ? "IP6" : "IP4"} ${address}`,
      "t=0 0",
      `m=audio ${this.port} ${protocol} ${formats}`,
      `a=rtcp:${this.#rtcpSocket.address().port}`,
      ...lines,
      "",
    ].join("\r\n");
  }

  /** Sends to the address in this SDP from now on. */
  aim(sdp: string): void {
    this.#target = {
      port: Number(/m=audio (\d+)/.exec(sdp)?.[1]),
      host: /c=IN IP[46] (\S+)/.exec(sdp)?.[1] ?? "127.0.0.1",
    };
  }

  speak(): void {
    const startMs = performance.now();
    let sent = 0;
    this.#timer = setInterval(() => {
      for (; (performance.now() - startMs) / 20 > sent; sent += 1) {
        const payload = this.#voice.frame();
        this.sendRtp({ payloadType: this.#payloadType, marker: false, timestamp: this.timestamp, payload });
        this.timestamp += this.#voice.clockRate / 50;
      }
    }, 5);
  }

  stopSpeaking(): void {
    clearInterval(this.#timer);
  }

  sendRtp(packet: Pick<RtpPacket, "payloadType" | "marker" | "timestamp" | "payload">): void {
    this.sequence = (this.sequence + 1) & 0xffff;
    this.send(Buffer.from(encodeRtp({ ...packet, sequence: this.sequence, ssrc: this.ssrc })));
  }

  send(bytes: Buffer): void {
    this.#rtp.send(this.cipher?.seal(bytes) ?? bytes, this.#target.port, this.#target.host);
  }

  /** From the port of RTCP to the one after the peer's. */
  sendRtcp(bytes: Buffer): void {
    this.#rtcpSocket.send(bytes, this.#target.port + 1, this.#target.host);
  }

  /** Resolves with the first RTCP that passes. */
  async report(isIt: (bytes: Buffer) => boolean): Promise<Buffer> {
    const find = (): Buffer | undefined => this.rtcp.find(isIt);
    if (find() === undefined)
      await new Promise<void>((resolve) => this.#waiting.push({ isSo: () => find() !== undefined, resolve }));
    return find() ?? Buffer.alloc(0);
  }

  async close(): Promise<void> {
    this.stopSpeaking();
    await Promise.all(
      [this.#rtp, this.#rtcpSocket].map(async (socket) => new Promise<void>((done) => void socket.close(() => done()))),
    );
  }

  #receive(bytes: Buffer, from: RemoteInfo): void {
    if (isRtcp(bytes)) {
      this.#reported(bytes, "rtp");
      return;
    }
    const clear = this.cipher === undefined ? bytes : this.cipher.open(bytes);
    const packet = clear === undefined ? undefined : decodeRtp(clear);
    this.from = from;
    if (packet !== undefined) this.ear.hear(packet);
  }

  #reported(bytes: Buffer, to: "rtp" | "rtcp"): void {
    this.rtcp.push(bytes);
    this.reportedTo.add(to);
    this.#check();
  }

  #check(): void {
    this.#waiting = this.#waiting.filter((each) => {
      if (!each.isSo()) return true;
      each.resolve();
      return false;
    });
  }
}

async function bound(host: string): Promise<Socket> {
  const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
  await bind(socket, 0, host);
  return socket;
}
