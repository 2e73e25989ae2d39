// The caller's line is answered, and they enter the PIN by keys: three tries, so much time for each key, and for all of them.
// Who has the right one comes in as any caller does whose line is answered already.
import { clientEnd, trunkEnd } from "../../media-end.ts";
import { nothingEntered, press, tryAgain, type KeyWay } from "../../pin-entry.ts";
import { stepEarlyDialog } from "./early-dialog.ts";
import { end } from "../ending/ending.ts";
import { mediaAnswerMs } from "../established/connecting.ts";
import type { Arriving, CallIn, Keying, PickingUp } from "../model/call.ts";
import type { Cause } from "../model/cause.ts";
import type { TimedFact } from "../model/fact.ts";
import type { CallOrder } from "../model/order.ts";
import { amend, enter, ignored, to, unchanged, type Step } from "../model/transition.ts";
import type { ConfirmedLeg } from "../model/trunk-leg.ts";

/** For each key. */
const keyMs = 20_000;
/** For the whole of it, whoever plays with the keys: the line counts among those in use. */
const entryMs = 120_000;
/** The verdict is there at once. */
const verdictMs = 5_000;
/** Longer than any of our tones. */
const toneMs = 1_000;

export function beginKeying(
  call: CallIn<PickingUp>,
  trunk: ConfirmedLeg,
  atMs: number,
  orders: readonly CallOrder[],
): Step {
  const { ghost, ring, stages, announce, pin } = call.phase;
  return to(
    enter<Keying>(call, {
      kind: "keying",
      trunk,
      ghost,
      ring,
      stages,
      announce,
      pin,
      entry: nothingEntered,
      awaiting: "keys",
    }),
    ...orders,
    { kind: "deadline.set", name: "answer", atMs: atMs + entryMs },
    { kind: "deadline.set", name: "keys", atMs: atMs + keyMs },
    { kind: "media.prompt", prompt: "enter" },
  );
}

export function stepKeying(call: CallIn<Keying>, fact: TimedFact): Step {
  switch (fact.kind) {
    case "media.dtmf":
      return fact.from === trunkEnd ? pressed(call, fact.digit, "rtp", fact.atMs) : unchanged(call);
    case "sip.dtmf":
      return pressed(call, fact.digit, "info", fact.atMs);
    case "pin.checked":
      return call.phase.awaiting === "verdict" ? judged(call, fact) : ignored(call, fact);
    case "media.connected":
    case "media.answered":
      return unchanged(call);
    case "deadline.passed":
      return timePassed(call, fact);
    default:
      return stepEarlyDialog(call, fact);
  }
}

function pressed(call: CallIn<Keying>, key: string, way: KeyWay, atMs: number): Step {
  const { entry: before, pin, ghost, awaiting } = call.phase;
  if (awaiting !== "keys") return unchanged(call);
  const { kind, entry } = press(before, key, way, pin);
  switch (kind) {
    case "ignored":
      return unchanged(call);
    case "going-on":
      return to(amend(call, { entry }), { kind: "deadline.set", name: "keys", atMs: atMs + keyMs });
    case "complete": {
      const { keys, wrong } = entry;
      return to(
        amend(call, { entry: { ...entry, keys: "" }, awaiting: "verdict" }),
        { kind: "deadline.set", name: "keys", atMs: atMs + verdictMs },
        { kind: "pin.check", pin: pin.name, caller: ghost, keys, wrong },
      );
    }
  }
}

function judged(call: CallIn<Keying>, { verdict, atMs }: Extract<TimedFact, { kind: "pin.checked" }>): Step {
  switch (verdict) {
    case "right":
      return sound(call, "right", atMs);
    case "barred":
      return sound(call, "pin-barred", atMs);
    case "wrong": {
      const entry = tryAgain(call.phase.entry);
      if (entry === undefined) return sound(call, "pin-wrong", atMs);
      return to(
        amend(call, { entry, awaiting: "keys" }),
        { kind: "deadline.set", name: "keys", atMs: atMs + keyMs },
        { kind: "media.prompt", prompt: "wrong" },
      );
    }
  }
}

/** The caller hears how it went before it goes on, or ends. */
function sound(call: CallIn<Keying>, tone: "right" | Cause, atMs: number): Step {
  return to(
    amend(call, { awaiting: { tone } }),
    { kind: "deadline.clear", name: "answer" },
    { kind: "deadline.set", name: "keys", atMs: atMs + toneMs },
    { kind: "media.prompt", prompt: tone === "right" ? "right" : "wrong" },
  );
}

function timePassed(call: CallIn<Keying>, fact: Extract<TimedFact, { kind: "deadline.passed" }>): Step {
  const { awaiting } = call.phase;
  const isEntering = awaiting === "keys" || awaiting === "verdict";
  if (fact.name !== "keys" && !(fact.name === "answer" && isEntering)) return ignored(call, fact);
  if (isEntering) return end(call, awaiting === "keys" ? "pin-missing" : "fault", fact.atMs, {});
  return awaiting.tone === "right" ? admit(call, fact.atMs) : end(call, awaiting.tone, fact.atMs, {});
}

/** From here on it goes as with a far end that was put through: those who take the call are offered to the trunk in its dialog. */
function admit(call: CallIn<Keying>, atMs: number): Step {
  const { trunk, ghost, ring, stages, announce } = call.phase;
  const { outstanding } = call;
  const released = { ...call, outstanding: { ...outstanding, releases: outstanding.releases + 1 } };
  return to(
    enter<Arriving>(released, {
      kind: "arriving",
      origin: { kind: "admitted" },
      trunk,
      ghost,
      ring,
      stages,
      announce,
    }),
    { kind: "deadline.clear", name: "keys" },
    { kind: "deadline.set", name: "answer", atMs: atMs + mediaAnswerMs },
    // Our tones had a session of their own.
    { kind: "media.handOver", end: trunkEnd },
    { kind: "media.release" },
    { kind: "media.describe", end: clientEnd },
  );
}
