// The one door into a connected call: both directions come here when both sides have their answer.
import type { Accepting, Answering, Connected, Early, Inviting, Unshown } from "../model/call.ts";
import type { CallOrder } from "../model/order.ts";
import { common } from "../ending/ending.ts";
import type { TimedFact } from "../model/fact.ts";
import { to, type Step } from "../model/transition.ts";
import { silenceMs } from "./unheard.ts";

type Both = Pick<
  Connected,
  "dialog" | "answeredAtMs" | "takenAtMs" | "inviter" | "answer" | "mediaUp" | "renegotiation"
> &
  Pick<Unshown, "untold">;

/** `orders`: what tells each side, before anything else is said. */
export function connect(
  call: Answering | Accepting | Early,
  { untold, ...both }: Both,
  orders: readonly CallOrder[],
): Step {
  const { leg, abilities, trunk, ringingAtMs, shown } = call;
  const { name, number, abilities: trunkAbilities } = trunk;
  const connected: Connected = {
    ...common(call),
    phase: "connected",
    leg,
    abilities,
    // How the trunk was dialled matters no longer.
    trunk: { name, number, abilities: trunkAbilities },
    ringingAtMs,
    hearing: "awaited",
    ...both,
    unshown: { untold, tries: 0, isOvertaken: false },
  };
  return to(
    connected,
    { kind: "deadline.clear", name: "answer" },
    ...orders,
    { kind: "deadline.set", name: "duration", atMs: both.answeredAtMs + call.maxDurationMs },
    { kind: "deadline.set", name: "audio", atMs: both.takenAtMs + silenceMs },
    ...(shown === undefined || shown.ghost === leg.ghost
      ? []
      : [{ kind: "matrix.signal", leg, signal: { kind: "identity", identity: shown } } as const]),
  );
}

/** Whoever has picked up hears nothing until the media engine has made its answer, which includes gathering candidates. */
export const mediaAnswerMs = 10_000;

/** The callee of an outbound call has picked up; `orders`: what makes the client's answer. */
export function answerByTrunk(
  call: Inviting | Early,
  { dialog, atMs }: Extract<TimedFact, { kind: "sip.accepted" }>,
  orders: readonly CallOrder[],
): Step {
  const { leg, abilities, trunk, ringingAtMs } = call;
  const answering: Answering = {
    ...common(call),
    phase: "answering",
    leg,
    abilities,
    trunk,
    ringingAtMs,
    dialog,
    answeredAtMs: atMs,
  };
  return to(answering, { kind: "deadline.set", name: "answer", atMs: atMs + mediaAnswerMs }, ...orders);
}
