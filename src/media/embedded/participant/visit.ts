// One stay at a media server, from an admission until it is lost or we leave: the signalling, and the connection that the
// server has from it.
import type { Candidate } from "../../../core/sdp/candidate.ts";
import type { Format } from "../../../core/sdp/format.ts";
import type { Admission } from "../../../ports/conference.ts";
import { Attendees } from "./attendees.ts";
import { readAnswer } from "./server-answer.ts";
import { ServerConnection, type ConnectionOptions, type SpokenStream } from "./server-connection.ts";
import { offer, trackRequest, trickle, type Joined, type ServerSignal } from "./signal.ts";
import { opusFormat, spokenFormat } from "./track-formats.ts";
import { SignalSocket } from "./signal-socket.ts";

export interface VisitReports {
  /** In which codec we speak here, from before media can flow. */
  speaks(format: Format): void;
  /** The server has said that it takes that codec, and does not. */
  untaken(): void;
  /** Media can flow. */
  up(): void;
  /** Over for good, by nobody's wish here. `isFinal`: we are not wanted any more. */
  over(reason: string, isFinal: boolean): void;
  /** Somebody has come, gone, or is still there. */
  attended(): void;
  rtp(identity: string, packet: Buffer): void;
  rtcp(packet: Buffer): void;
}

/** What we have to say. */
export interface Speech extends Omit<SpokenStream, "format"> {
  /** In which codecs it comes, or may come, the likeliest first. */
  readonly codecs: () => readonly string[];
}

export interface VisitOptions extends Pick<ConnectionOptions, "ice"> {
  /** Undefined: we only listen. */
  readonly voice: Speech | undefined;
  /** Whether what we say is. */
  readonly isEncrypted: boolean;
}

/** From the admission until media can flow. */
const enteringMs = 10_000;
const mostEarly = 64;

/** Our offers: one at a time. */
interface Offers {
  /** The number of the last one. */
  last: number;
  isOpen: boolean;
  /** Sections that the next one has more; undefined: none is wanted. */
  more: number | undefined;
}

export class Visit {
  readonly attendees = new Attendees();
  readonly #options: VisitOptions;
  readonly #reports: VisitReports;
  readonly #socket: SignalSocket;
  readonly #offers: Offers = { last: 0, isOpen: false, more: undefined };
  /**
   * Candidates from before the server's first answer, its own and ours. A server that knew ours could begin before we know its
   * fingerprint, and the library fails such a handshake.
   */
  #early: { readonly theirs: Candidate[]; readonly ours: Uint8Array[] } | undefined = { theirs: [], ours: [] };
  readonly #entering: NodeJS.Timeout;
  #connection: ServerConnection | undefined;
  #spoken: Format | undefined;
  #injected: Buffer | undefined;
  #isOver = false;

  /** Throws where the address of the server is none. */
  constructor(admission: Admission, options: VisitOptions, reports: VisitReports) {
    this.#options = options;
    this.#reports = reports;
    this.#socket = new SignalSocket(admission, {
      signal: (signal) => this.#take(signal),
      over: (reason, isFinal) => this.#end(reason, isFinal),
    });
    this.#entering = setTimeout(() => this.#end("no media in time"), enteringMs);
  }

  /** RTP or RTCP; false where it cannot be sent now. */
  send(packet: Buffer): boolean {
    return this.#connection?.send(packet) ?? false;
  }

  /** We leave. Nothing is reported any more. */
  close(): void {
    this.#isOver = true;
    clearTimeout(this.#entering);
    this.#socket.close();
    this.#connection?.close();
  }

  #take(signal: ServerSignal): void {
    try {
      this.#act(signal);
    } catch (error) {
      this.#end(error instanceof Error ? error.message : String(error));
    }
  }

  #act(signal: ServerSignal): void {
    switch (signal.kind) {
      case "joined":
        if (this.#connection === undefined)
          void this.#publish(signal).catch((error: unknown) => this.#end(String(error)));
        return;
      case "attendees":
        this.attendees.learn(signal.attendees);
        this.#reports.attended();
        return;
      case "answer":
        if (signal.offer === this.#offers.last && this.#offers.isOpen) this.#answered(signal);
        return;
      case "candidate":
        if (this.#early === undefined) this.#connection?.addCandidate(signal.candidate);
        else if (this.#early.theirs.length < mostEarly) this.#early.theirs.push(signal.candidate);
        return;
      case "sections":
        this.#offers.more = (this.#offers.more ?? 0) + signal.more;
        this.#offer();
        return;
      case "left":
      case "other":
        // Shows that the server is there.
        this.#reports.attended();
    }
  }

  async #publish(joined: Joined): Promise<void> {
    this.attendees.learn(joined.attendees);
    this.#injected = joined.injected;
    const { ice, voice, isEncrypted } = this.#options;
    const format = voice && spokenFormat(voice.codecs(), joined.codecs);
    const stream = voice && format && { ...voice, format };
    if (format !== undefined) this.#reports.speaks(format);
    this.#spoken = format;
    const connection = await ServerConnection.open(
      { ice, stream, iceServers: joined.turnServers },
      {
        candidate: (candidate, mid) => this.#tell(trickle(candidate, mid)),
        connected: () => {
          clearTimeout(this.#entering);
          this.#reports.up();
        },
        gone: () => this.#end("the connection was lost"),
        rtp: (mid, packet) => this.#heard(mid, packet),
        rtcp: (packet) => this.#reports.rtcp(packet),
      },
    );
    if (this.#isOver) {
      connection.close();
      return;
    }
    this.#connection = connection;
    if (voice !== undefined) this.#socket.send(trackRequest({ cid: voice.cid, isEncrypted }));
    this.#offers.more = 0;
    this.#offer();
  }

  #tell(candidate: Uint8Array): void {
    if (this.#early === undefined) this.#socket.send(candidate);
    else this.#early.ours.push(candidate);
  }

  /** If one is wanted, and none is under way. */
  #offer(): void {
    const { more, isOpen } = this.#offers;
    if (this.#connection === undefined || more === undefined || isOpen) return;
    this.#offers.more = undefined;
    this.#offers.isOpen = true;
    this.#offers.last += 1;
    this.#socket.send(offer(this.#offers.last, this.#connection.offer(more)));
  }

  #answered({ sdp, tracks }: ServerSignal & { readonly kind: "answer" }): void {
    const answer = readAnswer(sdp);
    const spoken = this.#spoken;
    if (spoken !== undefined && spoken !== opusFormat && this.#connection?.isTaken(answer) === false) {
      this.#reports.untaken();
      throw new Error(`the server does not take ${spoken.name}`);
    }
    this.#connection?.answered(answer);
    this.attendees.place(tracks);
    this.#offers.isOpen = false;
    const early = this.#early;
    this.#early = undefined;
    for (const candidate of early?.theirs ?? []) this.#connection?.addCandidate(candidate);
    for (const candidate of early?.ours ?? []) this.#socket.send(candidate);
    this.#offer();
  }

  #heard(mid: string, packet: Buffer): void {
    const { attendees } = this;
    const identity = attendees.identityAt(mid);
    // What the server puts in by itself is nobody's sound.
    const isInjected = this.#injected !== undefined && packet.subarray(-this.#injected.length).equals(this.#injected);
    if (identity !== undefined && !isInjected) this.#reports.rtp(identity, packet);
  }

  #end(reason: string, isFinal = false): void {
    if (this.#isOver) return;
    this.close();
    this.#reports.over(reason, isFinal);
  }
}
