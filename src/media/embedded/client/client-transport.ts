// One ICE and DTLS-SRTP association with a client, by node-datachannel. The library sees a description of our making, with
// nothing of the client's but its ICE, DTLS and candidate values; of its own it is asked for the same. Directions and payload
// types are none of its business, so a re-offer does not reach it.
import nodeDataChannel, { type PeerConnection, type Track } from "node-datachannel";
import { writeCandidate, type Candidate } from "../../../core/sdp/candidate.ts";
import { isMalformed, parseDescription } from "../../../core/sdp/description.ts";
import type { WebRtcEnd } from "../../../core/sdp/exchange/requirement.ts";
import type { IceServer } from "../../../ports/media.ts";
import type { Certificate } from "./certificate.ts";
import type { Gone } from "../base/leg.ts";
import { closeConnection, newConnection } from "../base/peer-connection.ts";
import type { WorkerSettings } from "../base/settings.ts";

/** Our end, as the library or a reserved port has it. */
export interface LocalEnd extends WebRtcEnd {
  readonly candidates: readonly Candidate[];
}

/** What a transport has to be that a client has been told of before it exists. */
export interface Identity {
  readonly certificate: Certificate;
  readonly ufrag: string;
  readonly pwd: string;
  readonly port: number;
}

export interface TransportReports {
  connected(): void;
  /** Over for good: libdatachannel does not come back from a disconnection, and cannot restart ICE. */
  gone(how: Gone): void;
  packet(packet: Buffer): void;
}

export interface TransportOptions {
  readonly ice: WorkerSettings["ice"];
  readonly iceServers: readonly IceServer[];
  readonly ssrc: number;
  readonly cname: string;
}

/** How long an answer waits for slow STUN and TURN servers before it goes with what there is. */
const gatherTimeoutMs = 2000;
const mid = "0";

export class ClientTransport {
  readonly #connection: PeerConnection;
  readonly #track: Track;
  readonly #gathered: Promise<void>;
  readonly #identity: Identity | undefined;
  #isOpen = false;
  #isOver = false;
  #remote: WebRtcEnd | undefined;

  /** `of`: what the client has been told of us in an offer already; or our port alone, and the library makes the rest. */
  constructor(options: TransportOptions, reports: TransportReports, of: Identity | number | undefined) {
    const identity = typeof of === "object" ? of : undefined;
    this.#identity = identity;
    this.#connection = newConnection(
      options.ice,
      options.iceServers,
      typeof of === "object" ? of.port : of,
      identity && { certificatePemFile: identity.certificate.certificatePem, keyPemFile: identity.certificate.keyPem },
    );
    this.#gathered = new Promise((resolve) => {
      const timer = setTimeout(resolve, gatherTimeoutMs);
      this.#connection.onGatheringStateChange((state) => {
        if (state !== "complete") return;
        clearTimeout(timer);
        resolve();
      });
    });
    const audio = new nodeDataChannel.Audio(mid, "SendRecv");
    audio.addAudioCodec(0, "PCMU");
    audio.addSSRC(options.ssrc, options.cname, "bridge", "audio");
    this.#track = this.#connection.addTrack(audio);
    this.#track.onOpen(() => {
      if (this.#isOver) return;
      this.#isOpen = true;
      reports.connected();
    });
    this.#track.onMessage((packet) => {
      if (!this.#isOver) reports.packet(packet);
    });
    this.#connection.onStateChange((state) => {
      if (this.#isOver || (state !== "disconnected" && state !== "failed" && state !== "closed")) return;
      this.#isOpen = false;
      this.#isOver = true;
      reports.gone(state === "failed" ? "lost" : "closed");
    });
  }

  /** Carries packets now. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Will never carry packets again. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** The client's end, once it is known. */
  get remote(): WebRtcEnd | undefined {
    return this.#remote;
  }

  /** Takes the client's offered end and gives ours, all candidates gathered. */
  async accept(remote: WebRtcEnd): Promise<LocalEnd> {
    this.#begin(remote, false);
    return this.#local();
  }

  /**
   * Takes the client's answer to the end that it was offered as `identity`. To the library it is an offer all the same:
   * so it knows all of the client before its first packet goes out or comes in. Throws if it cannot have the port.
   */
  complete(remote: WebRtcEnd): void {
    this.#begin(remote, true);
  }

  /** False if it was refused, which it is by an association that has just ended. */
  addCandidate(candidate: Candidate): boolean {
    try {
      this.#connection.addRemoteCandidate(writeCandidate(candidate), mid);
      return true;
    } catch {
      return false;
    }
  }

  /** RTP or RTCP; false where it cannot be sent now. */
  send(packet: Buffer): boolean {
    if (!this.#isOpen) return false;
    try {
      return this.#track.sendMessageBinary(packet);
    } catch {
      // The connection was closed on the library's own thread, and we have not heard of it yet.
      return false;
    }
  }

  close(): void {
    this.#isOpen = false;
    this.#isOver = true;
    closeConnection(this, this.#connection, [this.#track]);
  }

  #begin(remote: WebRtcEnd, isControlling: boolean): void {
    this.#remote = remote;
    this.#connection.setRemoteDescription(endText(remote, isControlling), "offer");
    const identity = this.#identity;
    if (identity === undefined) this.#connection.setLocalDescription("answer");
    else this.#connection.setLocalDescription("answer", { iceUfrag: identity.ufrag, icePwd: identity.pwd });
  }

  async #local(): Promise<LocalEnd> {
    await this.#gathered;
    const text = this.#connection.localDescription()?.sdp ?? "";
    const parsed = parseDescription(text);
    if (isMalformed(parsed)) throw new Error(`engine's own description: ${parsed.problem}`);
    const { ice, fingerprint, setup, candidates } = parsed.audio;
    if (ice === undefined || fingerprint === undefined || setup === undefined)
      throw new Error("engine's own description lacks ICE or DTLS values");
    return { ice, fingerprint, setup, candidates };
  }
}

/**
 * `isControlling`: whoever offered controls ICE (RFC 8445 s6.1.1), but the library takes itself for the answerer. That its
 * peer is "lite" is the one thing that makes it control, and changes nothing else.
 */
function endText({ ice, fingerprint, setup }: WebRtcEnd, isControlling: boolean): string {
  return [
    "v=0",
    "o=- 1 1 IN IP4 127.0.0.1",
    "s=-",
    "t=0 0",
    ...(isControlling ? ["a=ice-lite"] : []),
    `a=group:BUNDLE ${mid}`,
    "m=audio 9 UDP/TLS/RTP/SAVPF 0",
    "c=IN IP4 0.0.0.0",
    `a=mid:${mid}`,
    "a=sendrecv",
    "a=rtcp-mux",
    `a=ice-ufrag:${ice.ufrag}`,
    `a=ice-pwd:${ice.pwd}`,
    `a=fingerprint:${fingerprint.algorithm} ${fingerprint.value}`,
    `a=setup:${setup}`,
    "a=rtpmap:0 PCMU/8000",
    "",
  ].join("\r\n");
}
