// The client's WebRTC: ICE and DTLS-SRTP by node-datachannel, G.711 in and out by our own hands, descriptions in the
// shape that Chromium writes them. What is sent when is for call.ts.
import { randomBytes, randomInt } from "node:crypto";
import nodeDataChannel, { type PeerConnection, type Track } from "node-datachannel";
import { answerTo } from "../../src/core/sdp/direction.ts";
import { decodeAlaw, decodeUlaw, encodeAlaw, encodeUlaw } from "../audio/g711.ts";
import { everyFrame } from "../audio/pacer.ts";
import { Reception } from "../audio/reception.ts";
import { decodeRtp, encodeRtp, isRtcp } from "../audio/rtp.ts";
import { encodeTelephoneEvent, keypad } from "../audio/telephone-event.ts";
import { continuousTone, type Tone } from "../audio/tone.ts";
import type { IceGate } from "./ice-gate.ts";
import {
  browserAnswer,
  browserOffer,
  readAnswer,
  readOffer,
  type AnsweredAudio,
  type Direction,
  type OwnEnd,
} from "./browser-description.ts";

export interface IceCandidate {
  readonly candidate: string;
  readonly sdpMid: string;
  readonly sdpMLineIndex: number;
  readonly usernameFragment: string;
}

export interface AudioPeerOptions {
  /** What the microphone hears, in Hz. */
  readonly toneHz: number;
  /** In front of the ICE library; closed with the peer. */
  readonly gate: IceGate;
  /** What the other side's offer calls the stream; "0" where we offer. */
  readonly mid?: string;
}

export interface AudioPeerWatch {
  /** A candidate was found; undefined: there are no more. */
  readonly candidate: (candidate: IceCandidate | undefined) => void;
  readonly connected: () => void;
  /** ICE found no way, or lost it. */
  readonly gone: (state: string) => void;
  readonly changed: () => void;
}

const FRAME_SAMPLES = 160;
const KEY_FRAMES = 8;
const KEY_PAUSE_FRAMES = 5;

type Frame =
  | { readonly kind: "audio" }
  | { readonly kind: "key"; readonly digit: string; readonly duration: number; readonly end: boolean };

