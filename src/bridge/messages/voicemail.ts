// News of voice mailboxes (RFC 3842): the bot tells a mailbox's owners, but only what is new to them.
import type { TrunkName, UserId } from "../../core/ids.ts";
import type { Clock } from "../../ports/clock.ts";
import { HomeserverError, type Homeserver } from "../../ports/homeserver.ts";
import type { MessageWaiting } from "../../ports/sip.ts";
import type { Settings } from "../../ports/store.ts";
import { Tally } from "../../ports/tally.ts";
import type { Log } from "../../ports/telemetry.ts";
import { LatestOnly } from "../limits/latest-only.ts";
import type { Conversations } from "../rooms/conversations.ts";

export interface VoicemailParts {
  /** Whose mailbox it is; nobody's where the configuration knows no such account. */
  readonly owners: (account: string, trunk: TrunkName) => readonly UserId[];
  readonly conversations: Pick<Conversations, "open">;
  readonly homeserver: Pick<Homeserver, "bot" | "notice">;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly log: Log;
}

/** Between two messages of the bot about one mailbox. */
const newsEveryMs = 10_000;

const none = "No new voice messages.";

export class Voicemail {
  readonly #parts: VoicemailParts;
  /** By mailbox, what is to be told next: while one thing is being told, only the latest waits. */
  readonly #latest = new Map<string, MessageWaiting>();
  readonly #nobodys: Tally;
  readonly #news: LatestOnly<string, MessageWaiting>;
  readonly #telling = new Set<string>();

  constructor(parts: VoicemailParts) {
    this.#parts = parts;
    const { log, clock } = parts;
    this.#nobodys = new Tally(log, clock, "news ignored: voicemail.accounts does not say whose voice mailbox this is");
    this.#news = new LatestOnly(newsEveryMs, clock, (mailbox, news) => this.#heard(mailbox, news));
  }

  /** Never throws. */
  messageWaiting(news: MessageWaiting): void {
    const { trunk, account } = news;
    if (this.#parts.owners(account, trunk).length === 0) this.#nobodys.add({ trunk, account });
    else this.#news.take(`${trunk} ${account}`, news);
  }

  stop(): void {
    this.#news.stop();
  }

  #heard(mailbox: string, news: MessageWaiting): void {
    this.#latest.set(mailbox, news);
    if (this.#telling.has(mailbox)) return;
    this.#telling.add(mailbox);
    void this.#tellAll(mailbox).finally(() => this.#telling.delete(mailbox));
  }

  async #tellAll(mailbox: string): Promise<void> {
    for (let news = this.#latest.get(mailbox); news !== undefined; news = this.#latest.get(mailbox)) {
      this.#latest.delete(mailbox);
      const { trunk, account } = news;
      const owners = this.#parts.owners(account, trunk);
      const words = wordsOf(news);
      await Promise.all(owners.map((person) => this.#tell(mailbox, person, words)));
    }
  }

  /** What was told is remembered only when it has been said, so that it is said again with the next news. */
  async #tell(mailbox: string, person: UserId, words: string): Promise<void> {
    const { conversations, homeserver, settings, log } = this.#parts;
    const key = `voicemail ${mailbox} ${person}`;
    try {
      if (((await settings.get(key)) ?? none) === words) return;
      const { room } = await conversations.open(person, homeserver.bot);
      await homeserver.notice(room, homeserver.bot, words);
      await settings.set(key, words);
    } catch (error) {
      const code = error instanceof HomeserverError ? error.code : undefined;
      log.warn("could not tell the owner of a voice mailbox", { person, code, error });
    }
  }
}

/** Summaries may say that something waits without saying how much (RFC 3842 s3.5). */
function wordsOf({ waiting, newMessages, oldMessages }: MessageWaiting): string {
  const old = oldMessages > 0 ? ` (${oldMessages} old)` : "";
  if (newMessages === 1) return `You have 1 new voice message${old}.`;
  if (newMessages > 1) return `You have ${newMessages} new voice messages${old}.`;
  return waiting ? `You have new voice messages${old}.` : none;
}
