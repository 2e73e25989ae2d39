// Tells one address over HTTP what happens in the bridge. Messages are kept until they are taken or given up, over restarts
// too; those about one call are told in their order.
import type { AdminDoor } from "../../ports/admin/admin-door.ts";
import type { BridgeEvent, Overrun } from "../../ports/admin/bridge-event.ts";
import type { Clock } from "../../ports/clock.ts";
import type { WebhookMessage, WebhookQueue } from "../../ports/store.ts";
import { Tally } from "../../ports/tally.ts";
import type { Log } from "../../ports/telemetry.ts";
import { eventOf } from "../admin/wire/events.ts";
import { createPoster, type Poster, type Told } from "./post.ts";
import { signedHeaders, webhookKey } from "./signature.ts";

export interface WebhookParts {
  readonly door: Pick<AdminDoor, "subscribe">;
  readonly queue: WebhookQueue;
  readonly poster: Poster;
  /** With which messages are signed. */
  readonly key: Buffer;
  readonly events: ReadonlySet<BridgeEvent["kind"]>;
  readonly clock: Clock;
  readonly log: Log;
}

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
/** After each refusal of a message; it is given up after the last one. */
const refusedWaitsMs = [5 * secondMs, 30 * secondMs, 5 * minuteMs, 30 * minuteMs, 2 * hourMs, 5 * hourMs, 10 * hourMs];
/** Between attempts while nobody takes anything; each is twice the one before, up to the second. */
const awayWaitMs = { first: 5 * secondMs, longest: 5 * minuteMs };
/** Nobody wants to know what happened longer ago than this. */
const oldestMs = 48 * hourMs;
const mostWaiting = 10_000;
const atOnce = 16;

export class Webhook {
  readonly #parts: WebhookParts;
  readonly #tooMany: Tally;
  readonly #unstored: Tally;
  readonly #givenUp: Tally;
  /** In the order in which they happened. */
  readonly #waiting = new Map<string, WebhookMessage>();
  /** Undefined while messages are taken. */
  #away: { readonly sinceMs: number; readonly untilMs: number; readonly waitMs: number } | undefined;
  #unsubscribe: () => void = () => {};
  #cancel: () => void = () => {};
  #round: Promise<void> | undefined;
  #isStopped = false;

