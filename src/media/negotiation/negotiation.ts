// The media of all calls over one engine: opens sessions, and keeps what each trunk's dialog has been told while it goes
// from one session to the next.
import { mediaEnds, type MediaEnd } from "../../core/media-end.ts";
import type { CallId } from "../../core/ids.ts";
import { convertible, type Conversion } from "../../core/sdp/exchange/conversion.ts";
import { opusName } from "../../core/sdp/format.ts";
import { newExchange } from "../../core/sdp/exchange/exchange.ts";
import type { EndTerms } from "../../core/sdp/exchange/turn.ts";
import type { ConferenceAccess } from "../../ports/conference.ts";
import { promptCodecs, type EngineEnd, type EngineSession, type MediaEngine } from "../../ports/media-engine.ts";
import {
  MediaError,
  type CallMedia,
  type EndOptions,
  type MediaReport,
  type MediaSession,
  type MediaSessionOptions,
  type TrunkEnd,
} from "../../ports/media.ts";
import type { Log } from "../../ports/telemetry.ts";
import { ClientNegotiation } from "./client-end.ts";
import { ConferenceNegotiation } from "./conference-end.ts";
import { NegotiatedSession, type NegotiatedEnds, type SessionHolder } from "./negotiated-session.ts";
import { PromptNegotiation } from "./prompt-end.ts";
import { TrunkDialog, TrunkNegotiation } from "./trunk-end.ts";

/** Identifies a session, from before it is open. */
type Holder = symbol;

interface HeldDialog {
  readonly dialog: TrunkDialog;
  /** Undefined between two sessions. */
  readonly holder: Holder | undefined;
}

export interface NegotiationOptions {
  /** `never`: two ends without a codec in common cannot talk, whatever the engine can do. */
  readonly transcode?: "auto" | "never";
  /** Undefined: nobody is met in a conference. */
  readonly conferences?: ConferenceAccess | undefined;
}

export function createCallMedia(engine: MediaEngine, log: Log, options: NegotiationOptions = {}): CallMedia<string> {
  return new Negotiation(
    engine,
    log,
    options.transcode === "never" ? [] : engine.capabilities.conversions,
    engine.capabilities.ends.includes("conference") ? options.conferences : undefined,
  );
}

class Negotiation implements CallMedia<string> {
  readonly #engine: MediaEngine;
  readonly #log: Log;
  readonly #conversions: readonly Conversion[];
  readonly #conferences: ConferenceAccess | undefined;
  readonly #dialogs = new Map<CallId, HeldDialog>();

  constructor(
    engine: MediaEngine,
    log: Log,
    conversions: readonly Conversion[],
    conferences: ConferenceAccess | undefined,
  ) {
    this.#engine = engine;
    this.#log = log;
    this.#conversions = conversions;
    this.#conferences = conferences;
  }

  async start(): Promise<void> {
    await this.#engine.start();
  }

  async stop(): Promise<void> {
    await this.#engine.stop();
  }

  health(): ReturnType<CallMedia["health"]> {
    return this.#engine.health();
  }

  forget(leg: CallId): void {
    if (this.#dialogs.get(leg)?.holder === undefined) this.#dialogs.delete(leg);
    this.#engine.forget(leg);
  }

  async open(options: MediaSessionOptions, report: (fact: MediaReport) => void): Promise<MediaSession<string>> {
    const ends = { call: options.call, a: this.#able(options.a), b: this.#able(options.b) };
    const holder: Holder = Symbol(options.call);
    const trunks = mediaEnds.map((end) => ends[end]).filter((end) => end.kind === "trunk");
    let session: NegotiatedSession | undefined;
    const engine = await this.#engine.open(ends, (fact) => {
      if (fact.kind === "media.lost") {
        session?.lost();
        for (const { leg } of trunks) this.#letGo(leg, holder);
      }
      report(fact);
    });
    const { a, b } = { a: this.#take(ends.a, holder), b: this.#take(ends.b, holder) };
    const terms = { a: this.#termsOf(ends.a, a), b: this.#termsOf(ends.b, b) };
    const held: SessionHolder = {
      newConference: () => this.#newConference(),
      handedOver: (end) => {
        const opened = ends[end];
        if (opened.kind === "trunk") this.#letGo(opened.leg, holder);
      },
      closed: () => {
        for (const { leg } of trunks) if (this.#dialogs.get(leg)?.holder === holder) this.#dialogs.delete(leg);
      },
    };
    const log = this.#log.child({ call: options.call });
    session = new NegotiatedSession(
      engine,
      newExchange(terms, this.#conversions),
      this.#endsOf(engine, ends, { a, b }),
      held,
      log,
    );
    return session;
  }

  /** An end of a kind that the engine has. */
  #able(end: EndOptions): EngineEnd {
    const { ends } = this.#engine.capabilities;
    if (end.kind === "leg" && this.#conferences !== undefined) return { kind: "conference" };
    if (end.kind !== "leg" && ends.includes(end.kind)) return end;
    const what = end.kind === "leg" ? `client of the kind ${end.form.kind}` : end.kind;
    throw new MediaError("engine", `the media engine has no end for a ${what}`);
  }

  /** The dialog of the trunk at an end, from another session, or a new one. */
  #take(end: EngineEnd, holder: Holder): TrunkDialog | undefined {
    if (end.kind !== "trunk") return undefined;
    const dialog = this.#dialogs.get(end.leg)?.dialog ?? new TrunkDialog(end.media);
    this.#dialogs.set(end.leg, { dialog, holder });
    return dialog;
  }

  #termsOf(end: EngineEnd, dialog: TrunkDialog | undefined): EndTerms {
    if (end.kind === "conference") return { kind: "client", codecs: [opusName], events: false };
    // It takes G.711 for certain, as trunks do, so that whatever else the other end has is converted.
    if (end.kind === "prompt") return { kind: "trunk", codecs: promptCodecs };
    if (end.kind === "client") return { kind: "client", codecs: convertible(end.codecs, this.#conversions) };
    const { codecs, rtpEvents } = end.media;
    return { kind: "trunk", codecs, events: rtpEvents !== false, numbers: dialog?.sdp.numbers ?? [] };
  }

  #letGo(leg: TrunkEnd["leg"], holder: Holder): void {
    const held = this.#dialogs.get(leg);
    if (held?.holder === holder) this.#dialogs.set(leg, { ...held, holder: undefined });
  }

  #newConference(): ConferenceNegotiation | undefined {
    return this.#conferences && new ConferenceNegotiation(this.#conferences);
  }

  #endsOf(
    engine: EngineSession,
    options: MediaSessionOptions<EngineEnd>,
    dialogs: Readonly<Record<MediaEnd, TrunkDialog | undefined>>,
  ): NegotiatedEnds {
    const ends: NegotiatedEnds = {};
    for (const end of mediaEnds) {
      const [opened, dialog, local] = [options[end], dialogs[end], engine.local[end]];
      if (opened.kind === "client") ends[end] = new ClientNegotiation(engine, end);
      else if (opened.kind === "prompt") ends[end] = new PromptNegotiation();
      else if (opened.kind === "conference") ends[end] = this.#newConference();
      else if (dialog !== undefined && local !== undefined)
        ends[end] = new TrunkNegotiation(opened.media, local, dialog);
    }
    return ends;
  }
}
