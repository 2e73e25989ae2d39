// A WebRTC client for tests: node-datachannel with a microphone that plays a tone and an ear that remembers. Like a
// browser it says one audio section, and sends and receives real DTLS-SRTP.
import nodeDataChannel, { type PeerConnection, type Track } from "node-datachannel";
import { decodeRtp, encodeRtp, isRtcp, type RtpPacket } from "../../../dev/audio/rtp.ts";
import { encodeTelephoneEvent } from "../../../dev/audio/telephone-event.ts";
import type { IceCandidate } from "../../../src/core/call/model/fact.ts";
import { Ear, type Waiting } from "./ear.ts";
import { opusVoice, ulawVoice, type Voice } from "./voice.ts";

export const clientEvents = 126;

/** The library must not see its objects collected while its threads still use them. */
const kept: unknown[] = [];

export interface ClientPeerOptions {
  /** Hz of the microphone. */
  readonly hz: number;
  readonly ssrc?: number;
  /** Payload type and the rest of its `a=rtpmap`; PCMU unless said otherwise. */
  readonly codec?: ClientCodec;
}

export interface ClientCodec {
  readonly payloadType: number;
  readonly encoding: string;
  /** Of telephone-event; 8 kHz unless said otherwise. */
  readonly events?: { readonly payloadType: number; readonly clockRate: number };
  /** What it would like to get. */
  readonly lines?: readonly string[];
}

/** As nheko lists it: no G.711. */
export const opusAlone: ClientCodec = {
  payloadType: 111,
  encoding: "opus/48000/2",
  events: { payloadType: 110, clockRate: 48_000 },
};

function isCandidate(line: string): boolean {
  return line.startsWith("a=candidate:");
}

export class ClientPeer {
  readonly ear: Ear;
  readonly rtcp: Buffer[] = [];
  readonly states: string[] = [];
  #connection: PeerConnection;
  #track: Track;
  readonly #ssrc: number;
  readonly #codec: ClientCodec;
  readonly #voice: Voice;
  #sequence = 1000;
  #timestamp = 160_000;
  #timer: NodeJS.Timeout | undefined;
  #version = 1;
  #waiting: Waiting[] = [];

