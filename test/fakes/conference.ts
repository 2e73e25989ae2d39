// A second kind of client, of which nothing in core or bridge knows: it takes part in a conference, has no SDP, and what it
// says of its media is an object. Its media engine has an end for it.
import { otherEnd, type MediaEnd } from "../../src/core/media-end.ts";
import type { LegForm, OwnSide } from "../../src/core/call/model/matrix-leg.ts";
import { noMediaStats } from "../../src/core/call/model/media-stats.ts";
import type { MediaDescription } from "../../src/core/media-description.ts";
import { deviceId, matrixCallId } from "../../src/core/ids.ts";
import {
  MediaError,
  type CallMedia,
  type EndOptions,
  type MediaHealth,
  type MediaSession,
  type MediaSessionOptions,
} from "../../src/ports/media.ts";
import { telephoneSays } from "./descriptions.ts";

/** Says in the conference's words what it needs to be spoken to. */
export const conferenceForm = {
  kind: "conference",
  media: "own",
  focus: { url: "https://sfu.example.org", room: "slot" },
} as unknown as LegForm;

export const conferenceSide: OwnSide = {
  matrixCallId: matrixCallId("membership"),
  own: deviceId("ghost's"),
  form: conferenceForm,
};

/** What a participant says. */
export function participant(track: string): MediaDescription {
  return { track } as unknown as MediaDescription;
}

export class ConferenceMedia implements CallMedia {
  readonly opened: Readonly<Record<MediaEnd, EndOptions>>[] = [];
  /** Keys, and where they were to be heard. */
  readonly pressed: string[] = [];
  /** Where the ringing tone was to be heard. */
  readonly rang: MediaEnd[] = [];
  /** What each end has said, in order. */
  readonly heard: { readonly from: MediaEnd; readonly said: MediaDescription }[] = [];

  async start(): Promise<void> {}
  async stop(): Promise<void> {}
  forget(): void {}
  health(): MediaHealth {
    return { ready: true, sessions: 0, free: 1, detail: "" };
  }

  async open({ a, b }: MediaSessionOptions): Promise<MediaSession> {
    const ends = { a, b };
    this.opened.push(ends);
    let count = 0;
    const ours = (end: MediaEnd): MediaDescription => {
      count += 1;
      return ends[end].kind === "leg" ? participant(`ours ${count}`) : telephoneSays(`ours ${count}`);
    };
    const hear = (from: MediaEnd, said: MediaDescription): void => {
      if ((typeof said === "string") === (ends[from].kind === "leg"))
        throw new MediaError("bad-description", "not its words");
      this.heard.push({ from, said });
    };
    return {
      untold: undefined,
      offer: async (from, said) => {
        hear(from, said);
        return { kind: "forward", description: ours(otherEnd(from)) };
      },
      answer: async (from, said) => {
        hear(from, said);
        return ours(otherEnd(from));
      },
      settle: async (from) => ours(from),
      describe: async (end) => ours(end),
      cross: async (from, said) => {
        hear(from, said);
        return { a: ours("a"), b: ours("b") };
      },
      ring: async (end) => {
        this.rang.push(end);
      },
      prompt: async () => {},
      sendDtmf: async (to, digit) => {
        this.pressed.push(to + digit);
        return true;
      },
      addCandidates: () => {},
      stats: async () => noMediaStats,
      unheard: async () => [],
      handOver: async () => {},
      close: async () => noMediaStats,
    };
  }
}
