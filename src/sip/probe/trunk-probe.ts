// Asks a trunk what the bridge would ask it, with the bridge's own sockets and credentials, and takes back what it has done.
// Places no calls and takes none.
import type { Clock } from "../../ports/clock.ts";
import { doneWithin } from "../../ports/done-within.ts";
import { noTap } from "../../ports/ladders/tap.ts";
import type { TrunkSettings } from "../../ports/sip.ts";
import type { Log } from "../../ports/telemetry.ts";
import type { Resolver } from "../transport/resolver.ts";
import { DEFAULT_TIMERS, type SipTimers } from "../transport/retransmit.ts";
import { DEFAULT_KEEP_ALIVE_MS } from "../transport/sockets/connection.ts";
import type { Target } from "../transport/sockets/target.ts";
import { minExpiresMs } from "../trunk/registration-times.ts";
import { optionsRequest, registerRequest } from "../trunk/trunk-requests.ts";
import { Trunk } from "../trunk/trunk.ts";
import type { FinalResponse } from "../user-agent/peer-request.ts";
import type { OutOfDialogParts } from "../user-agent/user-agent.ts";
import { parseChallenges } from "../wire/digest/digest-challenge.ts";
import { header, headerValues, type SipResponse } from "../wire/message.ts";

export type ProbeAnswer =
  | {
      readonly kind: "answered";
      readonly status: number;
      readonly phrase: string;
      /** The trunk asked for the password, and got a digest of it. */
      readonly gotPassword: boolean;
      /** For which it still asks. */
      readonly realms: readonly string[];
      /** What it says of its media. */
      readonly sdp: string | undefined;
      /** The Date header. */
      readonly date: string | undefined;
    }
  | { readonly kind: "none"; readonly message: string };

export interface TrunkProbe {
  options(target: Target): Promise<ProbeAnswer>;
  /** Registers, and takes that back. */
  register(target: Target): Promise<ProbeAnswer>;
  close(): Promise<void>;
}

export interface TrunkProbeOptions {
  readonly settings: TrunkSettings;
  readonly resolver: Resolver;
  readonly clock: Clock;
  readonly log: Log;
  readonly withinMs: number;
  readonly timers?: SipTimers;
}

const farewellMs = 2_000;

/** Throws TransportError where the trunk's own address cannot be bound. */
export async function openTrunkProbe(options: TrunkProbeOptions): Promise<TrunkProbe> {
  const { settings, clock, withinMs, timers = DEFAULT_TIMERS } = options;
  const trunk = new Trunk({
    ...options,
    timers,
    keepAliveMs: DEFAULT_KEEP_ALIVE_MS,
    tap: noTap,
    onHealth: () => {},
    // It is closed for calls below.
    onInvited: () => {},
    onAsked: (request) => request.reply(503),
  });
  // Whoever calls now gets 503: the bridge is not there.
  trunk.close();
  try {
    await trunk.open();
  } catch (error) {
    await trunk.stop(0);
    throw error;
  }

  const ask = async (target: Target, parts: OutOfDialogParts): Promise<ProbeAnswer & { readonly minMs?: number }> => {
    let answer: FinalResponse | undefined;
    const asked = new Promise<void>((resolve) => {
      trunk.askAt(target, parts, (response) => {
        answer = response;
        resolve();
      });
    });
    await doneWithin(withinMs, asked, clock);
    if (answer === undefined) return { kind: "none", message: `no answer within ${withinMs / 1000} s` };
    return answer.kind === "none" ? { kind: "none", message: answer.message } : read(answer, parts.cseq ?? 1);
  };

  return {
    options: (target) => ask(target, optionsRequest(settings, target, clock.newId())),
    async register(target) {
      const sipCallId = clock.newId();
      const say = (cseq: number, expiresMs: number): ReturnType<typeof ask> => {
        const expiresSeconds = Math.ceil(expiresMs / 1000);
        return ask(target, registerRequest(settings, { sipCallId, cseq, expiresSeconds }));
      };
      const expiresMs = settings.registration?.expiresMs ?? 60_000;
      let answer = await say(1, expiresMs);
      // RFC 3261 s10.2.8
      if (answer.minMs !== undefined && answer.minMs > expiresMs) answer = await say(11, answer.minMs);
      const isBound = answer.kind === "answered" && answer.status < 300;
      // One that was not answered may have been taken all the same.
      if (isBound || answer.kind === "none") await doneWithin(farewellMs, say(21, 0), clock);
      return answer;
    },
    close: () => trunk.stop(0),
  };
}

function read(response: SipResponse, sentCSeq: number): ProbeAnswer & { readonly minMs?: number } {
  const { statusCode: status, reasonPhrase: phrase, contentType, body } = response;
  const challenges = [
    ...headerValues(response, "WWW-Authenticate").flatMap((value) => parseChallenges(value, false)),
    ...headerValues(response, "Proxy-Authenticate").flatMap((value) => parseChallenges(value, true)),
  ];
  const minMs = status === 423 ? minExpiresMs(response) : undefined;
  return {
    kind: "answered",
    status,
    phrase,
    // Each answer to a challenge raises it.
    gotPassword: response.cseq.number > sentCSeq,
    realms: [...new Set(challenges.map(({ realm }) => realm))],
    sdp: contentType?.type === "application/sdp" ? body : undefined,
    date: header(response, "Date"),
    ...(minMs === undefined ? {} : { minMs }),
  };
}
