// What we and a LiveKit server say to each other, in its protobuf (livekit_rtc.proto): written here, and read into types of
// our own. The server belongs to somebody else: what it says is bounded and believed in nothing.
import {
  AddTrackRequest,
  ClientInfo,
  ClientInfo_SDK,
  ConnectionSettings,
  DisconnectReason,
  Encryption_Type,
  JoinRequest,
  LeaveRequest,
  LeaveRequest_Action,
  ParticipantInfo_State,
  Ping,
  SessionDescription,
  SignalRequest,
  SignalResponse,
  SignalTarget,
  TrackSource,
  TrackType,
  TrickleRequest,
  WrappedJoinRequest,
  type Codec,
  type ICEServer,
  type JoinResponse,
  type ParticipantInfo,
} from "@livekit/protocol";
import { parseCandidate, type Candidate } from "../../../core/sdp/candidate.ts";
import { canonicalName } from "../../../core/sdp/format.ts";
import type { IceServer } from "../../../ports/media.ts";

/** Somebody at the server. */
export interface Attendee {
  /** Of this stay of theirs. */
  readonly sid: string;
  readonly identity: string;
  readonly isGone: boolean;
  /** Of their tracks of sound. */
  readonly tracks: readonly string[];
}

export interface Joined {
  readonly kind: "joined";
  readonly attendees: readonly Attendee[];
  /** By STUN it would learn nothing of us that our checks do not show it. */
  readonly turnServers: readonly IceServer[];
  readonly pingIntervalMs: number;
  /** How long the server may be silent. */
  readonly pingTimeoutMs: number;
  /** Codecs of sound that it takes from us. */
  readonly codecs: readonly string[];
  /** What frames end with that the server has put in by itself. */
  readonly injected: Buffer | undefined;
}

export type ServerSignal =
  | Joined
  | { readonly kind: "attendees"; readonly attendees: readonly Attendee[] }
  /** `tracks`: whose each of our sections is, by mid. */
  | {
      readonly kind: "answer";
      readonly offer: number;
      readonly sdp: string;
      readonly tracks: ReadonlyMap<string, string>;
    }
  | { readonly kind: "candidate"; readonly candidate: Candidate }
  /** It wants an offer from us, with so many more sections to be heard in. */
  | { readonly kind: "sections"; readonly more: number }
  /** `isFinal`: the server does not want us any more. */
  | { readonly kind: "left"; readonly reason: string; readonly isFinal: boolean }
  | { readonly kind: "other" };

/** Of which our own numbers are made: what it answers with has to be one of them. */
export interface TrackOffer {
  /** The name of our track in the offer. */
  readonly cid: string;
  readonly isEncrypted: boolean;
}

const most = {
  attendees: 1000,
  tracks: 16,
  iceServers: 16,
  urls: 8,
  sections: 64,
  codecs: 64,
  text: 65_536,
  name: 512,
} as const;
const seconds = { interval: { least: 1, usual: 5, most: 60 }, timeout: { least: 5, usual: 15, most: 120 } } as const;
/** The first one with a join request in the URL and one peer connection. */
const protocol = 16;
const finalReasons: ReadonlySet<DisconnectReason> = new Set([
  DisconnectReason.DUPLICATE_IDENTITY,
  DisconnectReason.PARTICIPANT_REMOVED,
]);

/** For the URL: base64url, and with padding, without which the server takes it for broken. */
export function joinRequest(): string {
  const joinRequest = new JoinRequest({
    clientInfo: new ClientInfo({ sdk: ClientInfo_SDK.JS, version: "2.20.0", protocol }),
    connectionSettings: new ConnectionSettings({ autoSubscribe: true }),
  });
  const wrapped = new WrappedJoinRequest({ joinRequest: joinRequest.toBinary() });
  return Buffer.from(wrapped.toBinary()).toString("base64").replaceAll("+", "-").replaceAll("/", "_");
}

export function trackRequest({ cid, isEncrypted }: TrackOffer): Uint8Array {
  return request({
    case: "addTrack",
    value: new AddTrackRequest({
      cid,
      name: "telephone",
      type: TrackType.AUDIO,
      source: TrackSource.MICROPHONE,
      disableRed: true,
      stream: "telephone",
      encryption: isEncrypted ? Encryption_Type.GCM : Encryption_Type.NONE,
    }),
  });
}

export function offer(id: number, sdp: string): Uint8Array {
  return request({ case: "offer", value: new SessionDescription({ type: "offer", sdp, id }) });
}

