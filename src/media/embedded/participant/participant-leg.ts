// The leg towards a person in a conference: what they and the others of the call say at the media server, and what the
// telephone says to them.
import type { Admission, Attendance } from "../../../ports/conference.ts";
import type { Leg, LegReports } from "../base/leg.ts";
import type { WorkerSettings } from "../base/settings.ts";
import { readRtp, writeRtp } from "../rtp/rtp-packet.ts";
import { FrameOpener, FrameSealer } from "./frame-cipher.ts";
import { opusPayloadType } from "./server-connection.ts";
import { Stay } from "./stay.ts";
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
  wanted(): void;
  /** The person is there, also where nothing is heard of them. */
  alive(): void;
}

/** When a server takes seconds to start again, other clients wait as long. */
const patience = { firstMs: 10_000, againMs: 18_000, pauseMs: 500 };
/** Somebody who leaves and comes back so soon has changed the network. */
const absentMs = 5000;

export class ParticipantLeg implements Leg {
  readonly #options: ParticipantOptions;
  readonly #reports: ParticipantReports;
  readonly #voices: Voices;
  readonly #openers = new Map<string, FrameOpener>();
  #sealer: FrameSealer | undefined;
  /** Undefined until we know who is in the call. */
  #stay: Stay | undefined;
  #wasUp = false;
  /** Since we came in last. */
  #wasTogether = false;
  #absence: NodeJS.Timeout | undefined;
  #unread = 0;

  constructor(options: ParticipantOptions, reports: ParticipantReports) {
    this.#options = options;
    this.#reports = reports;
    this.#voices = new Voices((packet) => this.#reports.rtp(packet));
  }

  get isConnected(): boolean {
    return this.#stay?.isUp === true;
  }

  /** Who is in the call from now on. The first time, we ask to be let in. */
  attend({ participants, ownKey }: Attendance): void {
    for (const identity of this.#openers.keys())
      if (!participants.some((each) => each.identity === identity)) this.#openers.delete(identity);
    for (const { identity, keys } of participants) {
      const opener = this.#openers.get(identity) ?? new FrameOpener();
      opener.learn(keys);
      this.#openers.set(identity, opener);
    }
    if (ownKey === undefined) this.#sealer = undefined;
    else if (this.#sealer?.isFor(ownKey) !== true) this.#sealer = new FrameSealer(ownKey);
    if (this.#stay === undefined) this.#stay = this.#begin();
    else this.#watch();
  }

  /** Undefined: there is none now. */
  enter(admission: Admission | undefined): void {
    this.#stay?.enter(admission, this.#sealer !== undefined);
  }

  sendRtp(packet: Buffer): boolean {
    const header = readRtp(packet);
    // The server knows our track as Opus alone: digits have no place in it.
    if (this.#stay === undefined || header?.payloadType !== opusPayloadType) return false;
    if (this.#sealer === undefined) return this.#stay.send(packet);
    return this.#stay.send(writeRtp(header, this.#sealer.seal(packet.subarray(header.start, header.end))));
  }

  sendRtcp(packet: Buffer): void {
    this.#stay?.send(packet);
  }

  async close(): Promise<void> {
    if (this.#unread > 0) this.#reports.log("info", "frames without a key that opens them", { count: this.#unread });
    this.#leave();
  }

  #begin(): Stay {
    const { ice, ssrc, cname, reconnectTimeoutMs } = this.#options;
    const againMs = Math.min(patience.againMs, reconnectTimeoutMs);
    return new Stay(
      { ice, ssrc, cname },
      { ...patience, againMs },
      {
        wanted: () => this.#reports.wanted(),
        up: () => {
          this.#wasUp = true;
          this.#wasTogether = false;
          this.#reports.connected();
          this.#watch();
        },
        attended: () => this.#watch(),
        lost: () => this.#endAbsence(),
        over: () => {
          this.#leave();
          if (this.#wasUp) this.#reports.gone("lost");
          else this.#reports.failed("not let in at the media server");
        },
        rtp: (identity, packet) => this.#hear(identity, packet),
        rtcp: (packet) => this.#reports.rtcp(packet),
        log: (level, message, fields) => this.#reports.log(level, message, fields),
      },
    );
  }

  #leave(): void {
    this.#voices.close();
    this.#endAbsence();
    this.#stay?.close();
  }

  #endAbsence(): void {
    clearTimeout(this.#absence);
    this.#absence = undefined;
  }

  /** Are those who belong to the call at the server? Whoever was there, and is not any more, has died with their client. */
  #watch(): void {
    if (!this.isConnected) return;
    const isTogether = [...this.#openers.keys()].some((identity) => this.#stay?.isHere(identity));
    if (isTogether) {
      this.#wasTogether = true;
      this.#endAbsence();
      this.#reports.alive();
    } else if (this.#wasTogether)
      this.#absence ??= setTimeout(() => {
        this.#leave();
        this.#reports.log("info", "the person's clients have left the media server", {});
        this.#reports.gone("closed");
      }, absentMs);
  }

  #hear(identity: string, packet: Buffer): void {
    const opener = this.#openers.get(identity);
    const header = readRtp(packet);
    if (opener === undefined || header?.payloadType !== opusPayloadType) return;
    const payload = packet.subarray(header.start, header.end);
    const frame = this.#sealer === undefined ? payload : opener.open(payload);
    if (frame === undefined) this.#unread += 1;
    else this.#voices.hear(header, frame);
  }
}
