// What happens at each number: scripts as data, found by the last digits of whatever was dialled, so that
// +442079460102, 02079460102 and 102 are the same. README.md has the table for people.
import type { SoundName } from "./media/sounds.ts";

export type ScriptStep =
  | { readonly do: "ring" }
  | { readonly do: "pause"; readonly ms: number }
  /** 183 with SDP: heard before anybody answered. */
  | { readonly do: "early"; readonly sound: SoundName }
  | { readonly do: "answer"; readonly sound: SoundName }
  /** re-INVITE with `sendonly`, and with `sendrecv`. */
  | { readonly do: "hold" }
  | { readonly do: "resume" }
  /** REFER the caller to another number of ours, or to a URI. */
  | { readonly do: "refer"; readonly to: string }
  /** MESSAGE to the caller. */
  | { readonly do: "text"; readonly text: string }
  | { readonly do: "hang up" }
  | { readonly do: "refuse"; readonly status: number; readonly reason: string };

export interface GatewayNumber {
  /** Digits that the dialled number ends in; the longest match wins. Empty: every other number. */
  readonly ending: string;
  /** For people: "rings, then says what you say". */
  readonly what: string;
  /** When it is over, the call goes on until somebody ends it. */
  readonly script: readonly ScriptStep[];
  /** Calls the caller back after a call that was answered, so long after its end. */
  readonly callsBack?: { readonly afterMs: number; readonly sound: SoundName };
  /** Answers a text (MESSAGE) with this one, in which `{text}` is what was written. */
  readonly textsBack?: string;
}

const ring: ScriptStep = { do: "ring" };
const pause = (ms: number): ScriptStep => ({ do: "pause", ms });
const early = (sound: SoundName): ScriptStep => ({ do: "early", sound });
const answer = (sound: SoundName): ScriptStep => ({ do: "answer", sound });
const refuse = (status: number, reason: string): ScriptStep => ({ do: "refuse", status, reason });
const answersWith = (sound: SoundName): readonly ScriptStep[] => [ring, pause(400), answer(sound)];

export const NUMBERS: readonly GatewayNumber[] = [
  { ending: "101", what: "echo: you hear yourself", script: answersWith("echo") },
  { ending: "102", what: "a tone of 440 Hz", script: answersWith({ hz: 440 }) },
  { ending: "103", what: "a tone of 1,000 Hz", script: answersWith({ hz: 1000 }) },
  { ending: "104", what: "a chime", script: answersWith("chime") },
  { ending: "105", what: "says the keys that you press", script: answersWith("keys") },
  {
    ending: "106",
    what: "answers texts, and writes you one when you call",
    script: [ring, pause(400), answer({ hz: 440 }), { do: "text", text: "You called 106." }],
    textsBack: "You wrote: {text}",
  },
  { ending: "8181", what: "a chime, after two rings", script: [ring, pause(2_000), answer("chime")] },
  { ending: "200", what: "answers late, after 8 seconds", script: [ring, pause(8_000), answer({ hz: 440 })] },
  {
    ending: "201",
    what: "answers and hangs up after 3 seconds",
    script: [ring, answer({ hz: 440 }), pause(3_000), { do: "hang up" }],
  },
  {
    ending: "202",
    what: "answers, holds you after 2 seconds, comes back after 2 more",
    script: [ring, answer({ hz: 440 }), pause(2_000), { do: "hold" }, pause(2_000), { do: "resume" }],
  },
  {
    ending: "203",
    what: "answers, and calls you back a second after you hung up",
    script: answersWith({ hz: 440 }),
    callsBack: { afterMs: 1_000, sound: { hz: 1000 } },
  },
  {
    ending: "204",
    what: "answers, and sends you on to 103 after 3 seconds",
    script: [ring, answer({ hz: 440 }), pause(3_000), { do: "refer", to: "02079460103" }],
  },
  { ending: "180", what: "rings for ever", script: [ring] },
  {
    ending: "183",
    what: "early media: an announcement tone, then not in service",
    script: [early("special-information"), pause(3_000), refuse(404, "Not Found")],
  },
  {
    ending: "184",
    what: "early media: a tone of 800 Hz before the answer, 440 Hz after it",
    script: [early({ hz: 800 }), pause(3_000), answer({ hz: 440 })],
  },
  { ending: "404", what: "not in service", script: [refuse(404, "Not Found")] },
  {
    ending: "480",
    what: "rings, and nobody is there",
    script: [ring, pause(1_000), refuse(480, "Temporarily Unavailable")],
  },
  { ending: "486", what: "busy", script: [refuse(486, "Busy Here")] },
  { ending: "503", what: "all lines in use", script: [refuse(503, "Service Unavailable")] },
  { ending: "603", what: "declines", script: [ring, pause(500), refuse(603, "Decline")] },
  { ending: "", what: "any other number is not in service", script: [refuse(404, "Not Found")] },
];

/** What a text to the number is answered with: a number that cannot be called cannot be written to either. */
export function textStatus({ script }: GatewayNumber): readonly [status: number, reason: string] {
  const [first] = script;
  return first?.do === "refuse" ? [first.status, first.reason] : [200, "OK"];
}

/** The entry for what was dialled, in any format; undefined where `numbers` has none for it. */
export function findNumber(dialled: string, numbers: readonly GatewayNumber[]): GatewayNumber | undefined {
  const digits = dialled.replace(/\D/g, "");
  return numbers
    .filter((number) => digits.endsWith(number.ending))
    .reduce<GatewayNumber | undefined>(
      (best, number) => (best === undefined || number.ending.length > best.ending.length ? number : best),
      undefined,
    );
}
