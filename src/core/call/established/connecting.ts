// The one door into a connected call: both directions come here when both sides have their answer.
import type {
  Accepting,
  Alerting,
  Answering,
  Arriving,
  CallIn,
  Connected,
  Early,
  Inviting,
  Keying,
  PickingUp,
  Unshown,
} from "../model/call.ts";
import type { TimedFact } from "../model/fact.ts";
import type { CallOrder } from "../model/order.ts";
import { enter, to, type Step } from "../model/transition.ts";
import { confirmed } from "../model/trunk-leg.ts";
import { silenceMs } from "./unheard.ts";

type Both = Pick<Connected, "trunk" | "takenAtMs" | "inviter" | "answer" | "mediaUp" | "renegotiation"> &
  Pick<Unshown, "untold">;

/** `orders`: what tells each side, before anything else is said. */
export function connect(
  call: CallIn<Answering | Accepting | Early>,
  { untold, ...both }: Both,
  orders: readonly CallOrder[],
): Step {
  const { shown } = call;
  const { leg, ringingAtMs } = call.phase;
  return to(
    enter<Connected>(call, {
      kind: "connected",
      leg,
      ringingAtMs,
      hearing: "awaited",
      ...both,
      unshown: { untold, tries: 0, isOvertaken: false },
    }),
    { kind: "deadline.clear", name: "answer" },
    ...orders,
    { kind: "deadline.set", name: "duration", atMs: both.trunk.answeredAtMs + call.maxDurationMs },
    { kind: "deadline.set", name: "audio", atMs: both.takenAtMs + silenceMs },
    ...(shown === undefined || shown.ghost === leg.ghost
      ? []
      : [{ kind: "matrix.signal", leg, signal: { kind: "identity", identity: shown } } as const]),
  );
}

/** Who is at the far end, for when the call is connected. Undefined: the fact is of something else. */
export function noteIdentity(
  call: CallIn<Inviting | Early | Answering | PickingUp | Keying | Arriving | Alerting | Accepting>,
  fact: TimedFact,
): Step | undefined {
  if (fact.kind === "sip.identified")
    return to(call, { kind: "identity.resolve", trunk: call.phase.trunk.name, identity: fact.identity });
  return fact.kind === "identity.resolved" ? to({ ...call, shown: fact.shown }) : undefined;
}

/** Whoever has picked up hears nothing until the media engine has made its answer, which includes gathering candidates. */
export const mediaAnswerMs = 10_000;

/** The callee of an outbound call has picked up; `orders`: what makes the client's answer. */
export function answerByTrunk(
  call: CallIn<Inviting | Early>,
  { dialog, atMs }: Extract<TimedFact, { kind: "sip.accepted" }>,
  orders: readonly CallOrder[],
): Step {
  const { leg, trunk, ringingAtMs } = call.phase;
  return to(
    enter<Answering>(call, { kind: "answering", leg, trunk: confirmed(trunk, dialog, atMs), ringingAtMs }),
    { kind: "deadline.set", name: "answer", atMs: atMs + mediaAnswerMs },
    ...orders,
  );
}