  constructor(parts: WebhookParts) {
    const { log, clock } = parts;
    this.#parts = parts;
    this.#tooMany = new Tally(log, clock, "webhook: an event is not told, too many wait already");
    this.#unstored = new Tally(
      log,
      clock,
      "webhook: the store does not keep what is to be told; it is lost in a restart",
    );
    this.#givenUp = new Tally(log, clock, "webhook: a message is given up");
  }

  /** Begins with what an earlier process left. Throws StoreError. */
  async start(): Promise<void> {
    const { queue, door } = this.#parts;
    for (const message of await queue.waiting(mostWaiting)) this.#waiting.set(message.id, message);
    this.#unsubscribe = door.subscribe((event) => this.#take(event));
    this.#tell();
  }

  /** What still waits is told after the next start. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#unsubscribe();
    this.#cancel();
    await this.#parts.poster.close();
    await this.#round;
  }

  async #take(event: BridgeEvent | Overrun): Promise<void> {
    const { queue, clock, events, log } = this.#parts;
    if (event.kind === "feed.overrun") {
      log.warn("webhook: events are not told, too many came at once", { missed: event.missed });
      return;
    }
    if (!events.has(event.kind)) return;
    if (this.#waiting.size >= mostWaiting) {
      this.#tooMany.add();
      return;
    }
    const { atMs } = event;
    const message = { id: clock.newId(), ...contentOf(event), atMs, dueAtMs: atMs, attempts: 0 };
    this.#waiting.set(message.id, message);
    await this.#stored(queue.add(message));
    this.#tell();
  }

  #tell(): void {
    if (this.#round !== undefined || this.#isStopped) return;
    this.#cancel();
    this.#round = this.#tellDue().finally(() => {
      this.#round = undefined;
      this.#plan();
    });
  }

  async #tellDue(): Promise<void> {
    for (let due = this.#due(); due.length > 0 && !this.#isStopped; due = this.#due()) {
      const told = await Promise.all(due.map((message) => this.#attempt(message)));
      this.#heard(told);
    }
  }

  /** The first about each subject, if it is due; one alone as long as nobody takes anything. */
  #due(): readonly WebhookMessage[] {
    const nowMs = this.#parts.clock.wallMs();
    if (this.#away !== undefined && this.#parts.clock.nowMs() < this.#away.untilMs) return [];
    return this.#firsts()
      .filter(({ dueAtMs }) => dueAtMs <= nowMs)
      .slice(0, this.#away === undefined ? atOnce : 1);
  }

  #firsts(): readonly WebhookMessage[] {
    const subjects = new Map<string, WebhookMessage>();
    for (const message of this.#waiting.values())
      if (!subjects.has(message.subject)) subjects.set(message.subject, message);
    return [...subjects.values()];
  }

  /** Sees to it that the next one is told when it is due. */
  #plan(): void {
    const { clock } = this.#parts;
    const first = Math.min(...this.#firsts().map(({ dueAtMs }) => dueAtMs));
    if (this.#isStopped || first === Infinity) return;
    const inMs = Math.max(0, first - clock.wallMs());
    this.#cancel = clock.at(Math.max(clock.nowMs() + inMs, this.#away?.untilMs ?? 0), () => this.#tell());
  }

  /** Undefined: it was not tried. */
  async #attempt(message: WebhookMessage): Promise<Told | undefined> {
    const { poster, key, clock, queue } = this.#parts;
    const { id, body, attempts } = message;
    const atMs = clock.wallMs();
    if (atMs - message.atMs > oldestMs) {
      await this.#giveUp(message, "it is two days old");
      return undefined;
    }
    const told = await poster.post(signedHeaders(key, { id, body, atMs }), body);
    if (told.kind === "taken") await this.#forget(id);
    if (told.kind !== "refused") return told;
    const waitMs = refusedWaitsMs[attempts];
    if (waitMs === undefined) {
      await this.#giveUp(message, told.why);
      return told;
    }
    const again = { attempts: attempts + 1, dueAtMs: clock.wallMs() + waitMs };
    this.#waiting.set(id, { ...message, ...again });
    await this.#stored(queue.failed(id, again.attempts, again.dueAtMs));
    return told;
  }

  #heard(told: readonly (Told | undefined)[]): void {
    const { clock, log } = this.#parts;
    const nowMs = clock.nowMs();
    const missed = told.find((one) => one?.kind === "away");
    if (this.#isStopped || told.every((one) => one === undefined)) return;
    if (missed === undefined) {
      if (this.#away !== undefined)
        log.info("webhook: messages are taken again", { forMs: nowMs - this.#away.sinceMs });
      this.#away = undefined;
      return;
    }
    const waitMs = Math.min((this.#away?.waitMs ?? awayWaitMs.first / 2) * 2, awayWaitMs.longest);
    if (this.#away === undefined)
      log.warn("webhook: nobody takes messages; they are kept for two days: check webhook.url", {
        reason: missed.why,
        waiting: this.#waiting.size,
      });
    this.#away = {
      sinceMs: this.#away?.sinceMs ?? nowMs,
      untilMs: nowMs + Math.max(waitMs, missed.afterMs ?? 0),
      waitMs,
    };
  }

  async #giveUp({ id, attempts }: WebhookMessage, reason: string): Promise<void> {
    this.#givenUp.add({ message: id, attempts: attempts + 1, reason });
    await this.#forget(id);
  }

  #forget(id: string): Promise<void> {
    this.#waiting.delete(id);
    return this.#stored(this.#parts.queue.remove(id));
  }

  async #stored(change: Promise<void>): Promise<void> {
    try {
      await change;
    } catch (error) {
      this.#unstored.add({ error });
    }
  }
}

export interface WebhookSettings {
  readonly url: string;
  /** `whsec_` and base64. */
  readonly secret: string;
  readonly events: ReadonlySet<BridgeEvent["kind"]>;
}

export function createWebhook(
  { url, secret, events }: WebhookSettings,
  { version, ...parts }: Pick<WebhookParts, "door" | "queue" | "clock" | "log"> & { readonly version: string },
): Webhook {
  const poster = createPoster(url, `matrix-appservice-sip/${version}`);
  return new Webhook({ ...parts, poster, key: webhookKey(secret), events });
}

function contentOf(event: BridgeEvent): Pick<WebhookMessage, "subject" | "body"> {
  const { kind: type, ...rest } = eventOf(event);
  const { at: timestamp, ...data } = { at: undefined, ...rest };
  return { subject: subjectOf(event), body: JSON.stringify({ type, timestamp, data }) };
}

function subjectOf(event: BridgeEvent): string {
  if ("call" in event) return event.call.id;
  if ("record" in event) return event.record.id;
  return "trunk" in event ? `trunk ${event.trunk}` : "bridge";
}
