// `window.softphone`: what tests see of the page. They act as a person does, by its buttons.
import type { PhoneState } from "./phone-state.ts";

export type Message = {
  readonly sender: string;
  readonly body: string;
  /** Milliseconds since the epoch. */
  readonly sentAt: number;
  readonly isNotice: boolean;
};

export type SoftphoneProbe = {
  readonly state: PhoneState;
  readonly statusLine: string;
  /** Whether the homeserver has a bridge to telephones. */
  readonly dialling: "unknown" | "available" | "unavailable";
  readonly userId: string;
  readonly messages: readonly Message[];
  /** Of what is heard: 0 for silence to 1 for full scale. */
  readonly level: number;
  /** The loudest frequency and how far it stands above the median of all, in dB. */
  loudestTone(): { readonly frequencyHz: number; readonly aboveMedianDb: number } | undefined;
};

declare global {
  var softphone: SoftphoneProbe | undefined;
}
