// Media that keeps what it was told, and answers as the test says.
import type { MediaEnd } from "../../src/core/media-end.ts";
import { noMediaStats } from "../../src/core/call/model/media-stats.ts";
import type { CallId } from "../../src/core/ids.ts";
import type {
  EndOptions,
  CallMedia,
  MediaError,
  MediaHealth,
  MediaReport,
  MediaSession,
  MediaSessionOptions,
  OfferOutcome,
} from "../../src/ports/media.ts";

/** What may be spoken at an end. */
export function codecsOf(end: EndOptions): readonly string[] {
  return end.kind === "client" ? end.codecs : end.media.codecs;
}

/** Whose dialog is at an end, where a trunk is. */
export function legOf(end: EndOptions): CallId | undefined {
  return end.kind === "trunk" ? end.leg : undefined;
}

export class FakeMedia implements CallMedia {
  readonly orders: string[] = [];
  readonly reports = new Map<CallId, (fact: MediaReport) => void>();
  /** What each session was opened with. */
  readonly opened: MediaSessionOptions[] = [];
  /** What its sessions say of themselves. */
  measured = noMediaStats;
  statsFail = false;
  unheard: readonly MediaEnd[] = [];
  /** Legs whose dialogs are over. */
  readonly forgotten: CallId[] = [];
  refusal: MediaError | undefined;
  /** Set to make an order throw what it never should. */
  defect: Error | undefined;
  /** Nothing that is put to it is ever answered. */
  stuck = false;
  outcome: OfferOutcome = { kind: "forward", sdp: "trunk offer" };

  /** Set to have it not start. */
  startFailure: MediaError | undefined;
  async start(): Promise<void> {
    if (this.startFailure !== undefined) throw this.startFailure;
  }
  async stop(): Promise<void> {}
  health(): MediaHealth {
    return { ready: true, sessions: 0, free: 1, detail: "" };
  }
  forget(leg: CallId): void {
    this.forgotten.push(leg);
  }
  async open(options: MediaSessionOptions, report: (fact: MediaReport) => void): Promise<MediaSession> {
    if (this.refusal !== undefined) throw this.refusal;
    this.reports.set(options.call, report);
    this.opened.push(options);
    const note = (order: string): void => {
      this.orders.push(order);
      if (this.defect !== undefined) throw this.defect;
    };
    return {
      untold: undefined,
      offer: async (from, sdp) => {
        note(`offer ${from} ${sdp}`);
        return this.outcome;
      },
      answer: async (from, sdp) => {
        note(`answer ${from} ${sdp}`);
        if (this.stuck) await new Promise(() => {});
        return "client answer";
      },
      settle: async (from) => {
        note(`settle ${from}`);
        return "settled";
      },
      describe: async (end) => {
        note(`describe ${end}`);
        return "description";
      },
      cross: async (from, sdp) => {
        note(`cross ${from} ${sdp}`);
        return { a: "client answer", b: "trunk answer" };
      },
      sendDtmf: (to, digit) => note(`dtmf ${to} ${digit}`),
      addCandidates: (candidates) => note(`candidates ${candidates.length}`),
      stats: async () => {
        if (this.statsFail) throw new Error("the session is gone");
        return this.measured;
      },
      unheard: async () => this.unheard,
      handOver: async (end) => note(`hand over ${end}`),
      close: async () => {
        this.orders.push("close");
        return noMediaStats;
      },
    };
  }
}
