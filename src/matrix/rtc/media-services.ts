// Where tokens for media servers are to be had: the service that our own memberships name, and which others may be asked.
// A person's membership names one too, and whoever writes memberships must not choose whom the bridge sends requests to.
import { z } from "zod";
import type { UserId } from "../../core/ids.ts";
import type { Clock } from "../../ports/clock.ts";
import { HomeserverError } from "../../ports/homeserver.ts";
import type { Log } from "../../ports/telemetry.ts";
import type { HomeserverClient, Patience } from "../client/homeserver-client.ts";
import { type AskOutside, readMoved } from "../http/outside.ts";
import { failureOf } from "../client/request-failure.ts";
import { mediaServerIn, serviceIn } from "../wire/rtc.ts";
import { hasGetToken } from "./token-service.ts";

export interface MediaServicesParts {
  readonly client: HomeserverClient;
  /** The application service itself, which the homeserver answers before any user of ours exists. */
  readonly sender: UserId;
  readonly domain: string;
  readonly ask: AskOutside;
  /** Instead of what the homeserver says. */
  readonly configured: string | undefined;
  /** Of other homeservers, whose people call with them. */
  readonly allowed: readonly string[];
  readonly clock: Clock;
  readonly log: Log;
}

/** A call waits for it. */
const patience: Patience = { again: "never", giveUpAfterMs: 3_000 };
const wellKnownMs = 3_000;
const keptMs = 10 * 60_000;
/** For how long it is believed that there is none. */
const emptyForMs = 60_000;
/** A homeserver that does not answer is about to. */
const unansweredForMs = 2_000;

const transportsForm = z.object({ rtc_transports: z.array(z.unknown()) });
const wellKnownForm = z.object({ "org.matrix.msc4143.rtc_foci": z.array(z.unknown()) });

interface Kept {
  readonly services: Promise<readonly string[]>;
  untilMs: number;
}

export class MediaServices {
  readonly #parts: MediaServicesParts;
  readonly #configured: string | undefined;
  readonly #allowed: ReadonlySet<string>;
  #kept: Kept | undefined;
  /** Whether the homeserver named any when it was asked last. */
  #last = false;
  /** Whether it answered, with whatever. */
  #isAnswered = false;
  /** What each place said when it answered last: one that is away for a moment has not changed its mind. */
  #transports: readonly string[] = [];
  #wellKnown: readonly string[] = [];
  /** By their service, those for which the homeserver gives tokens itself. */
  #mediaServers: ReadonlyMap<string, string> = new Map();
  readonly #doors = new Map<string, { readonly isThere: Promise<boolean | undefined>; untilMs: number }>();

  constructor(parts: MediaServicesParts) {
    this.#parts = parts;
    this.#configured = parts.configured === undefined ? undefined : normal(parts.configured);
    this.#allowed = new Set(parts.allowed.map(normal));
  }

  /** Whether there is any, as was known last; looks again where that is old. */
  get isKnown(): boolean {
    void this.advertised();
    return this.#configured !== undefined || this.#last;
  }

  /** Where we take part in calls that we begin. Throws HomeserverError `NO_MEDIA_SERVER`. */
  async own(): Promise<string> {
    const [first] = this.#configured === undefined ? await this.advertised() : [this.#configured];
    if (first !== undefined) return first;
    throw new HomeserverError(
      "NO_MEDIA_SERVER",
      "the homeserver names no media server for calls (matrix_rtc.transports, .well-known); set rtc.livekit_service_url",
      false,
    );
  }

  /** Whether requests may be sent there. */
  async isAllowed(service: string): Promise<boolean> {
    if (!this.wasAllowed(service)) await this.advertised();
    return this.wasAllowed(service);
  }

  /** The same, by what the homeserver said last. */
  wasAllowed(service: string): boolean {
    if (service === this.#configured || this.#allowed.has(service)) return true;
    return this.#transports.includes(service) || this.#wellKnown.includes(service);
  }

  /** The media server of this service, if the homeserver gives tokens for it. */
  mediaServerOf(service: string): string | undefined {
    return this.#mediaServers.get(service);
  }

  /** Whether tokens for sticky memberships are to be had there. Never rejects. */
  async servesMembers(service: string): Promise<boolean> {
    const { ask, clock } = this.#parts;
    if (!(await this.isAllowed(service))) return false;
    if (this.#mediaServers.has(service)) return true;
    const kept = this.#doors.get(service);
    if (kept !== undefined && kept.untilMs > clock.nowMs()) return (await kept.isThere) === true;
    const door = { isThere: hasGetToken(service, { ask }), untilMs: clock.nowMs() + keptMs };
    this.#doors.set(service, door);
    const isThere = await door.isThere;
    if (isThere === undefined) door.untilMs = clock.nowMs() + unansweredForMs;
    return isThere === true;
  }

  /** What the homeserver says, the best first. Never rejects. */
  advertised(): Promise<readonly string[]> {
    const { clock } = this.#parts;
    if (this.#kept !== undefined && this.#kept.untilMs > clock.nowMs()) return this.#kept.services;
    const kept: Kept = { services: this.#ask(), untilMs: clock.nowMs() + keptMs };
    this.#kept = kept;
    void kept.services.then((services) => {
      this.#last = services.length > 0;
      if (services.length > 0) return;
      kept.untilMs = clock.nowMs() + (this.#isAnswered ? emptyForMs : unansweredForMs);
    });
    return kept.services;
  }

  async #ask(): Promise<readonly string[]> {
    await Promise.all([this.#askTransports(), this.#askWellKnown()]);
    return [...new Set([...this.#transports, ...this.#wellKnown])];
  }

  async #askTransports(): Promise<void> {
    const { client, sender, log } = this.#parts;
    const path = ["unstable", "org.matrix.msc4143", "rtc", "transports"];
    try {
      const answer = await client.request(sender, { method: "GET", path }, patience);
      this.#isAnswered = true;
      const transports = transportsForm.safeParse(answer).data?.rtc_transports;
      this.#transports = servicesIn(transports);
      this.#mediaServers = mediaServersIn(transports);
    } catch (cause) {
      const { code, transient } = failureOf(cause).error;
      this.#isAnswered = !transient;
      if (!transient) {
        this.#transports = [];
        this.#mediaServers = new Map();
      }
      log.debug("the homeserver does not say where its media server is", { code });
    }
  }

  async #askWellKnown(): Promise<void> {
    const { domain, ask, clock, log } = this.#parts;
    try {
      const url = `https://${domain}/.well-known/matrix/client`;
      const { status, body, location } = await readMoved(ask, url, wellKnownMs, clock);
      const foci = wellKnownForm.safeParse(body).data?.["org.matrix.msc4143.rtc_foci"];
      if (status < 500) this.#wellKnown = status === 200 ? servicesIn(foci) : [];
      if (location !== undefined) log.info(".well-known has moved to a place where it is not read", { to: location });
    } catch (cause) {
      log.debug("could not read .well-known", { code: failureOf(cause).error.code });
    }
  }
}

function servicesIn(transports: readonly unknown[] = []): readonly string[] {
  return transports.flatMap((transport) => serviceIn(transport) ?? []);
}

function mediaServersIn(transports: readonly unknown[] = []): ReadonlyMap<string, string> {
  return new Map(
    transports.flatMap((transport): readonly [string, string][] => {
      const [service, server] = [serviceIn(transport), mediaServerIn(transport)];
      return service === undefined || server === undefined ? [] : [[service, server]];
    }),
  );
}

function normal(service: string): string {
  return serviceIn({ type: "livekit", livekit_service_url: service }) ?? service;
}
