// One call's media inside a worker: the two legs that carry its packets, and the relay between. What is agreed comes from
// above. Orders come one at a time from worker.ts.
import { AsyncLocalStorage } from "node:async_hooks";
import type { IceCandidate } from "../../../core/call/model/fact.ts";
import { mediaEnds, otherEnd, type MediaEnd, type Prompt } from "../../../core/media-end.ts";
import type { MediaStats } from "../../../core/call/model/media-stats.ts";
import { waysPrice } from "../../../core/sdp/exchange/conversion.ts";
import type { Admission, Attendance, FocusId } from "../../../ports/conference.ts";
import type { LocalClient, RemoteClient } from "../../../ports/media-engine.ts";
import { MediaError, type MediaReport } from "../../../ports/media.ts";
import { clockMs } from "../base/clock.ts";
import type { Gone, Leg, LegReports } from "../base/leg.ts";
import type { WorkerSettings } from "../base/settings.ts";
import { conversions } from "../codec/conversions.ts";
import { ClientLeg } from "../client/client-leg.ts";
import type { ParticipantLeg } from "../participant/participant-leg.ts";
import { PromptLeg } from "../prompt/prompt-leg.ts";
import { newStream, type StreamMark } from "../rtp/outgoing-stream.ts";
import type { DialogMedia, EndMarks, HeardFormat } from "../trunk/dialog-media.ts";
import { TrunkLeg } from "../trunk/trunk-leg.ts";
import type { EndDialogs, EndOpening, FollowingOrder, LocalTrunks, LogLevel, SessionOpening } from "./protocol.ts";
import { Relay } from "./relay.ts";

/** From the end of a client's DTLS to the end of its call, where no hang-up of it has come. */
const hangUpMs = 2000;

export interface SessionReports {
  fact(fact: MediaReport): void;
  /** What it costs now, in sessions that pass packets as they are. */
  price(price: number): void;
  /** The participant at that end wants to be let in: `enter` does. */
  admissionWanted(end: MediaEnd, focus: FocusId | undefined): void;
  met(end: MediaEnd, isAnybody: boolean): void;
  log(level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>): void;
}

export class Session {
  readonly #settings: WorkerSettings;
  readonly #reports: SessionReports;
  readonly #relay: Relay;
  readonly #legs: Partial<Record<MediaEnd, Leg>> = {};
  /** Those of the legs that are trunks. */
  readonly #trunks: Partial<Record<MediaEnd, TrunkLeg>> = {};
  /** Those from which our tones come. */
  readonly #prompts: Partial<Record<MediaEnd, PromptLeg>> = {};
  /** As this session's own work (see the worker). */
  readonly #working = AsyncLocalStorage.snapshot();
  #isConnected = false;
  #isBroken = false;
  /** The leg towards a person, if there is one: a client, or a participant of a conference. */
  #client: ClientLeg | undefined;
  #participant: ParticipantLeg | undefined;
  /** The person was here and is not any more. */
  #absence: { readonly how: Gone; readonly sinceMs: number } | undefined;

