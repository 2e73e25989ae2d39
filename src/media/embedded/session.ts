// One call's media inside a worker: the offers and answers of both sides (decided in core/sdp/exchange), the texts, the
// keys, and the two lanes of audio between the legs. Orders come one at a time from worker.ts.
import { randomBytes, randomInt } from "node:crypto";
import type { IceCandidate } from "../../core/call/event.ts";
import type { MediaSide } from "../../core/call/media-side.ts";
import type { MediaStats } from "../../core/call/media-stats.ts";
import { addressFamily } from "../../core/sdp/address.ts";
import { crossings, spokenCodec } from "../../core/sdp/agreement.ts";
import { isMalformed, parseDescription, type Description } from "../../core/sdp/description.ts";
import {
  clientAnswered,
  clientOffered,
  clientSettled,
  isHeld,
  isOpen,
  newExchange,
  trunkAnswered,
  trunkDescribed,
  trunkOffered,
  type Exchange,
  type Refusal,
  type Turn,
} from "../../core/sdp/exchange.ts";
import { trunkUnmet, webRtcEnd } from "../../core/sdp/requirement.ts";
import { MediaError, type MediaReport, type OfferOutcome } from "../../ports/media.ts";
import { ClientLeg } from "./client-leg.ts";
import { Lane } from "./lane.ts";
import { networks } from "./network.ts";
import type { LogLevel, SessionOpening, WorkerSettings } from "./protocol.ts";
import { Reporter } from "./reporter.ts";
import { Silence } from "./silence.ts";
import { SrtpKeyring } from "./srtp-keyring.ts";
import { Texts } from "./texts.ts";
import { TrunkSocket, type TrunkKeys } from "./trunk-socket.ts";

export interface SessionReports {
  fact(fact: MediaReport): void;
  log(level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>): void;
}

export class Session {
  readonly #settings: WorkerSettings;
  readonly #opening: SessionOpening;
  readonly #reports: SessionReports;
  readonly #client: ClientLeg;
  readonly #trunk: TrunkSocket;
  readonly #lanes: Readonly<Record<MediaSide, Lane>>;
  readonly #reporters: Readonly<Record<MediaSide, Reporter>>;
  readonly #silence: Silence;
  readonly #keyring: SrtpKeyring | undefined;
  readonly #cname = randomBytes(12).toString("base64url");
  readonly #texts: Texts;
  #exchange: Exchange;
  #isConnected = false;
  #isBroken = false;
  #lostAtMs: number | undefined;

  private constructor(settings: WorkerSettings, opening: SessionOpening, reports: SessionReports, trunk: TrunkSocket) {
    this.#settings = settings;
    this.#opening = opening;
    this.#reports = reports;
    this.#trunk = trunk;
    this.#exchange = newExchange(opening.trunk.codecs);
    this.#keyring = opening.trunk.srtp === "required" ? new SrtpKeyring() : undefined;
    this.#silence = new Silence(settings.silenceTimeoutMs);
    const digitOf = (from: MediaSide) => (digit: { digit: string; durationMs: number }) =>
      reports.fact({ kind: "media.dtmf", from, ...digit });
    // Lanes are named by the side they come from.
    this.#lanes = {
      matrix: new Lane(newSsrc(), newStart(), {
        send: (packet) => this.#trunk.sendRtp(packet),
        digit: digitOf("matrix"),
      }),
      trunk: new Lane(newSsrc(), newStart(), {
        send: (packet) => this.#client.send(packet),
        digit: digitOf("trunk"),
      }),
    };
    const { matrix, trunk: back } = this.#lanes;
    this.#texts = new Texts({ settings, rtpPort: opening.rtpPort, ssrc: back.ssrc, cname: this.#cname });
    this.#reporters = {
      matrix: new Reporter(back, matrix, this.#cname, (packet) => this.#client.send(packet)),
      trunk: new Reporter(matrix, back, this.#cname, (packet) => this.#trunk.sendRtcp(packet)),
    };
    this.#client = new ClientLeg(
      { ice: settings.ice, iceServers: opening.iceServers, ssrc: back.ssrc, cname: this.#cname },
      {
        rtp: (packet) => this.#guard(() => matrix.packet(packet, Date.now())),
        rtcp: (packet) => this.#guard(() => this.#reporters.matrix.packet(packet, Date.now())),
        connected: () => this.#clientConnected(),
        gone: (reason, was) => this.#clientGone(reason, was),
        candidatesIgnored: (count) => reports.log("debug", "ignored candidates", { count }),
      },
    );
  }

