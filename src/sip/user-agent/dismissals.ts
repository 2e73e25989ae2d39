// INVITEs to an earlier process that are still owed a final response: refused by what was stored of them, again and
// again until the ACK is here (RFC 3261 s17.2.1). The repetitions are the transport's.
import type { SipIncomingState } from "../../core/call/model/dialog-state.ts";
import type { Clock } from "../../ports/clock.ts";
import { textHeader, warningHeader } from "../wire/header-builder.ts";
import { formatResponse } from "../wire/message-writer.ts";
import type { OutgoingResponse } from "../wire/outgoing-message.ts";
import { reasonPhrase } from "../wire/reason-phrases.ts";
import type { SipRequest } from "../wire/message.ts";
import { parseNameAddr } from "../wire/fields/name-addr.ts";
import { parseVia, type Via } from "../wire/fields/via.ts";

export interface DismissalsOptions {
  readonly clock: Clock;
  /** 64*T1: how long an ACK is waited for. */
  readonly keepMs: number;
  readonly send: (response: OutgoingResponse) => Promise<void>;
}

export class Dismissals {
  readonly #options: DismissalsOptions;
  /** What to do when the ACK is here, by what it has in common with the INVITE. */
  readonly #owed = new Map<string, () => void>();

  constructor(options: DismissalsOptions) {
    this.#options = options;
  }

  /** `settled` is called once: it was acknowledged, could not be sent, or the time is over. */
  dismiss(incoming: SipIncomingState, status: number, settled: () => void): void {
    const { clock, keepMs, send } = this.#options;
    const { vias, from, to, cseq } = incoming;
    const top = parseVia(vias[0] ?? "");
    // What the store gives back may be anything: what cannot be read is not sent.
    if (top === undefined || parseNameAddr(from) === undefined || parseNameAddr(to) === undefined) {
      settled();
      return;
    }
    const key = keyOf(top, incoming.sipCallId, cseq);
    this.#owed.get(key)?.();
    const settle = (): void => {
      stopWaiting();
      if (this.#owed.get(key) !== settle) return;
      this.#owed.delete(key);
      settled();
    };
    const stopWaiting = clock.at(clock.nowMs() + keepMs, settle);
    this.#owed.set(key, settle);
    const headers = [
      ...vias.map((via) => textHeader("Via", via)),
      textHeader("From", from),
      textHeader("To", to),
      textHeader("Call-ID", incoming.sipCallId),
      textHeader("CSeq", `${cseq} INVITE`),
    ];
    const statusCode = status >= 400 && status <= 699 ? status : 500;
    if (statusCode === 488) headers.push(warningHeader(399, "The offer was refused before a restart"));
    const bytes = formatResponse(statusCode, reasonPhrase(statusCode), headers);
    const exchange = { vias: [top] as const, sipCallId: incoming.sipCallId, cseq: { number: cseq, method: "INVITE" } };
    send({ kind: "response", statusCode, exchange, bytes }).catch(settle);
  }

  /** Whether that ACK is for one of them. */
  acknowledged({ vias, sipCallId, cseq }: SipRequest): boolean {
    const settle = this.#owed.get(keyOf(vias[0], sipCallId, cseq.number));
    settle?.();
    return settle !== undefined;
  }

  close(): void {
    const owed = [...this.#owed.values()];
    this.#owed.clear();
    for (const settle of owed) settle();
  }
}

/** RFC 3261 s17.1.1.3: the ACK to a refusal has the top Via of its INVITE. */
function keyOf({ branch = "", host, port = 0 }: Via, sipCallId: string, cseq: number): string {
  return `${branch} ${host}:${port} ${sipCallId} ${cseq}`;
}
