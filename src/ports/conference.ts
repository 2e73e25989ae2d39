// A conference at a media server (MatrixRTC: a slot on a focus) as the media edge sees it: the matrix edge knows who is in
// it, and gets us in.
import type { MediaDescription } from "../core/media-description.ts";

declare const ofSeat: unique symbol;

/** Names our place in one conference for the life of a call, in words of the matrix edge. */
export type SeatId = string & { readonly [ofSeat]: "SeatId" };

declare const ofFocus: unique symbol;

/** One of the media servers where a conference meets, in words of the matrix edge. */
export type FocusId = string & { readonly [ofFocus]: "FocusId" };

/** What lets us in, for a short time. */
export interface Admission {
  /** Address of the media server, `ws(s)://` or `http(s)://`. */
  readonly url: string;
  /** A JWT: secret. */
  readonly token: string;
}

/** Of one participant's frames. */
export interface FrameKey {
  /** As frames name it, 0 to 255. */
  readonly index: number;
  /** 16 to 32 octets, from which the key of the cipher is derived. */
  readonly secret: Uint8Array;
}

/** One who belongs to the call. Whoever else is at the server is not heard. */
export interface Participant {
  /** As the media server names it. */
  readonly identity: string;
  /** Where they are heard; undefined: where we are heard too. */
  readonly focus?: FocusId | undefined;
  /** Empty: none has come yet, or the call is not encrypted. */
  readonly keys: readonly FrameKey[];
}

export interface Attendance {
  readonly participants: readonly Participant[];
  /** What our frames are encrypted with; undefined: the call is not encrypted. */
  readonly ownKey: FrameKey | undefined;
}

/** Our place, while the call lasts. */
export interface Seat {
  /**
   * Before anybody else is called: throws MediaError `no-admission` where we would not be let in, whatever is asked, `engine`
   * where it cannot be found out whether the call is encrypted.
   */
  check(): Promise<void>;
  /**
   * To the media server `focus` (undefined: where we are heard). A new admission each time, so that one who was thrown out can
   * come back. Throws MediaError `engine`.
   */
  admit(focus?: FocusId): Promise<Admission>;
  /** Tells who is in the call, at once and at each change, until what it gives is called. */
  attend(changed: (attendance: Attendance) => void): () => void;
  /** Whether anybody who belongs to the call is at the media server: told if nobody is some seconds after we came, and if somebody comes then. */
  met(isAnybody: boolean): void;
}

export interface ConferenceAccess {
  /** Never throws: what is wrong with a seat shows when it is taken. */
  seat(id: SeatId): Seat;
}

/** What an end of a conference says of its media: where we meet it, and nothing else. */
export function seatDescription(seat: SeatId): MediaDescription {
  return { kind: "conference", seat } as unknown as MediaDescription;
}

/** Undefined: it is of another kind of end. */
export function seatIn(description: MediaDescription): SeatId | undefined {
  if (typeof description === "string" || !("seat" in description)) return undefined;
  return typeof description.seat === "string" ? (description.seat as SeatId) : undefined;
}