  constructor(options: ClientPeerOptions) {
    this.#ssrc = options.ssrc ?? 0x1234_5678;
    this.#codec = options.codec ?? { payloadType: 0, encoding: "PCMU/8000" };
    this.#voice = this.#codec.encoding.startsWith("opus") ? opusVoice(options.hz) : ulawVoice(options.hz);
    this.ear = new Ear(this.#codec.payloadType, this.#voice.decode);
    [this.#connection, this.#track] = this.#connect();
  }

  get isConnected(): boolean {
    return this.#connection.state() === "connected";
  }

  /** Resolves when media can flow. */
  async connected(): Promise<void> {
    return this.#when(() => this.isConnected && this.#track.isOpen());
  }

  /** A browser-like offer in the given direction. */
  async offer(direction = "sendrecv"): Promise<string> {
    if (this.#connection.localDescription() === null) await this.#gather("offer");
    return this.#text(direction);
  }

  /** Candidates come after the rest: the library may not connect before it has the fingerprint. */
  answered(sdp: string): void {
    const lines = sdp.split("\r\n");
    this.#connection.setRemoteDescription(lines.filter((line) => !isCandidate(line)).join("\r\n"), "answer");
    for (const line of lines.filter(isCandidate)) this.#connection.addRemoteCandidate(line.slice(2), "0");
  }

  /** Takes an offer and gives the answer. */
  async answer(sdp: string, direction = "sendrecv"): Promise<string> {
    this.#connection.setRemoteDescription(sdp, "offer");
    await this.#gather("answer");
    return this.#text(direction);
  }

  /** Our own, to be trickled: no text has them in it. */
  candidates(): IceCandidate[] {
    const { sdp = "" } = this.#connection.localDescription() ?? {};
    const lines = sdp.split("\r\n").filter(isCandidate);
    return lines.map((line) => ({ candidate: line.slice(2), mid: "0", mLineIndex: 0 }));
  }

  addCandidates(sdp: string): void {
    for (const line of sdp.split("\r\n").filter(isCandidate)) this.#connection.addRemoteCandidate(line.slice(2), "0");
  }

  /** The offer of an ICE restart: new credentials (and here a new association). `isCut`: the old path is gone before. */
  async restartIce(isCut: boolean, direction = "sendrecv"): Promise<string> {
    const old = this.#connection;
    if (isCut) old.close();
    [this.#connection, this.#track] = this.#connect();
    if (!isCut) void this.connected().then(() => old.close());
    return this.offer(direction);
  }

  /** Starts the microphone. */
  speak(): void {
    const startMs = performance.now();
    let sent = 0;
    this.#timer = setInterval(() => {
      for (; (performance.now() - startMs) / 20 > sent; sent += 1) this.#frame();
    }, 5);
  }

  stopSpeaking(): void {
    clearInterval(this.#timer);
  }

  /** One key held for `durationMs`, the end told three times, at once (no pacing). */
  press(
    digit: string,
    durationMs: number,
    clockRate = this.#events.clockRate,
    payloadType = this.#events.payloadType,
  ): void {
    const timestamp = this.#timestamp;
    for (let elapsedMs = 20; elapsedMs <= durationMs + 40; elapsedMs += 20) {
      const duration = (Math.min(elapsedMs, durationMs) * clockRate) / 1000;
      const payload = encodeTelephoneEvent({ digit, end: elapsedMs >= durationMs, volume: 10, duration });
      this.sendRtp({ payloadType, marker: elapsedMs === 20, timestamp, payload });
    }
    this.#timestamp += (durationMs * this.#voice.clockRate) / 1000;
  }

  sendRtp(packet: Pick<RtpPacket, "payloadType" | "marker" | "timestamp" | "payload">): void {
    this.#sequence = (this.#sequence + 1) & 0xffff;
    const bytes = encodeRtp({ ...packet, sequence: this.#sequence, ssrc: this.#ssrc });
    if (this.#track.isOpen()) this.#track.sendMessageBinary(Buffer.from(bytes));
  }

  /** Resolves with the first RTCP that passes. */
  async report(isIt: (bytes: Buffer) => boolean): Promise<Buffer> {
    await this.#when(() => this.rtcp.some(isIt));
    return this.rtcp.find(isIt) ?? Buffer.alloc(0);
  }

  close(): void {
    this.stopSpeaking();
    this.#connection.close();
  }

  #frame(): void {
    const payload = this.#voice.frame();
    this.sendRtp({ payloadType: this.#codec.payloadType, marker: false, timestamp: this.#timestamp, payload });
    this.#timestamp += this.#voice.clockRate / 50;
  }

  get #events(): NonNullable<ClientCodec["events"]> {
    return this.#codec.events ?? { payloadType: clientEvents, clockRate: 8000 };
  }

  #connect(): [PeerConnection, Track] {
    const connection = new nodeDataChannel.PeerConnection("client", {
      iceServers: [],
      bindAddress: "127.0.0.1",
      disableAutoNegotiation: true,
    });
    const audio = new nodeDataChannel.Audio("0", "SendRecv");
    audio.addAudioCodec(0, "PCMU");
    audio.addSSRC(this.#ssrc, "client", "stream", "track");
    const track = connection.addTrack(audio);
    track.onMessage((bytes) => {
      const packet = decodeRtp(bytes);
      if (isRtcp(bytes)) this.rtcp.push(bytes);
      else if (packet !== undefined) this.ear.hear(packet);
      this.#check();
    });
    track.onOpen(() => this.#check());
    connection.onStateChange((state) => {
      this.states.push(state);
      this.#check();
    });
    kept.push(connection, track);
    return [connection, track];
  }

  async #gather(type: "offer" | "answer"): Promise<void> {
    const gathered = new Promise<void>((resolve) => {
      this.#connection.onGatheringStateChange((state) => {
        if (state === "complete") resolve();
      });
    });
    this.#connection.setLocalDescription(type);
    await gathered;
  }

  /** The library's values in the words of a browser. */
  #text(direction: string): string {
    const { sdp = "" } = this.#connection.localDescription() ?? {};
    const kept = sdp.split("\r\n").filter((line) => /^a=(ice-(ufrag|pwd)|fingerprint|setup)/.test(line));
    this.#version += 1;
    return [
      "v=0",
      `o=- 4611731400430051336 ${this.#version} IN IP4 127.0.0.1`,
      "s=-",
      "t=0 0",
      "a=group:BUNDLE 0",
      "a=msid-semantic: WMS stream",
      `m=audio 9 UDP/TLS/RTP/SAVPF ${this.#codec.payloadType} ${this.#events.payloadType}`,
      "c=IN IP4 0.0.0.0",
      "a=rtcp:9 IN IP4 0.0.0.0",
      ...kept,
      "a=mid:0",
      `a=${direction}`,
      "a=msid:stream track",
      "a=rtcp-mux",
      `a=rtpmap:${this.#codec.payloadType} ${this.#codec.encoding}`,
      `a=rtpmap:${this.#events.payloadType} telephone-event/${this.#events.clockRate}`,
      ...(this.#codec.lines ?? []),
      `a=ssrc:${this.#ssrc} cname:client`,
      "",
    ].join("\r\n");
  }

  async #when(isSo: () => boolean): Promise<void> {
    if (isSo()) return;
    await new Promise<void>((resolve) => this.#waiting.push({ isSo, resolve }));
  }

  #check(): void {
    this.#waiting = this.#waiting.filter((each) => {
      if (!each.isSo()) return true;
      each.resolve();
      return false;
    });
  }
}
