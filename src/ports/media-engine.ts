// What carries packets: opens ends, tells where they are, aims them, passes on what was agreed, closes them. It reads and
// writes no SDP, except for what a library of its own wants.
import type { AddressFamily } from "../core/address/ip.ts";
import type { Candidate } from "../core/sdp/candidate.ts";
import type { CryptoAttribute } from "../core/sdp/crypto-attribute.ts";
import type { Fingerprint, IceCredentials, Setup } from "../core/sdp/description.ts";
import type { Conversion } from "../core/sdp/exchange/conversion.ts";
import type { Flows } from "../core/sdp/exchange/flows.ts";
import type { WebRtcEnd } from "../core/sdp/exchange/requirement.ts";
import type { MediaEnd, Prompt } from "../core/media-end.ts";
import type { Seat } from "./conference.ts";
import type { CarriedMedia, ClientEnd, PromptEnd, SessionSource, TrunkEnd } from "./media.ts";

/** A participant in a conference; which one, is said when it is entered. */
export interface ConferenceEnd {
  readonly kind: "conference";
}

/** What our tones are spoken in: any trunk has one of these, or is converted to. */
export const promptCodecs = ["PCMA", "PCMU"] as const;

export type EngineEnd = ClientEnd | TrunkEnd | ConferenceEnd | PromptEnd;

export interface MediaCapabilities {
  /** The kinds of ends that it opens. */
  readonly ends: readonly EngineEnd["kind"][];
  /** Codecs that it turns into each other. All others go through as they are, or not at all. */
  readonly conversions: readonly Conversion[];
}

/** Our end of ICE, DTLS and RTP towards a client. */
export interface LocalClient {
  readonly ice: IceCredentials;
  readonly fingerprint: Fingerprint;
  readonly setup: Setup;
  /** All there are, as the world sees them. */
  readonly candidates: readonly Candidate[];
  /** Of our stream to the client. */
  readonly ssrc: number;
  readonly cname: string;
}

/** Where a trunk reaches us: RTP at an even port, RTCP at the next one. */
export interface LocalTrunk {
  readonly address: string;
  readonly port: number;
  /** Of the addresses that can be reached from there; undefined: all. */
  readonly family: AddressFamily | undefined;
}

export interface RemoteClient extends WebRtcEnd {
  readonly candidates: readonly Candidate[];
}

export interface RemoteTrunk {
  /** Undefined: nothing is to be sent there now (hold in the old way). */
  readonly address: string | undefined;
  readonly port: number;
  /** Undefined: none is left after the highest RTP port. */
  readonly rtcpPort: number | undefined;
  readonly rtcpMux: boolean;
  /** Undefined: plain RTP. */
  readonly keys: SdesKeyPair | undefined;
}

/** The lines of `a=crypto` that both have settled on (RFC 4568). */
export interface SdesKeyPair {
  readonly ours: CryptoAttribute;
  readonly theirs: CryptoAttribute;
}

/** A conference to enter. It may take the place of a client that was offered something and has not answered. */
export interface RemoteConference {
  readonly seat: Seat;
  /** Codecs that the other end may come to speak, the likeliest first, where nothing is agreed with it yet. */
  readonly voices: readonly string[];
}

/** An end whose peer said in SDP where it is. */
export type RemotePeer = ({ readonly kind: "client" } & RemoteClient) | ({ readonly kind: "trunk" } & RemoteTrunk);

export type RemoteEnd = RemotePeer | ({ readonly kind: "conference" } & RemoteConference);

/** What is new after an answer. */
export interface Following<Remote = RemoteEnd> {
  /** Ends whose peers have said where they are. A client here is one that answered what `offered` gave. */
  readonly remotes: Partial<Record<MediaEnd, Remote>>;
  /** What passes from now on; undefined: nothing is agreed yet. */
  readonly flows: Flows | undefined;
}

/** Its orders are carried out one after the other. Each throws MediaError `engine` when the session is gone. */
export interface EngineSession extends CarriedMedia {
  /** Of the ends where trunks stand. */
  readonly local: Partial<Record<MediaEnd, LocalTrunk>>;
  /** Our end for an offer to the client: the present one, or one that waits for its answer. */
  offered(end: MediaEnd): Promise<LocalClient>;
  /** Our end for the answer to a client that offered its own: the present one, or a new one where it restarts ICE. */
  accept(end: MediaEnd, remote: RemoteClient): Promise<LocalClient>;
  /** The client has offered and is answered later: time to gather what takes time. */
  prepare(end: MediaEnd, remote: RemoteClient): void;
  /** Plays the ringing tone at an end where a conference is, or a trunk that a session before has spoken to, until something is agreed. */
  ring(end: MediaEnd): Promise<void>;
  /** Plays a tone from the end where our tones are. */
  prompt(prompt: Prompt): Promise<void>;
  /** A key towards an end as RFC 4733, after those that are still on their way; ignored where the end takes none. */
  sendDtmf(to: MediaEnd, digit: string, durationMs: number): void;
  follow(following: Following): Promise<void>;
  /** What the call may come to cost, in calls that pass as they are, until `follow` tells what is agreed. */
  expect(price: number): void;
}

export interface MediaEngine extends SessionSource<EngineSession, EngineEnd> {
  readonly capabilities: MediaCapabilities;
}
