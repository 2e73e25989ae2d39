// Sends ladders to Homer as they happen: SIP as SIP, Matrix events as lines of a log, both under the id of the call.
import type { CallId } from "../../core/ids.ts";
import type { LadderMessage } from "../../ports/ladders/ladder.ts";
import type { LadderSink } from "../ladders.ts";
import { unmarked } from "../redaction/marks.ts";
import type { Collector } from "./collector.ts";
import { hep3 } from "./hep3.ts";

export interface HomerParts {
  readonly collector: Collector;
  readonly captureId: number;
  readonly authKey: string | undefined;
  readonly shownNumber: (number: string) => string;
}

/** Events have no address: the homeserver's and ours are not told. */
const nowhere = { address: "127.0.0.1", port: 0 };

export class Homer implements LadderSink {
  readonly #parts: HomerParts;
  /** How many messages the last millisecond had: they stay in order. */
  #last = { atMs: 0, count: 0 };

  constructor(parts: HomerParts) {
    this.#parts = parts;
  }

  said(message: LadderMessage, call: CallId | undefined): void {
    const { collector, captureId, authKey, shownNumber } = this.#parts;
    const { from, to, transport, thread, text, label, atMs, isRepeat } = message;
    const isSip = transport !== undefined;
    // Of a repetition there is no text to send, and Homer would take it for another message.
    if (isRepeat) return;
    this.#last = { atMs, count: atMs === this.#last.atMs ? this.#last.count + 1 : 0 };
    const packet = hep3({
      source: from.address ?? nowhere,
      target: to.address ?? nowhere,
      isUdp: transport === "udp",
      atMs,
      microseconds: Math.min(this.#last.count, 999),
      protocol: isSip ? 1 : 100,
      captureId,
      authKey,
      correlation: call ?? thread,
      payload: isSip ? unmarked(text, shownNumber) : `${label}\n${unmarked(text, shownNumber)}`,
    });
    if (packet !== undefined) collector.send(packet);
  }
}
