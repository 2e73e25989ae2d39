// The leg towards a person in a conference: what they and the others of the call say at the media server, and what the
// telephone says to them.
import type { Admission, Attendance, FocusId, Participant } from "../../../ports/conference.ts";
import type { Format } from "../../../core/sdp/format.ts";
import type { Leg, LegReports } from "../base/leg.ts";
import type { WorkerSettings } from "../base/settings.ts";
import { readRtp, writeRtp } from "../rtp/rtp-packet.ts";
import { FrameOpener, FrameSealer } from "./frame-cipher.ts";
import { Stay, type StayReports } from "./stay.ts";
import { heardAt, opusFormat } from "./track-formats.ts";
import { Voices } from "./voices.ts";

export interface ParticipantOptions {
  readonly ice: WorkerSettings["ice"];
  /** Of our stream. */
  readonly ssrc: number;
  readonly cname: string;
  /** How long a lost connection may take to come back. */
  readonly reconnectTimeoutMs: number;
}

export interface ParticipantReports extends LegReports {
  /** Another admission is wanted: `enter` gives it. */
  wanted(focus: FocusId | undefined): void;
  /** Does the work; what it throws ends the call, and nothing else. */
  guard(work: () => void): void;
  /** In which codec the conference hears us, from before it does. */
  speaks(format: Format): void;
  /** False: of those who belong to the call nobody has come. True: now somebody has. */
  met(isAnybody: boolean): void;
  /** The person is there, also where nothing is heard of them. */
  alive(): void;
}

/** When a server takes seconds to start again, other clients wait as long. */
const patience = { firstMs: 10_000, againMs: 18_000, pauseMs: 500 };
/** The call does not depend on it. */
const listeningPatience = { firstMs: 60_000, againMs: 60_000, pauseMs: 5_000 };
/** Somebody who leaves and comes back so soon has changed the network. */
const absentMs = 5000;
/** Clients are at the server before we are, or a moment later. */
const aloneMs = 4000;

export class ParticipantLeg implements Leg {
  readonly #options: ParticipantOptions;
  readonly #reports: ParticipantReports;
  readonly #heard: Voices;
  /** Those who belong to the call, by media server and identity: a server speaks for its own alone. */
  #participants = new Map<FocusId | undefined, Map<string, FrameOpener>>();
  #sealer: FrameSealer | undefined;
  #voices: readonly string[] = [];
  #spoken = opusFormat;
  /** Where we are heard; undefined until we know who is in the call. */
  #home: Stay | undefined;
  /** Where we only listen. */
  readonly #elsewhere = new Map<FocusId, Stay>();
  #wasUp = false;
  /** Since we came in last. */
  #wasTogether = false;
  #absence: NodeJS.Timeout | undefined;
  /** Whether anybody has been met: `unknown` until it is late. */
  #meeting: "unknown" | "nobody" | "somebody" = "unknown";
  #late: NodeJS.Timeout | undefined;
  #unread = 0;

  constructor(options: ParticipantOptions, reports: ParticipantReports) {
    this.#options = options;
    this.#reports = reports;
    this.#heard = new Voices((packet) => this.#reports.rtp(packet));
  }

  get isConnected(): boolean {
    return this.#home?.isUp === true;
  }

  /**
   * Codecs that the other end speaks, or may come to speak, the likeliest first. What we say has the codec that was the best when
   * we came in.
   */
  expect(voices: readonly string[]): void {
    this.#voices = voices;
  }

