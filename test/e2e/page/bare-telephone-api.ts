// What a test can ask of the bare telephone: plain data in and out, as it crosses from Node to the browser.

/** What the page can do; it lives on its `window` as `telephone`. */
export interface BareTelephone {
  offer(options: { codecs: string[]; video?: boolean; direction?: string; restart?: boolean }): Promise<string>;
  answered(sdp: string): Promise<void>;
  answer(sdp: string): Promise<string>;
  candidates(): string[];
  press(keys: string): boolean;
  /** Strongest frequency heard, in Hz, and how loud, in dB of full scale. */
  hears(): { hz: number; db: number };
  state(): string;
  /** As a client hangs up: its end of the connection is closed. */
  close(): void;
  received(): Promise<number>;
}
