// One call's media inside a worker: the two legs that carry its packets, and the relay between. What is agreed comes from
// above. Orders come one at a time from worker.ts.
import type { IceCandidate } from "../../../core/call/model/fact.ts";
import { mediaEnds, type MediaEnd } from "../../../core/media-end.ts";
import type { MediaStats } from "../../../core/call/model/media-stats.ts";
import type { Following, LocalClient, RemoteClient, RemotePeer } from "../../../ports/media-engine.ts";
import { MediaError, type MediaReport } from "../../../ports/media.ts";
import { clockMs } from "../base/clock.ts";
import type { Gone, Leg, LegReports } from "../base/leg.ts";
import type { WorkerSettings } from "../base/settings.ts";
import { ClientLeg } from "../client/client-leg.ts";
import { newStream, type StreamMark } from "../rtp/outgoing-stream.ts";
import type { DialogMedia, EndMarks } from "../trunk/dialog-media.ts";
import { TrunkLeg } from "../trunk/trunk-leg.ts";
import type { EndDialogs, EndOpening, LocalTrunks, LogLevel, SessionOpening } from "./protocol.ts";
import { Relay } from "./relay.ts";

/** From the end of a client's DTLS to the end of its call, where no hang-up of it has come. */
const hangUpMs = 2000;

export interface SessionReports {
  fact(fact: MediaReport): void;
  log(level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>): void;
}

export class Session {
  readonly #settings: WorkerSettings;
  readonly #reports: SessionReports;
  readonly #relay: Relay;
  readonly #legs: Partial<Record<MediaEnd, Leg>> = {};
  /** Those of the legs that are trunks. */
  readonly #trunks: Partial<Record<MediaEnd, TrunkLeg>> = {};
  #isConnected = false;
  #isBroken = false;
  #client: ClientLeg | undefined;
  /** The client was here and is not any more. */
  #absence: { readonly how: Gone; readonly sinceMs: number } | undefined;

  private constructor(settings: WorkerSettings, opening: SessionOpening, reports: SessionReports) {
    this.#settings = settings;
    this.#reports = reports;
    const { a, b } = opening.ends;
    this.#relay = new Relay(
      { a: () => this.#legs.a, b: () => this.#legs.b },
      { a: streamOf(a), b: streamOf(b) },
      settings.silenceTimeoutMs,
      (fact) => reports.fact(fact),
    );
  }