  /** Who is in the call from now on. The first time, we ask to be let in. */
  attend({ participants, ownKey }: Attendance): void {
    this.#participants = this.#learn(participants);
    if (ownKey === undefined) this.#sealer = undefined;
    else if (this.#sealer?.isFor(ownKey) !== true) this.#sealer = new FrameSealer(ownKey);
    this.#home ??= this.#speak();
    this.#listen();
    // Whoever comes in now is not late yet.
    this.#expectNobody();
    this.#watch();
  }

  /** `admission` undefined: there is none now. */
  enter(admission: Admission | undefined, focus?: FocusId): void {
    this.#stayAt(focus)?.enter(admission, this.#sealer !== undefined);
  }

  sendRtp(packet: Buffer): boolean {
    const header = readRtp(packet);
    // The server knows our track by one codec: nothing else has a place in it.
    if (this.#home === undefined || header?.payloadType !== this.#spoken.payloadType) return false;
    if (this.#sealer === undefined) return this.#home.send(packet);
    return this.#home.send(writeRtp(header, this.#sealer.seal(packet.subarray(header.start, header.end))));
  }

  sendRtcp(packet: Buffer): void {
    this.#home?.send(packet);
  }

  async close(): Promise<void> {
    if (this.#unread > 0) this.#reports.log("info", "frames without a key that opens them", { count: this.#unread });
    this.#leave();
  }

  #learn(participants: readonly Participant[]): Map<FocusId | undefined, Map<string, FrameOpener>> {
    const learned = new Map<FocusId | undefined, Map<string, FrameOpener>>();
    for (const { focus, identity, keys } of participants) {
      const opener = this.#participants.get(focus)?.get(identity) ?? new FrameOpener();
      opener.learn(keys);
      const there = learned.get(focus) ?? new Map<string, FrameOpener>();
      learned.set(focus, there.set(identity, opener));
    }
    return learned;
  }

  #stayAt(focus: FocusId | undefined): Stay | undefined {
    return focus === undefined ? this.#home : this.#elsewhere.get(focus);
  }

  #speak(): Stay {
    const { ice, ssrc, cname, reconnectTimeoutMs } = this.#options;
    const againMs = Math.min(patience.againMs, reconnectTimeoutMs);
    return new Stay(
      { ice, voice: { ssrc, cname, codecs: () => this.#voices } },
      { ...patience, againMs },
      {
        ...this.#stayReports(undefined),
        speaks: (format) => {
          this.#spoken = format;
          this.#reports.speaks(format);
        },
        up: () => {
          this.#wasUp = true;
          this.#wasTogether = false;
          this.#reports.connected();
          this.#watch();
        },
        lost: () => this.#endAbsence(),
        over: () => {
          this.#leave();
          if (this.#wasUp) this.#reports.gone("lost");
          else this.#reports.failed("not let in at the media server");
        },
      },
    );
  }

  /** Wherever somebody of the call is heard whom we do not hear at home; and nowhere else. */
  #listen(): void {
    for (const [focus, stay] of this.#elsewhere)
      if (!this.#participants.has(focus)) {
        stay.close();
        this.#elsewhere.delete(focus);
      }
    for (const focus of this.#participants.keys()) {
      if (focus === undefined || this.#elsewhere.get(focus)?.isOver === false) continue;
      const options = { ice: this.#options.ice, voice: undefined };
      this.#elsewhere.set(focus, new Stay(options, listeningPatience, this.#stayReports(focus)));
    }
  }

  #stayReports(focus: FocusId | undefined): StayReports {
    return {
      wanted: () => this.#reports.wanted(focus),
      speaks: () => undefined,
      up: () => this.#watch(),
      attended: () => this.#watch(),
      lost: () => this.#watch(),
      over: () => this.#watch(),
      rtp: (identity, packet) =>
        this.#reports.guard(() => this.#hear(this.#participants.get(focus)?.get(identity), packet)),
      rtcp: (packet) => this.#reports.rtcp(packet),
      log: (level, message, fields) => this.#reports.log(level, message, { focus, ...fields }),
    };
  }

  #leave(): void {
    this.#heard.close();
    this.#endAbsence();
    this.#expectNobody();
    this.#home?.close();
    for (const stay of this.#elsewhere.values()) stay.close();
  }

  #expectNobody(): void {
    clearTimeout(this.#late);
    this.#late = undefined;
  }

  #meet(isAnybody: boolean): void {
    const before = this.#meeting;
    this.#meeting = isAnybody ? "somebody" : "nobody";
    if (before !== this.#meeting && (before === "nobody" || !isAnybody)) this.#reports.met(isAnybody);
  }

  /** Where all belong to other servers than we reach, it is not known who is there. */
  #mayBeAlone(): boolean {
    const foci = [...this.#participants.keys()];
    return this.#meeting === "unknown" && foci.length > 0 && foci.every((focus) => this.#stayAt(focus)?.isUp === true);
  }

  #endAbsence(): void {
    clearTimeout(this.#absence);
    this.#absence = undefined;
  }

  /** Are those who belong to the call at the server? Whoever was there, and is not any more, has died with their client. */
  #watch(): void {
    if (!this.isConnected) return;
    if (this.#isTogether()) {
      this.#wasTogether = true;
      this.#endAbsence();
      this.#expectNobody();
      this.#meet(true);
      this.#reports.alive();
    } else if (this.#wasTogether)
      this.#absence ??= setTimeout(() => {
        this.#leave();
        this.#reports.log("info", "the person's clients have left the media server", {});
        this.#reports.gone("closed");
      }, absentMs);
    else if (this.#mayBeAlone()) this.#late ??= setTimeout(() => this.#meet(false), aloneMs);
  }

  /** While a server where we listen is lost we do not know who is still there. */
  #isTogether(): boolean {
    return [...this.#participants].some(([focus, there]) => {
      const stay = this.#stayAt(focus);
      return stay?.isReturning === true || [...there.keys()].some((identity) => stay?.isHere(identity));
    });
  }

  #hear(opener: FrameOpener | undefined, packet: Buffer): void {
    const header = readRtp(packet);
    if (opener === undefined || header === undefined || heardAt(header.payloadType) === undefined) return;
    const payload = packet.subarray(header.start, header.end);
    const frame = this.#sealer === undefined ? payload : opener.open(payload);
    if (frame === undefined) this.#unread += 1;
    else this.#heard.hear(header, frame);
  }
}
