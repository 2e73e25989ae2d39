// The embedded media engine: spreads sessions over worker processes, hands out RTP ports, and replaces a worker that
// dies. What happens inside a session is session.ts, in the worker.
import { mediaEnds, type MediaEnd } from "../../../core/media-end.ts";
import type { CallId } from "../../../core/ids.ts";
import type { Clock } from "../../../ports/clock.ts";
import { MediaError } from "../../../ports/media.ts";
import type { EngineEnd, EngineSession, MediaCapabilities, MediaEngine } from "../../../ports/media-engine.ts";
import type { MediaHealth, MediaReport, MediaSessionOptions } from "../../../ports/media.ts";
import type { Log } from "../../../ports/telemetry.ts";
import { conversions } from "../codec/conversions.ts";
import { bindAddress, iceAddresses, rtpAddress } from "./addresses.ts";
import { DialogKeeper, type KeptDialog, type EndLegs } from "./dialog-keeper.ts";
import { EmbeddedSession, type SessionOrders } from "./embedded-session.ts";
import { PortPool } from "./port-pool.ts";
import type { WorkerSettings } from "../base/settings.ts";
import type { EndOpening } from "../session/protocol.ts";
import { arePortsBindable } from "../trunk/trunk-socket.ts";
import { WorkerLink } from "./worker-link.ts";

export interface EmbeddedEngineOptions {
  /** Processes; about one for each core that may be spent on media. */
  readonly workers: number;
  /** 150 to 200 calls keep one core busy. */
  readonly sessionsPerWorker: number;
  readonly rtp: {
    /** Address to bind towards the trunks; `0.0.0.0` or `::` for all. */
    readonly host: string;
    readonly portMin: number;
    readonly portMax: number;
    /** Address to write into SDP instead of `host`, behind a one-to-one NAT. Names are resolved once, by `start`. */
    readonly advertisedHost?: string;
  };
  readonly ice: {
    /** Address to bind towards the clients; all when absent. */
    readonly bindHost?: string;
    /** Addresses to offer besides the local ones of their family, behind a one-to-one NAT. Names as above. */
    readonly advertisedHosts?: readonly string[];
    readonly portMin?: number;
    readonly portMax?: number;
  };
  /** An end that is not on hold and not heard for so long is reported as timed out. */
  readonly silenceTimeoutMs: number;
  /** How long a client that lost its connection has for an ICE restart. */
  readonly reconnectTimeoutMs?: number;
  readonly log: Log;
  readonly clock: Clock;
}

const defaults = { reconnectTimeoutMs: 30_000 };
/** Ports of the range may be taken by others: so many pairs are tried for one session. */
const portTries = 20;
const backoffMs = { first: 500, most: 30_000 };
/** A worker that ran for so long has not died of its start. */
const settledAfterMs = 60_000;

interface Place {
  worker: WorkerLink | undefined;
  readonly sessions: Set<number>;
  /** What they cost, in sessions that pass packets as they are. */
  load: number;
  /** Deaths in a row. */
  deaths: number;
  startedAtMs: number;
}

interface Entry {
  readonly place: Place;
  readonly worker: WorkerLink;
  readonly rtpPorts: EndPorts;
  readonly legs: EndLegs;
  readonly report: (fact: MediaReport) => void;
  /** Its part of the worker's load. */
  price: number;
}

type EndPorts = Partial<Record<MediaEnd, number>>;
type EndKept = Partial<Record<MediaEnd, KeptDialog>>;

/** Whose dialogs they are, of the ends where trunks stand. */
function legsOf(options: MediaSessionOptions<EngineEnd>): EndLegs {
  const legs: EndLegs = {};
  for (const end of mediaEnds) {
    const opened = options[end];
    if (opened.kind === "trunk") legs[end] = opened.leg;
  }
  return legs;
}

function endsOf(legs: EndLegs): readonly MediaEnd[] {
  return mediaEnds.filter((end) => legs[end] !== undefined);
}

export function createEmbeddedEngine(options: EmbeddedEngineOptions): MediaEngine {
  return new EmbeddedEngine(options);
}

class EmbeddedEngine implements MediaEngine {
  readonly capabilities: MediaCapabilities = { ends: ["client", "trunk"], conversions };
  readonly #options: EmbeddedEngineOptions;
  /** Known once `start` has found the addresses. */
  #settings: WorkerSettings | undefined;
  readonly #ports: PortPool;
  readonly #places: Place[];
  readonly #entries = new Map<number, Entry>();
  readonly #dialogs = new DialogKeeper();
  readonly #restarts = new Set<() => void>();
  #count = 0;
  #isStopping = false;