  /** Undefined if the ports are taken. */
  static async open(
    settings: WorkerSettings,
    opening: SessionOpening,
    reports: SessionReports,
  ): Promise<Session | undefined> {
    const session = new Session(settings, opening, reports);
    const { a, b } = opening.ends;
    if ((await session.#openEnd("b", b)) && (await session.#openEnd("a", a))) return session;
    await session.close();
    return undefined;
  }

  /** Where the trunks reach us. */
  get local(): LocalTrunks {
    const local: LocalTrunks = {};
    for (const end of mediaEnds) {
      const trunk = this.#trunks[end];
      if (trunk !== undefined) local[end] = trunk.local;
    }
    return local;
  }

  async offered(): Promise<LocalClient> {
    return this.#theClient().offered();
  }

  async accept(remote: RemoteClient): Promise<LocalClient> {
    return this.#theClient().accept(remote);
  }

  prepare(remote: RemoteClient): void {
    this.#theClient().prepare(remote);
  }

  follow({ remotes, flows }: Following<RemotePeer>): void {
    for (const end of mediaEnds) {
      const remote = remotes[end];
      if (remote?.kind === "client") this.#theClient().complete(remote);
      else if (remote !== undefined) this.#trunkAt(end).aim(remote);
    }
    if (flows !== undefined) this.#relay.pass(flows);
  }

  press(to: MediaEnd, digit: string, durationMs: number): void {
    this.#guard(() => this.#relay.press(to, digit, durationMs));
  }

  addCandidates(candidates: readonly IceCandidate[]): void {
    this.#client?.addCandidates(candidates);
  }

  stats(): MediaStats {
    return this.#relay.stats();
  }

  unheard(): readonly MediaEnd[] {
    return this.#relay.unheard();
  }

  /** Where the dialogs of the trunks are, and what they were sent. */
  dialogs(): EndDialogs {
    const dialogs: EndDialogs = {};
    const marks = this.marks();
    for (const end of mediaEnds) {
      const [leg, sent] = [this.#trunks[end], marks[end]];
      if (leg !== undefined && sent !== undefined) dialogs[end] = { place: leg.place, sent };
    }
    return dialogs;
  }

  marks(): EndMarks {
    const marks: EndMarks = {};
    for (const end of mediaEnds) {
      const leg = this.#trunks[end];
      if (leg !== undefined) marks[end] = { stream: this.#relay.streams[end].mark(clockMs()), srtp: leg.srtp };
    }
    return marks;
  }

  /** The dialog of a trunk goes on in another session. Null: there is none. */
  async detach(end: MediaEnd): Promise<DialogMedia | null> {
    const leg = this.#trunks[end];
    if (leg === undefined) return null;
    this.#relay.streams[end].close(clockMs());
    const dialog = this.dialogs()[end] ?? null;
    delete this.#legs[end];
    delete this.#trunks[end];
    await leg.close();
    return dialog;
  }

  async close(): Promise<MediaStats> {
    this.#relay.close();
    const stats = this.stats();
    await Promise.all([this.#legs.a?.close(), this.#legs.b?.close()]);
    return stats;
  }

  /** Once a second. */
  tick(nowMs: number): void {
    this.#guard(() => {
      this.#relay.tick(nowMs, this.#isConnected);
      const absence = this.#absence;
      if (absence === undefined || nowMs - absence.sinceMs < this.#patienceMs(absence.how)) return;
      this.#absence = undefined;
      this.#reports.fact({ kind: absence.how === "closed" ? "media.closed" : "media.disconnected" });
    });
  }

  /** False if the ports are taken. */
  async #openEnd(end: MediaEnd, opening: EndOpening): Promise<boolean> {
    const reports = this.#legReports(end);
    const { ice, rtp } = this.#settings;
    if (opening.kind === "client") {
      const { ssrc, cname } = this.#relay.streams[end];
      this.#client = new ClientLeg({ ice, iceServers: opening.iceServers, ssrc, cname }, reports);
      this.#legs[end] = this.#client;
      return true;
    }
    const leg = await TrunkLeg.open(rtp, opening.rtpPort, opening.media, reports, opening.before);
    if (leg === undefined) return false;
    this.#legs[end] = leg;
    this.#trunks[end] = leg;
    return true;
  }

  #legReports(end: MediaEnd): LegReports {
    return {
      rtp: (packet) => this.#guard(() => this.#relay.rtp(end, packet)),
      rtcp: (packet) => this.#guard(() => this.#relay.rtcp(end, packet)),
      connected: () => this.#connected(),
      gone: (how, was) => this.#gone(how, was),
      log: (level, message, fields) => this.#reports.log(level, message, fields),
    };
  }

  /** A defect of ours that a packet brings out ends this call, not the worker with all the others. */
  #guard(work: () => void): void {
    if (this.#isBroken) return;
    try {
      work();
    } catch (error) {
      this.#isBroken = true;
      this.#reports.log("error", "media session broke", {
        error: error instanceof Error ? error.stack : String(error),
      });
      this.#reports.fact({ kind: "media.failed", message: "internal error" });
    }
  }

  #connected(): void {
    if (this.#client !== undefined && !this.#client.isConnected) return;
    this.#absence = undefined;
    // Between two trunks both have to have said where they are; a client may be there before the trunk has answered.
    const isUp = this.#client !== undefined || mediaEnds.every((end) => this.#legs[end]?.isConnected);
    if (this.#isConnected || !isUp) return;
    this.#isConnected = true;
    this.#reports.fact({ kind: "media.connected" });
  }

  #gone(how: Gone, was: boolean): void {
    this.#reports.log(
      "info",
      how === "closed" ? "client closed its connection" : "connection to the client was lost",
      {},
    );
    if (was) this.#absence ??= { how, sinceMs: clockMs() };
    else this.#reports.fact({ kind: "media.failed", message: "ICE or DTLS failed" });
  }

  /** A client that closes its end hangs up: it has the time that its event needs. One whose network changes restarts ICE. */
  #patienceMs(how: Gone): number {
    return how === "closed" && this.#client?.isComing !== true ? hangUpMs : this.#settings.reconnectTimeoutMs;
  }

  #theClient(): ClientLeg {
    if (this.#client === undefined) throw new MediaError("engine", "the session has no client");
    return this.#client;
  }

  #trunkAt(end: MediaEnd): TrunkLeg {
    const trunk = this.#trunks[end];
    if (trunk === undefined) throw new MediaError("engine", "the session has let go of that end");
    return trunk;
  }
}

function streamOf(opening: EndOpening): StreamMark {
  return (opening.kind === "trunk" ? opening.before?.sent.stream : undefined) ?? newStream();
}
