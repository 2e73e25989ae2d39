// What the homeserver tells one device: the to-device messages for it, whose devices have changed, how many one-time keys are
// left. It is pushed in transactions where the registration asks for that, and fetched by `/sync` otherwise, or where
// something is missing. The homeserver does not know what of it has arrived, so that each message is taken once here.
import { createHash } from "node:crypto";
import { z } from "zod";
import { parseUserId, type UserId } from "../../core/ids.ts";
import { RecentMap } from "../../core/recent-map.ts";
import type { Clock } from "../../ports/clock.ts";
import { HomeserverError } from "../../ports/homeserver.ts";
import type { MatrixRequest } from "../client/homeserver-client.ts";
import { type DeviceLists, type PushedNews, readToDevice, type ToDeviceEvent } from "../wire/pushed-news.ts";
import { canonical } from "./canonical-json.ts";
import type { DeviceNews } from "./protocol.ts";
import type { Pushing } from "./pushing.ts";

export interface DeviceMailParts {
  readonly user: UserId;
  readonly device: string;
  readonly pushing: Pushing;
  /** Whether the homeserver gives it a `/sync`: Synapse gives an application service's own user none. */
  readonly isFetched: boolean;
  /** Makes a request as the device. Throws HomeserverError, CryptoError. */
  readonly request: (request: MatrixRequest) => Promise<unknown>;
  readonly clock: Clock;
}

/** The to-device messages and nothing of any room: cheap to answer even without `since`. */
const filter = JSON.stringify({
  room: { rooms: [] },
  presence: { not_types: ["*"] },
  account_data: { not_types: ["*"] },
});
/** Whoever has a new device is known to have it after so long; a call rings there at once. */
const freshMs = 5_000;
/** What was lost on its way to us is noticed after so long at the latest. */
const pushedFreshMs = 10 * 60_000;
const mostEvents = 1_000;
/** Longer than what clients send: a to-device message holds 64 KiB in all. */
const mostEventLength = 200_000;
/** An answer with so many may not be the last one (Synapse). */
const fullAnswer = 100;
/** Messages that are known to have come. Synapse keeps those that it has pushed until the next fetch. */
const mostKnown = 1_000;
/** More people than this are asked for again one and all. */
const mostChanged = 1_000;

const users = z
  .array(z.string())
  .transform((texts) => texts.flatMap((text) => parseUserId(text) ?? []))
  .catch([]);
const syncForm = z.object({
  next_batch: z.string(),
  to_device: z
    .object({ events: z.array(z.unknown()) })
    .optional()
    .catch(undefined),
  device_lists: z.object({ changed: users, left: users }).partial().optional().catch(undefined),
  device_one_time_keys_count: z.record(z.string(), z.number()).optional().catch(undefined),
  device_unused_fallback_key_types: z.array(z.string()).optional().catch(undefined),
});

const noNews: DeviceNews = {
  events: [],
  changed: [],
  left: [],
  counts: undefined,
  unusedFallbackKeys: undefined,
};

export class DeviceMail {
  readonly #parts: DeviceMailParts;
  /** Up to where it has been fetched. */
  #since: string | undefined;
  /** When it was last known to be complete, on the clock that only goes forward. */
  #completeAtMs: number | undefined;
  readonly #known = new RecentMap<string, true>(mostKnown);
  /** Whose devices have changed, as was pushed and not passed on yet. */
  readonly #changed = new Set<UserId>();
  readonly #left = new Set<UserId>();
  #isBehind = false;
  /** What was said last of the one-time keys: most transactions say it again. */
  #keysLeft = "";

  constructor(parts: DeviceMailParts) {
    this.#parts = parts;
  }

  /** The homeserver may have more to tell than the last answer held. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  /**
   * Whether enough is known to send something now. A device that has sent nothing yet asks for everybody's devices first, so
   * that it can have missed no change.
   */
  isFreshFor(type: string): boolean {
    const nowMs = this.#parts.clock.nowMs();
    const { sinceMs } = this.#parts.pushing;
    if (sinceMs !== undefined) {
      this.#completeAtMs ??= nowMs;
      return this.#completeAtMs >= sinceMs && nowMs - this.#completeAtMs <= pushedFreshMs;
    }
    return type !== "m.call.invite" && this.#completeAtMs !== undefined && nowMs - this.#completeAtMs <= freshMs;
  }

