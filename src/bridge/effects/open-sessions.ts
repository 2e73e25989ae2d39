// Remembers which media session each call has, to ask it for statistics.
import type { MediaStats } from "../../core/call/model/media-stats.ts";
import type { CallId } from "../../core/ids.ts";
import type { CallMedia, MediaSession } from "../../ports/media.ts";

export class OpenSessions implements Pick<CallMedia, "open" | "forget"> {
  readonly #media: CallMedia;
  readonly #sessions = new Map<CallId, MediaSession>();

  constructor(media: CallMedia) {
    this.#media = media;
  }

  open: CallMedia["open"] = async (options, report) => {
    const session = await this.#media.open(options, report);
    this.#sessions.set(options.call, session);
    return session;
  };

  forget(leg: CallId): void {
    this.#media.forget(leg);
  }

  /** Undefined where the call has no media yet, or not any more. Never rejects. */
  async stats(call: CallId): Promise<MediaStats | undefined> {
    return this.#sessions
      .get(call)
      ?.stats()
      .catch(() => undefined);
  }

  over(call: CallId): void {
    this.#sessions.delete(call);
  }
}
