// The peer connection to a LiveKit server, by node-datachannel: one section that we speak in, and as many to hear as the server
// wants. We offer, the server answers.
import nodeDataChannel, { type PeerConnection, type Track } from "node-datachannel";
import { isUsable, writeCandidate, type Candidate } from "../../../core/sdp/candidate.ts";
import { opusName, type Format } from "../../../core/sdp/format.ts";
import type { IceServer } from "../../../ports/media.ts";
import { freePort } from "../base/held-port.ts";
import type { Gone } from "../base/leg.ts";
import { closeConnection, newConnection } from "../base/peer-connection.ts";
import type { WorkerSettings } from "../base/settings.ts";
import { isRtcp } from "../rtp/rtp-packet.ts";
import { heardFormats } from "./track-formats.ts";
import { answerText, type OfferedSection, type ServerAnswer } from "./server-answer.ts";

export interface ConnectionReports {
  /** One of our candidates, and a section of ours. */
  candidate(candidate: string, mid: string): void;
  connected(): void;
  /** Over for good. */
  gone(how: Gone): void;
  /** From the section `mid`. */
  rtp(mid: string, packet: Buffer): void;
  rtcp(packet: Buffer): void;
}

export interface ConnectionOptions {
  readonly ice: WorkerSettings["ice"];
  readonly iceServers: readonly IceServer[];
  /** Undefined: we only listen. */
  readonly stream: SpokenStream | undefined;
}

/** What we say. */
export interface SpokenStream {
  readonly ssrc: number;
  readonly cname: string;
  /** What the server knows our track by. */
  readonly cid: string;
  /** Of our track. */
  readonly format: Format;
}

const spokenMid = "tx";
const mostHeard = 24;
/** For Opus, of ours and of theirs (RFC 7587 s6.1). */
const profile = "minptime=10;useinbandfec=1";

const heardMid = (index: number): string => `rx${index}`;

export class ServerConnection {
  readonly #connection: PeerConnection;
  readonly #reports: ConnectionReports;
  readonly #sections: OfferedSection[] = [];
  readonly #tracks: Track[] = [];
  readonly #spoken: Track | undefined;
  #isOpen = false;
  #isOver = false;

  private constructor(options: ConnectionOptions, port: number | undefined, reports: ConnectionReports) {
    this.#reports = reports;
    // Its own offers could have sections of data alone, and without this none of sound could follow.
    this.#connection = newConnection(options.ice, options.iceServers, port, { forceMediaTransport: true });
    this.#connection.onLocalCandidate((candidate, mid) => {
      if (!this.#isOver) reports.candidate(candidate.replace(/^a=/, ""), mid);
    });
    this.#connection.onStateChange((state) => {
      if (this.#isOver || (state !== "disconnected" && state !== "failed" && state !== "closed")) return;
      this.#isOpen = false;
      this.#isOver = true;
      reports.gone(state === "failed" ? "lost" : "closed");
    });
    // The server takes what it has of codecs from the first section.
    this.#hear(1);
    this.#spoken = options.stream && this.#speak(options.stream);
    const opens = this.#spoken ?? this.#tracks[0];
    opens?.onOpen(() => {
      if (this.#isOver) return;
      this.#isOpen = true;
      reports.connected();
    });
  }

  /** Throws if no port is free. */
  static async open(options: ConnectionOptions, reports: ConnectionReports): Promise<ServerConnection> {
    return new ServerConnection(options, await freePort(options.ice), reports);
  }

  /** With so many more sections to hear, and without candidates. */
  offer(more = 0): string {
    this.#hear(more);
    this.#connection.setLocalDescription("offer");
    const { sdp = "" } = this.#connection.localDescription() ?? {};
    return sdp.replaceAll(/a=(?:candidate|end-of-candidates).*\r\n/g, "");
  }

  /** Whether the server takes what we say. */
  isTaken({ sections }: ServerAnswer): boolean {
    return sections.some(({ mid, isTaken }) => mid === spokenMid && isTaken);
  }

  /** Throws where the library does not take it. */
  answered(answer: ServerAnswer): void {
    this.#connection.setRemoteDescription(answerText(answer, this.#sections), "answer");
    for (const candidate of answer.candidates) this.addCandidate(candidate);
  }

  addCandidate(candidate: Candidate): void {
    if (!isUsable(candidate)) return;
    try {
      this.#connection.addRemoteCandidate(writeCandidate(candidate), heardMid(0));
    } catch {
      // It has just ended.
    }
  }

  /** RTP or RTCP; false where it cannot be sent now. */
  send(packet: Buffer): boolean {
    if (!this.#isOpen || this.#spoken === undefined) return false;
    try {
      return this.#spoken.sendMessageBinary(packet);
    } catch {
      // It was closed on the library's own thread, and we have not heard of it yet.
      return false;
    }
  }

  close(): void {
    this.#isOpen = false;
    this.#isOver = true;
    closeConnection(this, this.#connection, this.#tracks);
  }

  #speak({ ssrc, cname, cid, format }: SpokenStream): Track {
    const audio = new nodeDataChannel.Audio(spokenMid, "SendOnly");
    audio.addSSRC(ssrc, cname, "telephone", cid);
    return this.#add(spokenMid, [format], audio);
  }

  #hear(more: number): void {
    for (let each = 0; each < more; each += 1) {
      const index = this.#sections.filter(({ mid }) => mid !== spokenMid).length;
      if (index >= mostHeard) return;
      const mid = heardMid(index);
      this.#add(mid, heardFormats, new nodeDataChannel.Audio(mid, "RecvOnly"));
    }
  }

  #add(mid: string, formats: readonly Format[], audio: InstanceType<typeof nodeDataChannel.Audio>): Track {
    for (const { payloadType, name } of formats) {
      if (name === opusName) audio.addOpusCodec(payloadType, profile);
      else audio.addAudioCodec(payloadType, name);
    }
    const track = this.#connection.addTrack(audio);
    this.#sections.push({ mid, formats });
    this.#tracks.push(track);
    track.onMessage((packet) => {
      if (this.#isOver) return;
      if (isRtcp(packet)) this.#reports.rtcp(packet);
      else this.#reports.rtp(mid, packet);
    });
    return track;
  }
}