  /** What was pushed that matters only when something is sent; undefined: nothing. */
  saved(): DeviceNews | undefined {
    if (this.#changed.size + this.#left.size === 0) return undefined;
    return { ...noNews, ...this.#takeLists() };
  }

  /** Takes what a transaction has for this device; gives what its machine has to know at once, undefined: nothing. */
  push({ messages, lists, counts, unusedFallbackKeys }: PushedNews): DeviceNews | undefined {
    const { user, device } = this.#parts;
    if (lists !== undefined && lists !== "incomplete") this.#noteLists(lists);
    const events = this.#unknown(
      messages.flatMap((one) => (one.user === user && one.device === device ? one.event : [])),
    );
    const told = {
      counts: counts.get(user)?.get(device),
      unusedFallbackKeys: unusedFallbackKeys.get(user)?.get(device),
    };
    const keysLeft = JSON.stringify(told);
    const saysMore = keysLeft !== "{}" && keysLeft !== this.#keysLeft;
    if (saysMore) this.#keysLeft = keysLeft;
    return saysMore || events.length > 0 ? { ...noNews, events, ...(saysMore && told) } : undefined;
  }

  /** Asks the homeserver. Throws HomeserverError, CryptoError. */
  async pull(): Promise<DeviceNews> {
    const { request, isFetched, pushing } = this.#parts;
    const since = this.#since;
    const query = { timeout: "0", set_presence: "offline", filter, ...(since === undefined ? {} : { since }) };
    const answer = isFetched ? await request({ method: "GET", path: ["v3", "sync"], query }) : undefined;
    this.#completeAtMs = this.#parts.clock.nowMs();
    this.#keysLeft = "";
    const pushed = this.#takeLists();
    if (answer === undefined) return { ...noNews, changed: "everybody" };
    const parsed = syncForm.safeParse(answer);
    if (!parsed.success)
      throw new HomeserverError("BAD_ANSWER", "the homeserver's answer to sync makes no sense", false);
    const { next_batch, to_device, device_lists, device_one_time_keys_count: counts } = parsed.data;
    this.#isBehind = (to_device?.events.length ?? 0) >= fullAnswer;
    const fetched = (to_device?.events ?? []).slice(0, mostEvents).flatMap((event) => readToDevice(event) ?? []);
    const events = this.#unknown(fetched);
    if (events.length > 0) pushing.missed();
    this.#since = next_batch;
    return {
      events,
      // The first answer says nothing of what has changed before.
      changed:
        since === undefined || pushed.changed === "everybody"
          ? "everybody"
          : [...pushed.changed, ...(device_lists?.changed ?? [])],
      left: [...pushed.left, ...(device_lists?.left ?? [])],
      counts: counts === undefined || Object.keys(counts).length === 0 ? undefined : counts,
      unusedFallbackKeys: parsed.data.device_unused_fallback_key_types,
    };
  }

  #noteLists({ changed, left }: DeviceLists): void {
    for (const user of left) this.#left.add(user);
    for (const user of changed) this.#changed.add(user);
    for (const user of changed) this.#left.delete(user);
    while (this.#left.size > mostChanged) this.#left.clear();
  }

  #takeLists(): Pick<DeviceNews, "changed" | "left"> {
    const changed = this.#changed.size > mostChanged ? "everybody" : [...this.#changed];
    const left = [...this.#left];
    this.#changed.clear();
    this.#left.clear();
    return { changed, left };
  }

  /** Those that have not come before, JSON each. */
  #unknown(events: readonly ToDeviceEvent[]): readonly string[] {
    return events.flatMap((event) => {
      let text: string;
      try {
        text = canonical(event);
      } catch {
        // It is nested as deeply as no client nests it.
        return [];
      }
      const name = createHash("sha256").update(text).digest("base64url");
      if (text.length > mostEventLength || this.#known.has(name)) return [];
      this.#known.set(name, true);
      return text;
    });
  }
}
