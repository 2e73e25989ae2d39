// What a test can ask of the page's MatrixRTC telephone: plain data in and out.
import type { HeardReport } from "../api.ts";

/** How a client says that it is in a call: as Element Call does today, or as it will (`matrix_2_0`). */
export type MembershipFormat = "state event" | "sticky event";

export interface RtcJoinOptions {
  readonly format: MembershipFormat;
  /** Rings the others in the room, if nobody is in the call yet; for so long. */
  readonly ringsForMs?: number;
}

/** Somebody else who is in the call by the room's word. */
export interface RtcMember {
  readonly userId: string;
  readonly deviceId: string;
  readonly format: MembershipFormat;
  /** Its name at the media server. */
  readonly identity: string;
}

/** The newest call as the client sees it. */
export interface RtcReport {
  readonly roomId: string;
  /** By our own word in the room. */
  readonly joined: boolean;
  readonly others: readonly RtcMember[];
  /** livekit-client's words: `connecting`, `connected`, `reconnecting`, `disconnected` ... */
  readonly sfu: string;
  /** The names at the media server of the members whose sound comes. */
  readonly heard: readonly string[];
  /** In which codecs it comes, as `audio/opus`: by the browser's own statistics. */
  readonly heardCodecs: readonly string[];
  /** All that comes of them is encrypted. */
  readonly heardEncrypted: boolean;
  /** The ring that we sent, and who declined it. */
  readonly notificationId: string | undefined;
  readonly declinedBy: readonly string[];
  /** Frames and keys that could not be used. */
  readonly encryptionErrors: readonly string[];
}

/** A ring that came in, as long as a client would show it or not any more. */
export interface RtcRing {
  readonly roomId: string;
  readonly sender: string;
  readonly notificationId: string;
  /** The event by which the caller joined the call. */
  readonly membershipId: string;
  readonly lifetimeMs: number;
  /** What ended it: its event was redacted, or the person said no on one of their devices. */
  readonly over: "redacted" | "declined" | undefined;
}

export interface RtcPhone {
  /** Begins the room's call, or joins it: an answer is nothing else. */
  join(roomId: string, options: RtcJoinOptions): Promise<void>;
  /** Where its next calls meet: at the media server of this token service, whatever the homeserver names. */
  meetAt(service: string): void;
  /** Does nothing where there is no call. */
  leave(): Promise<void>;
  report(): Promise<RtcReport>;
  /** Who else is in the call of a room, as this client reads it, whether or not it is there itself. */
  othersIn(roomId: string): Promise<RtcMember[]>;
  /** All so far, the oldest first. */
  rings(): RtcRing[];
  decline(roomId: string, notificationId: string): Promise<void>;
  mute(muted: boolean): Promise<void>;
  /** As of `Phone`. */
  heard(frequencies: readonly number[], durationMs: number): HeardReport | undefined;
}