  constructor(options: EmbeddedEngineOptions) {
    const { rtp } = options;
    this.#options = options;
    this.#ports = new PortPool(rtp.portMin, rtp.portMax);
    this.#places = Array.from({ length: options.workers }, () => ({
      worker: undefined,
      sessions: new Set(),
      load: 0,
      deaths: 0,
      startedAtMs: 0,
    }));
  }

  async start(): Promise<void> {
    const { rtp, ice } = this.#options;
    const rtpHost = await bindAddress(rtp.host);
    this.#settings = {
      rtp: { host: rtpHost, advertisedHost: await rtpAddress(rtpHost, rtp.advertisedHost) },
      ice: {
        bindHost: ice.bindHost === undefined ? undefined : await bindAddress(ice.bindHost),
        advertisedHosts: await iceAddresses(ice.advertisedHosts ?? []),
        portMin: ice.portMin,
        portMax: ice.portMax,
      },
      silenceTimeoutMs: this.#options.silenceTimeoutMs,
      reconnectTimeoutMs: this.#options.reconnectTimeoutMs ?? defaults.reconnectTimeoutMs,
    };
    if (!(await arePortsBindable(rtpHost, rtp.portMin, rtp.portMax)))
      throw new MediaError("no-ports", `no RTP port of ${rtp.host} can be bound`);
    const settings = this.#settings;
    const started = await Promise.allSettled(this.#places.map(async (place) => this.#startWorker(place, settings)));
    const failed = started.find((each) => each.status === "rejected");
    if (failed === undefined) return;
    await this.stop();
    throw failed.reason;
  }

  async open(options: MediaSessionOptions<EngineEnd>, report: (fact: MediaReport) => void): Promise<EngineSession> {
    const legs = legsOf(options);
    const before = await this.#takeOver(legs);
    try {
      return await this.#openSomewhere(options, legs, before, report);
    } catch (error) {
      this.#dialogs.putBack(legs, before);
      throw error;
    }
  }

  forget(leg: CallId): void {
    this.#dialogs.forget(leg);
  }

  async #openSomewhere(
    options: MediaSessionOptions<EngineEnd>,
    legs: EndLegs,
    before: EndKept,
    report: (fact: MediaReport) => void,
  ): Promise<EngineSession> {
    const refused = new Set<number>();
    try {
      for (let attempt = 0; attempt < portTries; attempt += 1) {
        const place = this.#freest();
        const worker = place?.worker;
        if (place === undefined || worker === undefined || this.#isStopping)
          throw new MediaError("no-capacity", "every media worker is full or gone");
        const rtpPorts = this.#takePorts(endsOf(legs), attempt === 0 ? before : {});
        const entry = { place, worker, rtpPorts, legs, report, price: 1 };
        const session = await this.#openOrMoveOn(entry, options, before);
        if (session === "ports-taken") for (const port of Object.values(rtpPorts)) refused.add(port);
        else if (session !== "worker-gone") return session;
      }
      throw new MediaError("no-ports", "the RTP ports are taken by others");
    } finally {
      this.#giveBack([...refused]);
    }
  }

  health(): MediaHealth {
    const running = this.#places.filter((place) => place.worker !== undefined);
    const sessions = running.reduce((sum, place) => sum + place.sessions.size, 0);
    const load = running.reduce((sum, place) => sum + Math.min(place.load, this.#options.sessionsPerWorker), 0);
    const seats = running.length * this.#options.sessionsPerWorker - load;
    return {
      ready: running.length > 0 && !this.#isStopping,
      sessions,
      free: Math.max(0, Math.min(seats, this.#ports.free)),
      detail: `${running.length} of ${this.#places.length} workers running`,
    };
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    for (const cancel of this.#restarts) cancel();
    this.#restarts.clear();
    await Promise.all(this.#places.map(async (place) => place.worker?.stop()));
  }

  /** What the dialogs were told and sent, from where it is kept or from the session that has them now. */
  async #takeOver(legs: EndLegs): Promise<EndKept> {
    const before: EndKept = {};
    for (const end of mediaEnds) {
      const leg = legs[end];
      if (leg === undefined) continue;
      const holder = this.#dialogs.holderOf(leg);
      if (holder !== undefined) await this.#handOver(holder.session, holder.end);
      const kept = this.#dialogs.take(leg);
      if (kept !== undefined) before[end] = kept;
    }
    return before;
  }

  /** The session lets go of a trunk's dialog, and of its ports. */
  async #handOver(session: number, end: MediaEnd): Promise<void> {
    const entry = this.#entries.get(session);
    const leg = entry?.legs[end];
    if (entry === undefined || leg === undefined) return;
    try {
      const media = await entry.worker.order(session, { kind: "detach", end });
      if (media === null) return;
      this.#dialogs.handedOver(leg, media);
      const { [end]: port } = entry.rtpPorts;
      delete entry.rtpPorts[end];
      if (port !== undefined) this.#giveBack([port]);
    } catch {
      // The session has been closed meanwhile, or its worker has died: what is known of the dialog is kept.
    }
  }

  /** The ports that the dialogs had before, if they are free. Throws MediaError `no-ports`. */
  #takePorts(ends: readonly MediaEnd[], before: EndKept): EndPorts {
    const ports: EndPorts = {};
    for (const end of ends) {
      const last = before[end]?.rtpPort;
      const port = last !== undefined && this.#ports.takeThis(last) ? last : this.#ports.take();
      if (port === undefined) {
        this.#giveBack(Object.values(ports));
        throw new MediaError("no-ports", "no RTP port pair is free");
      }
      ports[end] = port;
    }
    return ports;
  }

  #giveBack(ports: readonly number[]): void {
    for (const port of ports) this.#ports.giveBack(port);
  }

  /** Other ports may do, or another worker. Ports that are taken stay out of the pool for now. */
  async #openOrMoveOn(
    entry: Entry,
    options: MediaSessionOptions<EngineEnd>,
    before: EndKept,
  ): Promise<EngineSession | "ports-taken" | "worker-gone"> {
    try {
      return (await this.#openAt(entry, options, before)) ?? "ports-taken";
    } catch (error) {
      if (entry.worker.isRunning || this.#freest() === undefined) throw error;
      return "worker-gone";
    }
  }

  async #openAt(
    entry: Entry,
    options: MediaSessionOptions<EngineEnd>,
    before: EndKept,
  ): Promise<EngineSession | undefined> {
    const { place, worker, rtpPorts, legs } = entry;
    this.#count += 1;
    const number = this.#count;
    // Taken before the worker has answered, so that many calls at once do not all go to the same one.
    place.sessions.add(number);
    place.load += entry.price;
    this.#entries.set(number, entry);
    this.#dialogs.hold(number, legs, rtpPorts, before);
    const openingOf = (end: MediaEnd): EndOpening => {
      const opened = options[end];
      if (opened.kind === "conference") throw new MediaError("engine", "no end for a conference");
      return opened.kind === "client" ? opened : { ...opened, rtpPort: rtpPorts[end] ?? 0, before: before[end]?.media };
    };
    const opening = { call: options.call, ends: { a: openingOf("a"), b: openingOf("b") } };
    try {
      const local = await worker.order(number, { kind: "open", opening });
      if (local !== null)
        return new EmbeddedSession(
          local,
          this.#ordersOf(number, worker),
          async (end) => this.#handOver(number, end),
          (price) => this.#charge(number, price),
          () => this.#forget(number),
        );
      this.#release(number);
      return undefined;
    } catch (error) {
      this.#forget(number);
      throw error;
    }
  }

  #ordersOf(session: number, worker: WorkerLink): SessionOrders {
    return async (order) => worker.order(session, order);
  }

  #forget(session: number): void {
    const entry = this.#release(session);
    if (entry !== undefined) this.#giveBack(Object.values(entry.rtpPorts));
  }

  /** All but its ports. */
  #release(session: number): Entry | undefined {
    const entry = this.#entries.get(session);
    if (entry === undefined) return undefined;
    this.#entries.delete(session);
    entry.place.sessions.delete(session);
    entry.place.load -= entry.price;
    this.#dialogs.over(session);
    return entry;
  }

  #charge(session: number, price: number): void {
    const entry = this.#entries.get(session);
    if (entry === undefined) return;
    entry.place.load += price - entry.price;
    entry.price = price;
  }

  #freest(): Place | undefined {
    let freest: Place | undefined;
    for (const place of this.#places) {
      if (place.worker === undefined || place.load >= this.#options.sessionsPerWorker) continue;
      if (freest === undefined || place.load < freest.load) freest = place;
    }
    return freest;
  }

  async #startWorker(place: Place, settings: WorkerSettings): Promise<void> {
    const { log, clock } = this.#options;
    place.startedAtMs = clock.nowMs();
    const worker = await WorkerLink.start(settings, log, {
      report: (session, fact) => this.#entries.get(session)?.report(fact),
      dialogs: (session, dialogs) => this.#dialogs.described(session, dialogs),
      marks: (marks) => {
        for (const [session, each] of marks) this.#dialogs.marked(session, each);
      },
      ended: (detail) => this.#workerEnded(place, detail),
    });
    if (this.#isStopping) {
      await worker.stop();
      return;
    }
    place.worker = worker;
    log.info("media worker started", { pid: worker.pid });
  }

  #workerEnded(place: Place, detail: string): void {
    const { log, clock } = this.#options;
    const wasRunning = place.worker !== undefined;
    place.worker = undefined;
    const lost = [...place.sessions].map((session) => ({ session, entry: this.#entries.get(session) }));
    for (const { session } of lost) {
      this.#dialogs.lost(session);
      this.#forget(session);
    }
    for (const { entry } of lost) entry?.report({ kind: "media.lost" });
    if (this.#isStopping) return;
    log.error("media worker ended", { detail, sessions: lost.length });
    // One that never came up fails `start`, or the restart that wanted it.
    if (wasRunning) this.#restart(place, clock.nowMs());
  }

  #restart(place: Place, nowMs: number): void {
    const { clock, log } = this.#options;
    place.deaths = nowMs - place.startedAtMs >= settledAfterMs ? 1 : place.deaths + 1;
    const delayMs = Math.min(backoffMs.most, backoffMs.first * 2 ** (place.deaths - 1));
    const cancel = clock.at(nowMs + delayMs, () => {
      this.#restarts.delete(cancel);
      if (this.#settings === undefined) return;
      this.#startWorker(place, this.#settings).catch((error: unknown) => {
        log.error("media worker did not start", { error: String(error) });
        if (!this.#isStopping) this.#restart(place, clock.nowMs());
      });
    });
    this.#restarts.add(cancel);
  }
}
