// What the phone is doing, and how it says so. Pure: no browser, no SDK.

/** How the last call ended: words for a person, and whether something went wrong. */
export type Ending = { readonly words: string; readonly isFailure: boolean };

export type PhoneState =
  | { readonly phase: "starting" }
  /** Nothing can be done before the page is loaded again. */
  | { readonly phase: "broken"; readonly problem: string }
  | { readonly phase: "idle" }
  | { readonly phase: "idle"; readonly peer: string; readonly ending: Ending }
  /** The number is looked up and its room made. */
  | { readonly phase: "looking-up"; readonly peer: string }
  /** The browser asks for the microphone and prepares the offer. */
  | { readonly phase: "preparing"; readonly peer: string }
  | { readonly phase: "ringing"; readonly peer: string }
  | { readonly phase: "incoming"; readonly peer: string }
  | { readonly phase: "connecting"; readonly peer: string }
  | {
      readonly phase: "talking";
      readonly peer: string;
      /** Milliseconds since the epoch. */
      readonly since: number;
      readonly isMuted: boolean;
      /** We put the other side on hold. */
      readonly isHeld: boolean;
      /** The other side put us on hold. */
      readonly isHeldByPeer: boolean;
      /** The other side said that it takes digits. */
      readonly takesDigits: boolean;
      /** The digits sent so far. */
      readonly digits: string;
      /** The other side can be sent on to somebody else (MSC2747). */
      readonly canBeTransferred: boolean;
      /** Why it was not; empty where nothing went wrong. */
      readonly transferProblem: string;
    };

export type Phase = PhoneState["phase"];

/** The line a person reads, for instance "In call 00:12". `now` as `since`. */
export function statusLine(state: PhoneState, now: number): string {
  const words = statusWords(state);
  return state.phase === "talking" ? `${words} ${clock(now - state.since)}` : words;
}

/** The same without the running clock: what a screen reader says. */
export function statusWords(state: PhoneState): string {
  switch (state.phase) {
    case "starting":
      return "Signing in…";
    case "broken":
      return state.problem;
    case "idle":
      return "ending" in state ? state.ending.words : "Ready";
    case "looking-up":
      return `Looking up ${state.peer}…`;
    case "preparing":
      return "Calling…";
    case "ringing":
      return "Ringing…";
    case "incoming":
      return "Incoming call";
    case "connecting":
      return "Connecting…";
    case "talking":
      return talkingWords(state);
  }
}

/** Who is or was called, or calls; empty where nobody is. */
export function peerOf(state: PhoneState): string {
  return "peer" in state ? state.peer : "";
}

function talkingWords({ isHeld, isHeldByPeer }: Extract<PhoneState, { phase: "talking" }>): string {
  if (isHeld) return "On hold";
  return isHeldByPeer ? "Held by the other side" : "In call";
}

/** `00:12`, `1:02:03`. */
export function clock(durationMs: number): string {
  const seconds = Math.max(0, Math.floor(durationMs / 1000));
  const parts = [Math.floor(seconds / 60) % 60, seconds % 60].map((part) => String(part).padStart(2, "0"));
  const hours = Math.floor(seconds / 3600);
  return (hours > 0 ? [String(hours), ...parts] : parts).join(":");
}

export type CallEnd = {
  readonly by: "us" | "them";
  /** As in `m.call.hangup` and `m.call.reject`; absent where none was given. */
  readonly reason: string | undefined;
  /** How long it was answered, in milliseconds; undefined where it never was. */
  readonly talkedMs: number | undefined;
  readonly isOutbound: boolean;
};

/** The words Element Web would choose, shorter. */
export function endingOf({ by, reason, talkedMs, isOutbound }: CallEnd): Ending {
  switch (reason) {
    case "no_user_media":
      return { words: "No microphone, or it was not allowed", isFailure: true };
    case "ice_failed":
      return { words: "No audio connection", isFailure: true };
    case "answered_elsewhere":
      return { words: "Answered elsewhere", isFailure: false };
    case "transferred":
      return { words: "Transferred", isFailure: false };
    case "user_busy":
      return { words: "Busy", isFailure: true };
    case "invite_timeout":
      return { words: isOutbound ? "No answer" : "Missed call", isFailure: isOutbound };
    case undefined:
    case "user_hangup":
    case "user hangup":
      if (talkedMs !== undefined) return { words: `Ended after ${clock(talkedMs)}`, isFailure: false };
      if (by === "us") return { words: isOutbound ? "Cancelled" : "Declined", isFailure: false };
      return { words: isOutbound ? "Declined" : "Missed call", isFailure: isOutbound };
    default:
      return { words: talkedMs === undefined ? "Call failed" : "Call broken off", isFailure: true };
  }
}