  /** Undefined if the ports are taken. */
  static async open(
    settings: WorkerSettings,
    opening: SessionOpening,
    reports: SessionReports,
  ): Promise<Session | undefined> {
    const legs: { session?: Session } = {};
    const allowed = networks(opening.trunk.rtpNetworks);
    const trunk = await TrunkSocket.bind(settings.rtp.host, opening.rtpPort, allowed, {
      rtp: (packet) => legs.session?.trunkRtp(packet),
      rtcp: (packet) => legs.session?.trunkRtcp(packet),
      learnt: (address, port) => reports.log("debug", "learnt the trunk's RTP address", { address, port }),
    });
    if (trunk === undefined) return undefined;
    legs.session = new Session(settings, opening, reports, trunk);
    return legs.session;
  }

  async offer(from: MediaSide, sdp: string): Promise<OfferOutcome> {
    const offer = this.#read(from, sdp);
    const turn = taken(from === "matrix" ? clientOffered(this.#exchange, offer) : trunkOffered(this.#exchange, offer));
    const text = await this.#write(turn);
    if (from === "matrix" && turn.kind === "offer") this.#client.prepare(offer);
    return { kind: turn.kind === "answer" ? "settled" : "forward", sdp: text };
  }

  async answer(from: MediaSide, sdp: string): Promise<string> {
    const answer = this.#read(from, sdp);
    if (from === "trunk") {
      const turn = taken(trunkAnswered(this.#exchange, answer));
      const keys = this.#keyring?.answered(answer.audio.crypto);
      // We never begin with rtcp-mux, so an answer may only keep what an offer of the trunk brought.
      const mayMux = this.#exchange.agreed?.trunk.audio.rtcpMux ?? false;
      const text = await this.#write(turn);
      this.#aimTrunk(answer, keys, mayMux);
      return text;
    }
    const turn = taken(clientAnswered(this.#exchange, answer));
    this.#client.complete(answer);
    return this.#write(turn);
  }

  async settle(from: MediaSide): Promise<string> {
    if (from === "trunk") throw new MediaError("bad-description", "no offer of the trunk to settle");
    return this.#write(taken(clientSettled(this.#exchange)));
  }

  async describe(): Promise<string> {
    return this.#write(taken(trunkDescribed(this.#exchange)));
  }

  addCandidates(candidates: readonly IceCandidate[]): void {
    this.#client.addCandidates(candidates);
  }

  stats(): MediaStats {
    const { agreed } = this.#exchange;
    return {
      codec: agreed === undefined ? undefined : spokenCodec(agreed.passages),
      fromMatrix: this.#lanes.matrix.reception.stats(),
      fromTrunk: this.#lanes.trunk.reception.stats(),
    };
  }

  async close(): Promise<MediaStats> {
    this.#reporters.matrix.bye();
    this.#reporters.trunk.bye();
    const stats = this.stats();
    const { foreign, forged } = this.#trunk;
    if (foreign > 0 || forged > 0) this.#reports.log("warn", "dropped packets of strangers", { foreign, forged });
    this.#client.close();
    await this.#trunk.close();
    return stats;
  }

  /** Once a second. */
  tick(nowMs: number): void {
    this.#guard(() => this.#check(nowMs));
  }

  #check(nowMs: number): void {
    const { agreed } = this.#exchange;
    if (this.#lostAtMs !== undefined && nowMs - this.#lostAtMs >= this.#settings.reconnectTimeoutMs) {
      this.#lostAtMs = undefined;
      this.#reports.fact({ kind: "media.failed", message: "the client's connection was lost and did not come back" });
    }
    if (agreed === undefined) return;
    if (this.#client.isConnected) this.#reporters.matrix.tick(nowMs, Math.random());
    this.#reporters.trunk.tick(nowMs, Math.random());
    const isExpected = this.#isConnected && !isHeld(agreed);
    for (const side of ["matrix", "trunk"] as const) {
      const { lastHeardAtMs } = this.#lanes[side].reception;
      if (this.#silence.isTimedOut(side, isExpected, lastHeardAtMs, nowMs))
        this.#reports.fact({ kind: "media.timedOut", side });
    }
  }

  trunkRtp(packet: Buffer): void {
    this.#guard(() => this.#lanes.trunk.packet(packet, Date.now()));
  }

  trunkRtcp(packet: Buffer): void {
    this.#guard(() => this.#reporters.trunk.packet(packet, Date.now()));
  }

  /** A defect of ours that a packet brings out ends this call, not the worker with all the others. */
  #guard(work: () => void): void {
    if (this.#isBroken) return;
    try {
      work();
    } catch (error) {
      this.#isBroken = true;
      this.#reports.log("error", "media session broke", {
        error: error instanceof Error ? error.stack : String(error),
      });
      this.#reports.fact({ kind: "media.failed", message: "internal error" });
    }
  }

  #clientConnected(): void {
    this.#lostAtMs = undefined;
    if (this.#isConnected) return;
    this.#isConnected = true;
    this.#reports.fact({ kind: "media.connected" });
  }

  #clientGone(reason: string, was: boolean): void {
    this.#reports.log("info", "the client's connection is gone", { reason });
    // Clients restart ICE when their network changes: one that was here gets the time for it.
    if (was) this.#lostAtMs ??= Date.now();
    else this.#reports.fact({ kind: "media.failed", message: `ICE or DTLS ${reason}` });
  }

  #read(from: MediaSide, sdp: string): Description {
    const description = parseDescription(sdp);
    if (isMalformed(description)) throw new MediaError("bad-description", description.problem);
    const { audio } = description;
    if (from === "matrix") {
      const end = webRtcEnd(audio);
      if ("fault" in end) throw new MediaError(end.fault, end.message);
    } else {
      const unmet = trunkUnmet(audio, this.#opening.trunk.srtp);
      if (unmet !== undefined) throw new MediaError(unmet.fault, unmet.message);
      const isIpv4Only = addressFamily(this.#settings.rtp.host) === 4;
      if (isIpv4Only && audio.address !== undefined && addressFamily(audio.address) === 6)
        throw new MediaError("bad-description", "an IPv6 address, and our RTP is bound to IPv4");
    }
    return description;
  }

  /** Brings the legs to where the turn wants them, writes it, and only then makes it the present state. */
  async #write(turn: Turn): Promise<string> {
    let sdp: string;
    if (turn.to === "matrix") {
      const end = turn.kind === "answer" ? await this.#client.answerEnd(turn.offer) : await this.#client.offerEnd();
      sdp = this.#texts.client(turn, end);
    } else if (turn.kind === "answer") {
      const accepted = this.#keyring?.accept(turn.offer.audio.crypto);
      this.#aimTrunk(turn.offer, accepted?.keys, true);
      sdp = this.#texts.trunk(turn, accepted === undefined ? undefined : [accepted.line]);
    } else sdp = this.#texts.trunk(turn, this.#keyring?.offer);
    this.#exchange = turn.exchange;
    this.#openLanes();
    return sdp;
  }

  #openLanes(): void {
    const { agreed } = this.#exchange;
    if (agreed === undefined) return;
    for (const side of ["matrix", "trunk"] as const)
      this.#lanes[side].agree(crossings(agreed.passages, side), isOpen(agreed, side));
  }

  #aimTrunk(description: Description, keys: TrunkKeys | undefined, mayMux: boolean): void {
    const { address, port, rtcpPort, rtcpMux } = description.audio;
    const nextPort = port < 65_535 ? port + 1 : undefined;
    this.#trunk.aim({ address, port, rtcpPort: rtcpPort ?? nextPort, rtcpMux: mayMux && rtcpMux }, keys);
  }
}

function taken(turn: Turn | Refusal): Turn {
  if (turn.kind === "refusal") throw new MediaError(turn.fault, turn.message);
  return turn;
}

/** Never zero: some stacks take it for "none". */
function newSsrc(): number {
  return randomInt(1, 0xffff_ffff);
}

function newStart(): { sequence: number; timestamp: number } {
  // The first half, so that SRTP peers do not meet a roll-over at once (RFC 3711 s3.3.1 advises so).
  return { sequence: randomInt(0, 0x8000), timestamp: randomInt(0, 0xffff_ffff) };
}
