// MESSAGEs of the trunk (RFC 3428): read, passed on once however often they come, and answered with what became of
// them. What a body says is read in message-body.ts.
import type { CallId, TrunkName } from "../../core/ids.ts";
import type { Clock } from "../../ports/clock.ts";
import type { InboundSettings, SipSinks } from "../../ports/sip.ts";
import type { Log } from "../../ports/telemetry.ts";
import { calledOf } from "../headers/called-number.ts";
import { readMessageBody, TEXT_TYPES } from "./message-body.ts";
import { remoteIdentityOf, type VerdictHeaders } from "../headers/remote-identity.ts";
import type { PeerRequest } from "../user-agent/peer-request.ts";
import { mediaTypesHeader, numberHeader } from "../wire/header-builder.ts";

export interface MessagesInOptions {
  readonly trunk: TrunkName;
  readonly calledFrom: InboundSettings["calledFrom"];
  readonly verdictHeaders?: VerdictHeaders;
  readonly messaged: SipSinks["messaged"];
  readonly clock: Clock;
  readonly log: Log;
}

/** So many may be on their way to Matrix at once; more have to be sent again. */
const MAX_PENDING = 64;
/** Of one that is on its way, so many wait with it. */
const MAX_REPETITIONS = 8;
const RETRY_AFTER_S = 10;
/** So many verdicts are remembered for repetitions: at ten texts a second, those of the last minute. */
const MAX_REMEMBERED = 600;
/** The sender gives up after 64*T1 (RFC 3261 s17.1.2.2), and a 408 would tell it nothing (RFC 4320 s4.2). */
const ANSWER_WITHIN_MS = 28_000;

export class MessagesIn {
  readonly #options: MessagesInOptions;
  /** By Call-ID, CSeq and From tag, oldest first: a status, or those who wait for one. */
  readonly #verdicts = new Map<string, number | ((status: number) => void)[]>();
  #pending = 0;

  constructor(options: MessagesInOptions) {
    this.#options = options;
  }

  /** `call`: whose dialog it came in, if any. Never throws. */
  receive(asked: PeerRequest, call?: CallId): void {
    const { request, reply } = asked;
    const body = readMessageBody(request.contentType, request.bodyBytes);
    if (body === undefined) {
      reply(415, [mediaTypesHeader("Accept", TEXT_TYPES)]);
      return;
    }
    // Nobody in Matrix is told that somebody types: the telephone would have to say when it stops, too.
    if (body.kind === "typing" || body.text.trim() === "") {
      reply(200);
      return;
    }
    // RFC 3261 s8.2.2.2. With the tag: there are gateways that count their Call-IDs, and begin anew when they are started.
    const id = `${request.sipCallId} ${request.cseq.number} ${request.fromTag ?? ""}`;
    const known = this.#verdicts.get(id);
    if (typeof known === "number") {
      reply(known);
      return;
    }
    if (known !== undefined) {
      if (known.length >= MAX_REPETITIONS) this.#tooMany(asked);
      else known.push(this.#inTime(asked));
      return;
    }
    if (this.#pending >= MAX_PENDING) {
      this.#tooMany(asked);
      return;
    }
    this.#passOn(id, asked, body.text, call);
  }

  #tooMany({ reply }: PeerRequest): void {
    reply(503, [numberHeader("Retry-After", RETRY_AFTER_S)]);
  }

  #passOn(id: string, asked: PeerRequest, text: string, call: CallId | undefined): void {
    const { request } = asked;
    const { trunk, calledFrom, verdictHeaders, messaged, log } = this.#options;
    const waiting = [this.#inTime(asked)];
    this.#pending += 1;
    this.#verdicts.set(id, waiting);
    const decided = (status: number): void => {
      this.#pending -= 1;
      this.#remember(id, status);
      for (const answer of waiting) answer(status);
    };
    const inCall = call === undefined ? {} : { call };
    // In a call's dialog the Request-URI is our Contact; To is who the text is for.
    const called = calledOf(request, call === undefined ? calledFrom : "to");
    Promise.resolve()
      .then(() => {
        const identity = remoteIdentityOf(request, undefined, verdictHeaders);
        return messaged({ trunk, called, identity, text, id, ...inCall });
      })
      .then((status) => decided(Number.isInteger(status) && status >= 200 && status < 700 ? status : 500))
      .catch((error: unknown) => {
        log.error("could not pass on a text from the trunk", { error });
        decided(500);
      });
  }

  /** A text that is passed on after all is answered rightly when it is sent again. */
  #inTime({ reply }: PeerRequest): (status: number) => void {
    const { clock } = this.#options;
    const stopWaiting = clock.at(clock.nowMs() + ANSWER_WITHIN_MS, () => reply(504));
    return (status) => {
      stopWaiting();
      reply(status);
    };
  }

  #remember(id: string, status: number): void {
    this.#verdicts.delete(id);
    // A 5xx is for now only: whoever sends it again is heard again.
    if (status < 500 || status >= 600) this.#verdicts.set(id, status);
    for (const [old, verdict] of this.#verdicts) {
      if (this.#verdicts.size <= MAX_REMEMBERED) break;
      if (typeof verdict === "number") this.#verdicts.delete(old);
    }
  }
}
