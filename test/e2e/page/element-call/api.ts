// What a test can ask of the page's Element Call, the real one in a frame: the page does for it what Element does.
import type { HeardReport } from "../api.ts";
import type { RtcRing } from "../rtc/api.ts";

/** Element Call's own words for how it says that it is in a call. */
export type ElementCallMode = "compatibility" | "matrix_2_0";

export interface ElementCall {
  /** As a press on "Voice call" in a direct room: Element Call rings the other. */
  call(roomId: string, mode: ElementCallMode): void;
  /** As a press on "Accept" of a ring. */
  answer(ring: RtcRing, mode: ElementCallMode): void;
  /** Is the frame there? Element Call closes it when the call is over. */
  isOpen(): boolean;
  /** As a client that is closed: Element Call says no more. */
  close(): void;
  /** What it plays of the others; undefined before there is as much. */
  heard(frequencies: readonly number[], durationMs: number): HeardReport | undefined;
}