export class AudioPeer {
  readonly reception = new Reception();
  /** The stream's id, as `sdp_stream_metadata` names it. */
  readonly streamId = randomBytes(16).toString("hex");
  packetsSent = 0;
  rtcpReceived = 0;
  /** Keys that came as RTP events. */
  readonly keys: string[] = [];
  readonly #connection: PeerConnection;
  readonly #track: Track;
  readonly #gate: IceGate;
  readonly #mid: string;
  readonly #keypad = keypad(8_000);
  readonly #candidates: IceCandidate[] = [];
  #gathered: () => void = () => undefined;
  readonly #allGathered = new Promise<void>((resolve) => {
    this.#gathered = resolve;
  });
  #libraryPort = 0;
  readonly #watch: AudioPeerWatch;
  readonly #ssrc = randomInt(1, 2 ** 32 - 1);
  readonly #cname = randomBytes(12).toString("base64url");
  readonly #tone: Tone;
  /** What goes out instead of the tone: keys and the pauses between them. */
  readonly #queue: Frame[] = [];
  #sequence = randomInt(2 ** 15);
  #timestamp = randomInt(2 ** 31);
  #keyTimestamp = 0;
  #answered: AnsweredAudio | undefined;
  #direction: Direction = "sendrecv";
  /** What the person wants, whatever the other side allows: a hold of theirs outlasts one of the other side's. */
  #wish: Direction = "sendrecv";
  #role: "active" | "passive" = "passive";
  readonly #descriptionId = randomInt(1, 2 ** 47);
  #version = 1;
  #stopBeat: (() => void) | undefined;
  #drained: (() => void)[] = [];
  #ufrag = "";
  #closed = false;

  constructor(options: AudioPeerOptions, watch: AudioPeerWatch) {
    this.#gate = options.gate;
    this.#mid = options.mid ?? "0";
    this.#watch = watch;
    this.#tone = continuousTone(options.toneHz, 8_000);
    this.#connection = new nodeDataChannel.PeerConnection("caller", {
      iceServers: [],
      disableAutoNegotiation: true,
      bindAddress: "127.0.0.1",
    });
    const audio = new nodeDataChannel.Audio(this.#mid, "SendRecv");
    audio.addAudioCodec(0, "PCMU");
    audio.addSSRC(this.#ssrc, this.#cname, this.streamId, "audio");
    this.#track = this.#connection.addTrack(audio);
    this.#track.onMessage((bytes) => this.#arrived(bytes));
    this.#track.onOpen(() => {
      if (this.#closed) return;
      this.#stopBeat = everyFrame(() => this.#beat());
      watch.connected();
    });
    this.#connection.onLocalCandidate((candidate) => this.#found(candidate));
    this.#connection.onGatheringStateChange((state) => {
      if (state !== "complete" || this.#closed) return;
      this.#gathered();
      watch.candidate(undefined);
    });
    // As in a browser, ICE alone says that the way is gone. DTLS that the other side closed does not: it does so when it
    // hangs up, often before its hang-up comes.
    this.#connection.onIceStateChange((state) => {
      if (state === "connected") this.#gate.connected();
      if (!this.#closed && ["disconnected", "failed"].includes(state)) watch.gone(state);
    });
  }

  /** A first offer, or one that changes the direction; gathering begins with the first. */
  offer(direction: Direction): string {
    if (this.#connection.localDescription() === null) this.#connection.setLocalDescription("offer");
    this.#wish = direction;
    return browserOffer(this.#ownEnd(direction));
  }

  /** The answer to a first offer, with all that we have gathered in it; undefined: nothing in it that we can play. */
  async answerFirst(sdp: string): Promise<string | undefined> {
    const offered = readOffer(sdp);
    if (offered === undefined) return undefined;
    this.#answered = offered;
    // Without candidates: as in accept.
    this.#connection.setRemoteDescription(withoutCandidates(sdp), "offer");
    this.#connection.setLocalDescription("answer");
    await this.#allGathered;
    if (this.#closed) return undefined;
    this.#role = this.#connection.localDescription()?.sdp.includes("a=setup:active") === true ? "active" : "passive";
    this.#gate.open(this.#libraryPort);
    const lines = this.#candidates.map(({ candidate }) => candidate);
    return browserAnswer(this.#ownEnd(answerTo(offered.direction, this.#wish)), offered, this.#role, lines);
  }

  /** The answer to our offer. False: nothing in it that we can play. The transport is taken from the first one. */
  accept(sdp: string): boolean {
    const answered = readAnswer(sdp);
    if (answered === undefined) return false;
    if (this.#answered === undefined) {
      this.#role = answered.setup === "passive" ? "active" : "passive";
      this.#answered = answered;
      // Without candidates: the peer comes to us through the gate, which makes this a full ICE check both ways.
      this.#connection.setRemoteDescription(withoutCandidates(sdp), "answer");
      this.#gate.open(this.#libraryPort);
    }
    this.#answered = answered;
    return true;
  }

  /** An answer to an offer of the other side's, which is about its direction alone; undefined where it is more. */
  answer(sdp: string): { readonly sdp: string; readonly theirs: Direction } | undefined {
    const offered = readOffer(sdp);
    if (offered === undefined || this.#answered === undefined) return undefined;
    this.#answered = offered;
    // Who answers has to say which side of DTLS it is, and that never changes (RFC 8842 s5.5).
    const own = this.#ownEnd(answerTo(offered.direction, this.#wish));
    return { sdp: browserAnswer(own, offered, this.#role, []), theirs: offered.direction };
  }

  /** Presses keys for 160 ms each; resolves when the last packet is out. */
  press(digits: string): Promise<void> {
    for (const digit of digits) {
      for (let frame = 1; frame <= KEY_FRAMES; frame += 1) {
        this.#queue.push({ kind: "key", digit, duration: frame * FRAME_SAMPLES, end: false });
      }
      this.#queue.push({ kind: "key", digit, duration: KEY_FRAMES * FRAME_SAMPLES, end: true });
      for (let frame = 0; frame < KEY_PAUSE_FRAMES; frame += 1) this.#queue.push({ kind: "audio" });
    }
    return new Promise((resolve) => {
      this.#drained.push(resolve);
    });
  }

  get codec(): "PCMU" | "PCMA" | undefined {
    return this.#answered?.codec;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopBeat?.();
    for (const drained of this.#drained) drained();
    this.#connection.close();
    this.#gate.close();
  }

  #ownEnd(direction: Direction): OwnEnd {
    this.#direction = direction;
    this.#version += 1;
    const own = this.#connection.localDescription()?.sdp ?? "";
    const value = (name: string): string => new RegExp(`^a=${name}:(.*)$`, "m").exec(own)?.[1]?.trim() ?? "";
    this.#ufrag = value("ice-ufrag");
    return {
      mid: this.#mid,
      ufrag: this.#ufrag,
      password: value("ice-pwd"),
      fingerprint: value("fingerprint"),
      descriptionId: this.#descriptionId,
      version: this.#version,
      direction,
      telephoneEvent: this.#answered?.telephoneEvent,
      ssrc: this.#ssrc,
      cname: this.#cname,
      streamId: this.streamId,
    };
  }

  /** The library's one candidate, on loopback: the gate's addresses are told in its place (RFC 8839 s5.1). */
  #found(candidate: string): void {
    const port = / 127\.0\.0\.1 (\d+) typ host/.exec(candidate)?.[1];
    if (this.#closed || port === undefined) return;
    this.#libraryPort = Number(port);
    for (const [index, address] of this.#gate.addresses.entries()) {
      const priority = 2_122_260_223 - 256 * index;
      const found: IceCandidate = {
        candidate: `candidate:${index + 1} 1 udp ${priority} ${address} ${this.#gate.port} typ host generation 0 ufrag ${this.#ufrag}`,
        sdpMid: this.#mid,
        sdpMLineIndex: 0,
        usernameFragment: this.#ufrag,
      };
      this.#candidates.push(found);
      this.#watch.candidate(found);
    }
  }

  #beat(): void {
    const answered = this.#answered;
    if (answered === undefined || !this.#track.isOpen()) return;
    const samples = this.#tone.next(FRAME_SAMPLES);
    const timestamp = this.#timestamp;
    this.#timestamp = (timestamp + FRAME_SAMPLES) >>> 0;
    const frame = this.#queue.shift();
    if (frame !== undefined && this.#queue.length === 0) for (const drained of this.#drained.splice(0)) drained();
    const theyListen = answered.direction === "sendrecv" || answered.direction === "recvonly";
    if (!theyListen || this.#direction === "recvonly" || this.#direction === "inactive") return;
    if (frame?.kind === "key" && answered.telephoneEvent !== undefined) {
      const first = frame.duration === FRAME_SAMPLES;
      if (first) this.#keyTimestamp = timestamp;
      const payload = encodeTelephoneEvent({
        digit: frame.digit,
        end: frame.end,
        volume: 10,
        duration: frame.duration,
      });
      // The end is said three times, so that one loss does not make a long key (RFC 4733 s2.5.1.4).
      for (let copy = 0; copy < (frame.end ? 3 : 1); copy += 1) {
        this.#send(answered.telephoneEvent, first, this.#keyTimestamp, payload);
      }
      return;
    }
    const payload = answered.codec === "PCMU" ? encodeUlaw(samples) : encodeAlaw(samples);
    this.#send(answered.payloadType, this.packetsSent === 0, timestamp, payload);
  }

  #send(payloadType: number, marker: boolean, timestamp: number, payload: Uint8Array): void {
    const packet = encodeRtp({ payloadType, marker, sequence: this.#sequence, timestamp, ssrc: this.#ssrc, payload });
    this.#sequence = (this.#sequence + 1) & 0xffff;
    if (this.#track.sendMessageBinary(Buffer.from(packet))) this.packetsSent += 1;
  }

  #arrived(bytes: Buffer): void {
    if (this.#closed) return;
    if (isRtcp(bytes)) {
      this.rtcpReceived += 1;
      return;
    }
    const packet = decodeRtp(bytes);
    const answered = this.#answered;
    if (packet === undefined || answered === undefined) return;
    this.reception.count(packet, performance.now());
    if (packet.payloadType === answered.payloadType) {
      this.reception.keep(answered.codec === "PCMU" ? decodeUlaw(packet.payload) : decodeAlaw(packet.payload));
    } else if (packet.payloadType === answered.telephoneEvent) {
      for (const { digit } of this.#keypad.receive(packet.timestamp, packet.payload)) this.keys.push(digit);
    } else this.reception.strangers += 1;
    this.#watch.changed();
  }
}

const withoutCandidates = (sdp: string): string => sdp.replace(/^a=(candidate|end-of-candidates).*\r?\n/gm, "");
