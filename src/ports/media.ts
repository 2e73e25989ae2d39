// A call's media as the bridge sees it: offers and answers in SDP, and facts. What is agreed is decided in
// media/negotiation; what carries the packets is an engine (media-engine.ts). Neither decides about the call.
// One rule above all: a stream towards a trunk is one and continuous for as long as the trunk's dialog lives, whatever
// stands at the other end, in whichever session.
import type { CallId, TrunkName } from "../core/ids.ts";
import type { IceCandidate, MediaFact } from "../core/call/model/fact.ts";
import type { MediaFault, MediaEnd, Prompt } from "../core/media-end.ts";
import type { LegForm } from "../core/call/model/matrix-leg.ts";
import type { MediaDescription } from "../core/media-description.ts";
import type { MediaStats } from "../core/call/model/media-stats.ts";
import type { Direction } from "../core/sdp/direction.ts";

/** One entry of the homeserver's TURN reply, or of the configuration. */
export interface IceServer {
  readonly urls: readonly string[];
  readonly username?: string;
  readonly credential?: string;
}

/** How RTP to one trunk has to look. */
export interface TrunkMedia {
  /** `off`: RTP/AVP; `required`: RTP/SAVP with SDES (RFC 4568). */
  readonly srtp: "off" | "required";
  /** Codec names in order of preference: `PCMU`, `PCMA`, `G722`, `opus`. */
  readonly codecs: readonly string[];
  /** Extra networks (CIDR) a trunk's RTP may come from besides the address in its SDP. */
  readonly rtpNetworks: readonly string[];
  /**
   * Where RTP is sent to. `lock`, also if undefined: the place that the trunk's first packet came from, or another port once
   * it has been silent for `relearnMs`. `follow`: wherever its last packet came from. `sdp`: where its SDP says, wherever it
   * sends from. An address that neither SDP nor `rtpNetworks` names is never heard.
   */
  readonly rtpPeer?: "lock" | "follow" | "sdp" | undefined;
  readonly relearnMs?: number | undefined;
  /** For the log. */
  readonly trunk?: TrunkName | undefined;
  /** False: telephone-event is not agreed on with the trunk, so that keys reach it in INFO alone. */
  readonly rtpEvents?: boolean;
}

/** A WebRTC client: ICE and DTLS-SRTP (RFC 8827). */
export interface ClientEnd {
  readonly kind: "client";
  readonly iceServers: readonly IceServer[];
  /** What it is offered, as `TrunkMedia.codecs`. */
  readonly codecs: readonly string[];
}

/** A trunk: RTP, or SRTP keyed in SDP. */
export interface TrunkEnd {
  readonly kind: "trunk";
  readonly media: TrunkMedia;
  /** Whose dialog it is, by the id under which the SIP edge knows the leg. */
  readonly leg: CallId;
}

/** An end of a Matrix leg's own kind, without SDP: a participant in a conference server's room, say. */
interface LegEnd {
  readonly kind: "leg";
  readonly form: LegForm;
}

/** Nobody: tones of ours are heard from there, by `prompt`. It is answered for with any words. */
export interface PromptEnd {
  readonly kind: "prompt";
}

/** What stands at one end. */
export type EndOptions = ClientEnd | TrunkEnd | LegEnd | PromptEnd;

/** One end of a Matrix leg at most. */
export type MediaSessionOptions<End = EndOptions> = { readonly call: CallId } & Readonly<Record<MediaEnd, End>>;

/** Spontaneous facts of a session; answers to orders come back from the order itself. */
export type MediaReport = Extract<
  MediaFact,
  {
    kind:
      | "media.connected"
      | "media.failed"
      | "media.closed"
      | "media.disconnected"
      | "media.timedOut"
      | "media.lost"
      | "media.dtmf";
  }
>;

/** What the other end is told, or (`settled`) the answer for the end that offered, which the other need not hear of. */
export type OfferOutcome<Said = MediaDescription> =
  | { readonly kind: "forward"; readonly description: Said }
  | { readonly kind: "settled"; readonly description: Said };

