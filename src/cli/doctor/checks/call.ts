// `--call NUMBER`: a test call through the running bridge, and what it measured. The only check that may cost money.
import { systemClock } from "../../../clock/system-clock.ts";
import { testCall } from "../../../http/admin/wire/test-call.ts";
import { pause } from "../../../ports/pause.ts";
import type * as z from "zod";
import { CommandFailure } from "../../admin/connection.ts";
import type { Beside } from "../beside.ts";
import { failed, ok, skipped, warning, type Check, type Finding } from "../check.ts";

export interface CallParts {
  readonly beside: Beside;
  readonly number: string;
  /** Undefined: the first one of the dial plan's. */
  readonly trunk: string | undefined;
}

type TestCall = z.infer<typeof testCall>;

const talkSeconds = 6;
const askEveryMs = 300;
/** Setting up, talking, and saying good-bye. */
const limitMs = 60_000;

export function callCheck(parts: CallParts): Check {
  // Only over what is known to work.
  return { id: "call", needs: ["bridge"], limitMs, run: (signal) => place(parts, signal) };
}

async function place({ beside, number, trunk }: CallParts, signal: AbortSignal): Promise<Finding> {
  if (beside.kind !== "bridge") return skipped("calls are placed by the running bridge: start it first");
  const { connection } = beside;
  let call: TestCall;
  try {
    call = await connection.send("POST", "/test-calls", { number, trunk, seconds: talkSeconds }, testCall);
    const path = `/test-calls/${encodeURIComponent(call.id)}`;
    while (call.phase !== "over" && !signal.aborted) {
      await pause(askEveryMs, systemClock, signal);
      call = await connection.get(path, testCall);
    }
    if (call.phase !== "over") await connection.send("POST", `${path}/hangup`, undefined, testCall);
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    return failed(`the bridge does not place it: ${error.message}`, "matrix-appservice-sip number explain says why");
  }
  return judge(call);
}

/** Above that, words get lost (ITU-T G.113 appendix I). */
const mostLoss = 0.03;
const mostJitterMs = 30;

function judge(call: TestCall): Finding {
  const { number, trunk, cause, sip_status: status, answered_after_ms: answered, codec, heard } = call;
  const refused = status === undefined ? (cause ?? "nobody answered") : `${cause} (${status})`;
  if (answered === undefined)
    return failed(`${number} over ${trunk} was not answered: ${refused}`, "docs/operation.md#no-call-succeeds");
  const { packets = 0, lost = 0, jitter_ms: jitter = 0 } = heard ?? {};
  const rang = call.ringing_after_ms === undefined ? "" : `rang after ${call.ringing_after_ms} ms, `;
  const setUp = `${number} over ${trunk}: ${rang}was answered after ${answered} ms`;
  if (packets === 0)
    return failed(
      `${setUp}, and no audio came back${cause === undefined ? "" : ` (${cause})`}`,
      "docs/operation.md#one-way-audio",
    );
  const share = lost / (packets + lost);
  const { level_dbov: level, round_trip_ms: roundTrip } = heard ?? {};
  const more = [
    ...(roundTrip === undefined ? [] : [`${Math.round(roundTrip)} ms to the trunk and back`]),
    ...(level === undefined ? [] : [`at ${Math.round(level)} dB`]),
  ];
  const audio = [`${codec}, ${packets} packets, ${lost} lost, ${jitter} ms jitter`, ...more].join(", ");
  if (share > mostLoss || jitter > mostJitterMs)
    return warning(`${setUp}; ${audio}`, "docs/operation.md#audio-gets-lost");
  return ok(`${setUp}; ${audio}`);
}