  private constructor(settings: WorkerSettings, opening: SessionOpening, reports: SessionReports) {
    this.#settings = settings;
    this.#reports = reports;
    const { a, b } = opening.ends;
    this.#relay = new Relay(
      { a: () => this.#legs.a, b: () => this.#legs.b },
      { a: streamOf(a), b: streamOf(b) },
      { a: heardAt(a), b: heardAt(b) },
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

  async follow({ remotes, flows }: FollowingOrder): Promise<void> {
    for (const end of mediaEnds) {
      const remote = remotes[end];
      if (remote?.kind === "client") this.#theClient().complete(remote);
      else if (remote?.kind === "conference") await this.#takePart(end, remote.voices);
      else if (remote !== undefined) this.#trunkAt(end).aim(remote);
    }
    if (flows === undefined) return;
    this.#relay.pass(flows);
    const person = mediaEnds.find((end) => this.#legs[end] === this.#participant);
    const voice = person && flows.ways?.[otherEnd(person)].from;
    if (voice !== undefined) this.#participant?.expect([voice]);
    this.#sayPrice();
    for (const end of mediaEnds) this.#prompts[end]?.agree(flows[end].crossings);
  }

  attend(attendance: Attendance): void {
    this.#participant?.attend(attendance);
  }

  enter(admission: Admission | undefined, focus: FocusId | undefined): void {
    this.#participant?.enter(admission, focus);
  }

  ring(end: MediaEnd): void {
    this.#trunks[end]?.resume();
    this.#relay.ring(end);
  }

  prompt(prompt: Prompt): void {
    for (const end of mediaEnds) this.#prompts[end]?.play(prompt);
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
      if (leg !== undefined && sent !== undefined)
        dialogs[end] = { place: { ...leg.place, heard: this.#relay.heard(end) }, sent };
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

  /** By a defect of ours, which nothing but this session may suffer from. */
  broke(error: unknown): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    const detail = error instanceof Error ? error.stack : String(error);
    this.#reports.log("error", "media session broke", { error: detail });
    this.#reports.fact({ kind: "media.failed", message: "internal error" });
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
    if (opening.kind === "conference") return true;
    if (opening.kind === "prompt") {
      const prompts = new PromptLeg(reports);
      this.#legs[end] = prompts;
      this.#prompts[end] = prompts;
      return true;
    }
    const leg = await TrunkLeg.open(rtp, opening.rtpPort, opening.media, reports, opening.before);
    if (leg === undefined) return false;
    this.#legs[end] = leg;
    this.#trunks[end] = leg;
    return true;
  }

  /** In a conference, from now on; what stood at that end is closed. */
  async #takePart(end: MediaEnd, voices: readonly string[]): Promise<void> {
    if (this.#participant !== undefined) return;
    // The words of media servers take 11 MB, which a worker without conferences is spared.
    const { ParticipantLeg } = await import("../participant/participant-leg.ts");
    const before = this.#legs[end];
    this.#client = undefined;
    const { ssrc, cname } = this.#relay.streams[end];
    const { ice, reconnectTimeoutMs } = this.#settings;
    this.#participant = new ParticipantLeg(
      { ice, ssrc, cname, reconnectTimeoutMs },
      {
        ...this.#legReports(end),
        guard: (work) => this.#guard(work),
        speaks: (format) =>
          this.#guard(() => {
            this.#relay.hears(end, format);
            this.#sayPrice();
          }),
        wanted: (focus) => this.#reports.admissionWanted(end, focus),
        met: (isAnybody) => this.#reports.met(end, isAnybody),
        alive: () => this.#guard(() => this.#relay.alive(end)),
      },
    );
    this.#participant.expect(voices);
    this.#legs[end] = this.#participant;
    await before?.close();
  }

  #sayPrice(): void {
    const { ways } = this.#relay;
    if (ways !== undefined) this.#reports.price(waysPrice(conversions, [ways.a, ways.b]));
  }

  #legReports(end: MediaEnd): LegReports {
    return {
      rtp: (packet) => this.#guard(() => this.#relay.rtp(end, packet)),
      rtcp: (packet) => this.#guard(() => this.#relay.rtcp(end, packet)),
      connected: () => this.#connected(),
      gone: (how) => (this.#absence ??= { how, sinceMs: clockMs() }),
      failed: (message) => this.#reports.fact({ kind: "media.failed", message }),
      log: (level, message, fields) => this.#reports.log(level, message, fields),
    };
  }

  /** For what native libraries call: nobody else knows whose work that is, and the timers that it sets. */
  #guard(work: () => void): void {
    if (this.#isBroken) return;
    try {
      this.#working(work);
    } catch (error) {
      this.broke(error);
    }
  }

  #connected(): void {
    const person = this.#participant ?? this.#client;
    if (person !== undefined && !person.isConnected) return;
    this.#absence = undefined;
    // Between two trunks both have to have said where they are; a client may be there before the trunk has answered.
    const isUp = person !== undefined || mediaEnds.every((end) => this.#legs[end]?.isConnected);
    if (this.#isConnected || !isUp) return;
    this.#isConnected = true;
    this.#reports.fact({ kind: "media.connected" });
  }

  /**
   * A client that closes its end hangs up: it has the time that its event needs. One whose network changes restarts ICE. A
   * participant was waited for by its leg.
   */
  #patienceMs(how: Gone): number {
    if (this.#participant !== undefined) return 0;
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

function heardAt(opening: EndOpening): HeardFormat | undefined {
  return opening.kind === "trunk" ? opening.before?.place.heard : undefined;
}
