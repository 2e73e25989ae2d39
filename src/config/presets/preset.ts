// What a preset is: all that `init` has to know of one kind of trunk, as data.
import type { Settings } from "../writing/commented.ts";

/** What may be asked about a trunk. Each is a flag of `init` of that name, with hyphens. */
export const askKeys = ["server", "username", "password", "number", "address", "port", "public_address"] as const;
export type AskKey = (typeof askKeys)[number];

export interface Ask {
  /** Else the words of the setting are used. */
  readonly question?: string;
  /** May hold placeholders that are asked for before. */
  readonly default?: string;
  /** Where a password is ours to choose, one is made up if nobody gives one. */
  readonly isMadeUp?: true;
  /** An empty answer leaves out what it is for. */
  readonly isOptional?: true;
}

/** Published words or pages that a preset rests on, and when somebody held the preset against them. */
interface Source {
  readonly url: string;
  /** ISO 8601. */
  readonly checked: string;
}

/** What goes somewhere else than into our own files. */
interface Paste {
  /** "In pjsip.conf", "In the Twilio console, under Elastic SIP Trunking". */
  readonly where: string;
  /** A line with `%{called}` stands once for each number that rings somebody; without numbers it is left out. */
  readonly lines: readonly string[];
}

export interface TrunkPreset {
  readonly id: string;
  readonly title: string;
  readonly sources: readonly [Source, ...Source[]];
  /** What the preset has made calls with; undefined if it only follows its sources. */
  readonly runWith?: string;
  readonly asks: Readonly<Partial<Record<AskKey, Ask>>>;
  /** The trunk's section without its name. `%{server}` and its like stand for answers. */
  readonly trunk: Settings;
  /** How people's numbers are written in `identity.numbers`; undefined if the trunk shows a number of its own choice. */
  readonly callerNumbers?: "e164" | "e164-without-plus";
  readonly paste: readonly Paste[];
}

/** What texts may hold besides answers: `secret` is the password itself, `password` the file that it stands in. */
export const derivedKeys = ["name", "host", "server_port", "secret", "called"] as const;