export function trickle(candidate: string, mid: string): Uint8Array {
  const candidateInit = JSON.stringify({ candidate, sdpMid: mid, sdpMLineIndex: 0 });
  return request({ case: "trickle", value: new TrickleRequest({ candidateInit, target: SignalTarget.PUBLISHER }) });
}

export function ping(nowMs: number): Uint8Array {
  return request({ case: "pingReq", value: new Ping({ timestamp: BigInt(nowMs) }) });
}

export function leave(): Uint8Array {
  return request({
    case: "leave",
    value: new LeaveRequest({ reason: DisconnectReason.CLIENT_INITIATED, action: LeaveRequest_Action.DISCONNECT }),
  });
}

/** Undefined: it is no message of the server's. */
export function readSignal(bytes: Uint8Array): ServerSignal | undefined {
  let message: SignalResponse["message"];
  try {
    ({ message } = SignalResponse.fromBinary(bytes));
  } catch {
    return undefined;
  }
  switch (message.case) {
    case "join":
      return joined(message.value);
    case "update":
      return { kind: "attendees", attendees: attendeesIn(message.value.participants) };
    case "answer": {
      const { id, sdp, midToTrackId } = message.value;
      const tracks = new Map(Object.entries(midToTrackId).slice(0, most.sections));
      return { kind: "answer", offer: id, sdp: sdp.slice(0, most.text), tracks };
    }
    case "trickle": {
      const candidate = candidateIn(message.value.candidateInit);
      return candidate === undefined ? { kind: "other" } : { kind: "candidate", candidate };
    }
    case "mediaSectionsRequirement":
      return { kind: "sections", more: Math.min(most.sections, message.value.numAudios) };
    case "leave": {
      const { reason, action } = message.value;
      const isFinal = action === LeaveRequest_Action.DISCONNECT && finalReasons.has(reason);
      return { kind: "left", reason: DisconnectReason[reason] ?? "unknown", isFinal };
    }
    default:
      return { kind: "other" };
  }
}

function request(message: SignalRequest["message"]): Uint8Array {
  return new SignalRequest({ message }).toBinary();
}

function joined(response: JoinResponse): Joined {
  const { otherParticipants, iceServers, pingInterval, pingTimeout, enabledPublishCodecs, sifTrailer } = response;
  return {
    kind: "joined",
    attendees: attendeesIn(otherParticipants),
    turnServers: iceServers.slice(0, most.iceServers).map(turnServerOf),
    pingIntervalMs: within(pingInterval, seconds.interval) * 1000,
    pingTimeoutMs: within(pingTimeout, seconds.timeout) * 1000,
    codecs: codecsIn(enabledPublishCodecs),
    injected: sifTrailer.length === 0 || sifTrailer.length > most.name ? undefined : Buffer.from(sifTrailer),
  };
}

function codecsIn(codecs: readonly Codec[]): string[] {
  return codecs
    .slice(0, most.codecs)
    .flatMap(({ mime }) => /^audio\/([\w-]{1,32})$/i.exec(mime)?.[1] ?? [])
    .map(canonicalName);
}

function attendeesIn(participants: readonly ParticipantInfo[]): Attendee[] {
  return participants
    .slice(0, most.attendees)
    .filter(({ sid, identity }) => sid.length <= most.name && identity.length <= most.name)
    .map(({ sid, identity, state, tracks }) => ({
      sid,
      identity,
      isGone: state === ParticipantInfo_State.DISCONNECTED,
      tracks: tracks
        .filter((track) => track.type === TrackType.AUDIO && track.sid.length <= most.name)
        .slice(0, most.tracks)
        .map((track) => track.sid),
    }));
}

function turnServerOf({ urls, username, credential }: ICEServer): IceServer {
  const some = urls.slice(0, most.urls).filter((url) => url.length <= most.name && /^turns?:/i.test(url));
  return { urls: some, username, credential };
}

function candidateIn(text: string): Candidate | undefined {
  try {
    const init: unknown = JSON.parse(text.slice(0, most.text));
    const { candidate } = typeof init === "object" && init !== null && "candidate" in init ? init : { candidate: "" };
    return typeof candidate === "string" ? parseCandidate(candidate) : undefined;
  } catch {
    return undefined;
  }
}

function within(value: number, { least, usual, most: top }: { least: number; usual: number; most: number }): number {
  return value <= 0 ? usual : Math.min(top, Math.max(least, value));
}
