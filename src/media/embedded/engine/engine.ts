// The embedded media engine: spreads sessions over worker processes (places.ts), and hands out RTP ports. What happens inside
// a session is session.ts, in the worker.
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
import { EmbeddedSession } from "./embedded-session.ts";
import { Places, type Place } from "./places.ts";
import { PortPool } from "./port-pool.ts";
import { Seats } from "./seats.ts";
import type { WorkerSettings } from "../base/settings.ts";
import type { EndOpening, SessionOrders } from "../session/protocol.ts";
import { arePortsBindable } from "../trunk/trunk-socket.ts";
import type { WorkerLink } from "./worker-link.ts";

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
/** What a participant costs more than a client, by measurement (`npm run bench -- media`). */
const conferenceSurcharge = 1;

interface Entry {
  readonly place: Place;
  readonly worker: WorkerLink;
  readonly rtpPorts: EndPorts;
  readonly legs: EndLegs;
  readonly report: (fact: MediaReport) => void;
  /** What its packets cost, whatever stands at its ends. */
  passing: number;
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
  readonly capabilities: MediaCapabilities = { ends: ["client", "trunk", "conference", "prompt"], conversions };
  readonly #options: EmbeddedEngineOptions;
  readonly #ports: PortPool;
  readonly #places: Places;
  readonly #entries = new Map<number, Entry>();
  readonly #dialogs = new DialogKeeper();
  readonly #seats = new Map<number, Seats>();
  #count = 0;

  constructor(options: EmbeddedEngineOptions) {
    const { rtp } = options;
    this.#options = options;
    this.#ports = new PortPool(rtp.portMin, rtp.portMax);
    this.#places = new Places(options, {
      report: (session, fact) => this.#entries.get(session)?.report(fact),
      price: (session, price) => this.#charge(session, price),
      admissionWanted: (session, end, focus) => void this.#seats.get(session)?.admit(end, focus),
      met: (session, end, isAnybody) => this.#seats.get(session)?.met(end, isAnybody),
      dialogs: (session, dialogs) => this.#dialogs.described(session, dialogs),
      marks: (marks) => {
        for (const [session, each] of marks) this.#dialogs.marked(session, each);
      },
      lost: (sessions) => this.#lost(sessions),
    });
  }

  async start(): Promise<void> {
    const { rtp, ice } = this.#options;
    const rtpHost = await bindAddress(rtp.host);
    const settings: WorkerSettings = {
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
    await this.#places.start(settings);
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
        const place = this.#places.freest();
        const worker = place?.worker;
        if (place === undefined || worker === undefined || this.#places.isStopping)
          throw new MediaError("no-capacity", "every media worker is full or gone");
        const rtpPorts = this.#takePorts(endsOf(legs), attempt === 0 ? before : {});
        const entry = { place, worker, rtpPorts, legs, report, passing: 1, price: 1 };
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
    const { running } = this.#places;
    const sessions = running.reduce((sum, place) => sum + place.sessions.size, 0);
    const load = running.reduce((sum, place) => sum + Math.min(place.load, this.#options.sessionsPerWorker), 0);
    const seats = running.length * this.#options.sessionsPerWorker - load;
    return {
      ready: running.length > 0 && !this.#places.isStopping,
      sessions,
      free: Math.max(0, Math.min(Math.floor(seats), this.#ports.free)),
      detail: `${running.length} of ${this.#options.workers} workers running`,
    };
  }

  async stop(): Promise<void> {
    await this.#places.stop();
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
      if (entry.worker.isRunning || this.#places.freest() === undefined) throw error;
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
      return opened.kind !== "trunk" ? opened : { ...opened, rtpPort: rtpPorts[end] ?? 0, before: before[end]?.media };
    };
    const opening = { call: options.call, ends: { a: openingOf("a"), b: openingOf("b") } };
    try {
      const local = await worker.order(number, { kind: "open", opening });
      if (local !== null) {
        const orders = this.#ordersOf(number, worker);
        const seats = new Seats(orders, this.#options.log.child({ call: options.call }));
        this.#seats.set(number, seats);
        return new EmbeddedSession(
          local,
          orders,
          seats,
          async (end) => this.#handOver(number, end),
          (price) => this.#charge(number, price),
          () => this.#forget(number),
        );
      }
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
    this.#seats.get(session)?.leave();
    this.#seats.delete(session);
    return entry;
  }

  /** `passing`: what its packets cost, where that is news; its seats are counted anew. */
  #charge(session: number, passing?: number): void {
    const entry = this.#entries.get(session);
    if (entry === undefined) return;
    entry.passing = passing ?? entry.passing;
    const price = this.#seats.get(session)?.isAny === true ? entry.passing + conferenceSurcharge : entry.passing;
    entry.place.load += price - entry.price;
    entry.price = price;
  }

  #lost(sessions: readonly number[]): void {
    const reports = sessions.map((session) => this.#entries.get(session)?.report);
    for (const session of sessions) {
      this.#dialogs.lost(session);
      this.#forget(session);
    }
    for (const report of reports) report?.({ kind: "media.lost" });
  }
}
