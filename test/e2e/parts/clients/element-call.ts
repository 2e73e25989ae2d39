// What a person does with the real Element Call in their browser, and hears of it.
import type { ElementCallMode } from "../../page/element-call/api.ts";
import type { RtcRing } from "../../page/rtc/api.ts";
import type { Hearing } from "../base/hearing.ts";
import { until } from "../base/until.ts";
import type { Browser } from "./browser.ts";

export interface ElementCallOf {
  call(roomId: string): Promise<void>;
  answer(ring: RtcRing): Promise<void>;
  /** Its own button. */
  hangUp(): Promise<void>;
  /** It closes by itself when the call is over, declined or missed. */
  closed(): Promise<unknown>;
  readonly hears: Hearing;
}

export function elementCallOf({ page, elementCall }: Browser, mode: ElementCallMode): ElementCallOf {
  return {
    call: (roomId) => elementCall.call(roomId, mode),
    answer: (ring) => elementCall.answer(ring, mode),
    hangUp: () => page.frameLocator("iframe").getByRole("button", { name: "End call" }).click(),
    closed: () => until("Element Call to close", async () => !(await elementCall.isOpen())),
    hears: (frequencies, durationMs) => elementCall.heard(frequencies, durationMs),
  };
}