/** An order could not be carried out; the session stays as it was. */
export class MediaError extends Error {
  override readonly name = "MediaError";
  readonly code: MediaFault;
  constructor(code: MediaFault, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** What passes between the two ends of a session, and its end. */
export interface CarriedMedia {
  /** Trickled candidates of the client; before, between or after descriptions. Bad ones are ignored and logged. */
  addCandidates(candidates: readonly IceCandidate[]): void;
  stats(): Promise<MediaStats>;
  /** The ends that should be heard by the other one now, and of which nothing has been passed on yet. Throws MediaError. */
  unheard(): Promise<readonly MediaEnd[]>;
  /**
   * The dialog of the trunk at that end goes on in another session: nothing more is sent to it from here, and the session that
   * is opened for the same leg goes on with all that this one had. Never throws.
   */
  handOver(end: MediaEnd): Promise<void>;
  /** Ends the session; never throws, may be called once only. */
  close(): Promise<MediaStats>;
}

/** `Said`: in which words it speaks to its ends; it may be given any, and refuses what is not of the end's kind. */
export interface MediaSession<Said extends MediaDescription = MediaDescription> extends CarriedMedia {
  /**
   * A key towards an end as RFC 4733, in the stream's own time, after those that are still on their way. False where it was
   * not sent: the end takes none, or the session is gone. Never throws.
   */
  sendDtmf(to: MediaEnd, digit: string, durationMs: number): Promise<boolean>;
  /**
   * What a client has yet to be told of the trunk's hold, or of its end, after the last order that wrote a description:
   * `describe` makes the offer that tells it. It stays so until the client has answered that offer. The same where it may say
   * digits in a clock that its codec has not.
   */
  readonly untold: Direction | undefined;
  /** First offer and every re-offer: gives the other end's offer, or settles (ICE restart alone). Throws MediaError. */
  offer(from: MediaEnd, description: MediaDescription): Promise<OfferOutcome<Said>>;
  /**
   * Answer of `from`; gives the SDP for the other end, with all our candidates: its answer where it had offered, our
   * offer to it where we had described ourselves to `from` in a new session, and "" where nobody waits for a word.
   * A trunk may answer again (provisional and final response), a client only once. Throws MediaError.
   */
  answer(from: MediaEnd, description: MediaDescription): Promise<Said>;
  /** The other end refused the pending offer: gives the answer for the end that made it, with the media as it was. Throws MediaError. */
  settle(from: MediaEnd): Promise<Said>;
  /**
   * An offer of our own for an end, with all our candidates: in a new session of all codecs, in a running one of the codec
   * in use, to be answered by the same peer or by another one in its place. To a client it shows whether the trunk holds.
   * Throws MediaError.
   */
  describe(end: MediaEnd): Promise<Said>;
  /**
   * It rings at the other end: whoever takes part in a conference at this one hears it, and a trunk whose dialog has had a session
   * before, until something passes. Clients play a tone of their own. Never throws.
   */
  ring(end: MediaEnd): Promise<void>;
  /** A tone from the end where our tones are. Never throws. */
  prompt(prompt: Prompt): Promise<void>;
  /**
   * Glare: the other end has offered and waits, and `from`, instead of answering what we offered it, offers by itself.
   * Gives an answer for each. Throws MediaError.
   */
  cross(from: MediaEnd, description: MediaDescription): Promise<Readonly<Record<MediaEnd, Said>>>;
}

export interface MediaHealth {
  readonly ready: boolean;
  readonly sessions: number;
  /** Sessions the engine would still take now. */
  readonly free: number;
  readonly detail: string;
}

/** Opens sessions. */
export interface SessionSource<Session extends CarriedMedia, End> {
  /** Ready when it resolves: workers up, ports bindable. */
  start(): Promise<void>;
  /** Throws MediaError `no-capacity` or `no-ports`, and `engine` for an end that it cannot do. `report` may be called until `close` resolves. */
  open(options: MediaSessionOptions<End>, report: (fact: MediaReport) => void): Promise<Session>;
  /** That trunk leg's dialog has ended: no session is opened for it any more. */
  forget(leg: CallId): void;
  health(): MediaHealth;
  stop(): Promise<void>;
}

/** The media of all calls. */
export type CallMedia<Said extends MediaDescription = MediaDescription> = SessionSource<MediaSession<Said>, EndOptions>;
