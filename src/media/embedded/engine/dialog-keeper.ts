// Where each trunk dialog is and what it was sent, kept outside of the workers: a session that another one follows, and a
// worker that dies, take none of it with them.
import { mediaEnds, type MediaEnd } from "../../../core/media-end.ts";
import type { CallId } from "../../../core/ids.ts";
import { clockMs } from "../base/clock.ts";
import type { EndDialogs } from "../session/protocol.ts";
import { sentBeyond, type DialogMedia, type EndMarks } from "../trunk/dialog-media.ts";

/** Whose dialogs they are, of the ends where trunks stand. */
export type EndLegs = Partial<Record<MediaEnd, CallId>>;

/** Where a dialog's media is now. */
interface Holder {
  readonly session: number;
  readonly end: MediaEnd;
  readonly rtpPort: number;
  /** As of the last description and the last mark; undefined before the first. */
  readonly media: DialogMedia | undefined;
  readonly markedAtMs: number;
}

/** Between two sessions. */
export interface KeptDialog {
  readonly rtpPort: number;
  readonly media: DialogMedia;
  readonly atMs: number;
}

export class DialogKeeper {
  readonly #holders = new Map<CallId, Holder>();
  readonly #kept = new Map<CallId, KeptDialog>();
  readonly #legs = new Map<number, EndLegs>();

  /** The session and end that has the leg's dialog now. */
  holderOf(leg: CallId): Pick<Holder, "session" | "end"> | undefined {
    return this.#holders.get(leg);
  }

  /** `before`: as the session before has left them. */
  hold(
    session: number,
    legs: EndLegs,
    rtpPorts: Partial<Record<MediaEnd, number>>,
    before: Partial<Record<MediaEnd, KeptDialog>>,
  ): void {
    this.#legs.set(session, legs);
    const markedAtMs = clockMs();
    for (const end of mediaEnds) {
      const [leg, rtpPort] = [legs[end], rtpPorts[end]];
      if (leg !== undefined && rtpPort !== undefined)
        this.#holders.set(leg, { session, end, rtpPort, media: before[end]?.media, markedAtMs });
    }
  }

  described(session: number, dialogs: EndDialogs): void {
    const markedAtMs = clockMs();
    this.#update(session, (holder) => ({ ...holder, media: dialogs[holder.end] ?? holder.media, markedAtMs }));
  }

  marked(session: number, marks: EndMarks): void {
    const markedAtMs = clockMs();
    this.#update(session, (holder) => {
      const sent = marks[holder.end];
      if (sent === undefined || holder.media === undefined) return holder;
      return { ...holder, media: { ...holder.media, sent }, markedAtMs };
    });
  }

  /** The session has let go of the leg, at exactly this state. */
  handedOver(leg: CallId, media: DialogMedia): void {
    const holder = this.#holders.get(leg);
    if (holder === undefined) return;
    this.#holders.delete(leg);
    this.#kept.set(leg, { rtpPort: holder.rtpPort, media, atMs: clockMs() });
  }

  /** The process that had the session is gone, and with it what it sent after its last mark. */
  lost(session: number): void {
    const nowMs = clockMs();
    for (const leg of this.#legsOf(session)) {
      const { media, markedAtMs, rtpPort } = this.#holders.get(leg) ?? {};
      if (media === undefined || rtpPort === undefined || markedAtMs === undefined) continue;
      const sent = sentBeyond(media.sent, nowMs - markedAtMs);
      this.#kept.set(leg, { rtpPort, media: { ...media, sent }, atMs: nowMs });
    }
    this.over(session);
  }

  /** The session has ended, and no other one follows. */
  over(session: number): void {
    for (const leg of this.#legsOf(session)) this.#holders.delete(leg);
    this.#legs.delete(session);
  }

  /** For the session that follows; its stream has been quiet meanwhile. */
  take(leg: CallId): KeptDialog | undefined {
    const kept = this.#kept.get(leg);
    this.#kept.delete(leg);
    if (kept === undefined) return undefined;
    const { rtpPort, media, atMs } = kept;
    const nowMs = clockMs();
    const { stream } = media.sent;
    const quietMs = stream.quietMs === undefined ? undefined : stream.quietMs + (nowMs - atMs);
    return { rtpPort, media: { ...media, sent: { ...media.sent, stream: { ...stream, quietMs } } }, atMs: nowMs };
  }

  /** The session that was to follow could not be opened. */
  putBack(legs: EndLegs, before: Partial<Record<MediaEnd, KeptDialog>>): void {
    for (const end of mediaEnds) {
      const [leg, kept] = [legs[end], before[end]];
      if (leg !== undefined && kept !== undefined) this.#kept.set(leg, kept);
    }
  }

  forget(leg: CallId): void {
    this.#kept.delete(leg);
  }

  #legsOf(session: number): readonly CallId[] {
    const legs = this.#legs.get(session);
    return mediaEnds
      .map((end) => legs?.[end])
      .filter((leg) => leg !== undefined)
      .filter((leg) => this.#holders.get(leg)?.session === session);
  }

  #update(session: number, change: (holder: Holder) => Holder): void {
    for (const leg of this.#legsOf(session)) {
      const holder = this.#holders.get(leg);
      if (holder !== undefined) this.#holders.set(leg, change(holder));
    }
  }
}
