// A far end that nobody took comes back: a call of its own, which rings whoever had handed it over, in the same room.
import { clientEnd } from "../../media-end.ts";
import type { OwnSide } from "../model/matrix-leg.ts";
import type { CallId } from "../../ids.ts";
import { fresh, type Arriving, type CallCommon } from "../model/call.ts";
import { mediaAnswerMs } from "../established/connecting.ts";
import type { Recall } from "../model/bridged-call.ts";
import { enter, to, type Step } from "../model/transition.ts";

/** An invite of ours lives as long at least. */
const ringMs = 90_000;

/** All fresh. */
export interface RecallIds {
  readonly id: CallId;
  readonly ring: OwnSide;
}

export function beginRecall(ids: RecallIds, { far, leg, called, notices, endsAtMs }: Recall, atMs: number): Step {
  const { id, ring } = ids;
  const { room, ghost, person } = leg;
  const common: CallCommon = {
    id,
    direction: "inbound",
    number: far.number,
    called,
    startedAtMs: atMs,
    maxDurationMs: Math.max(0, endsAtMs - atMs),
    notices,
    ...fresh,
  };
  const call = enter<Arriving>(common, {
    kind: "arriving",
    origin: { kind: "recalled" },
    trunk: { ...far, id, answeredAtMs: atMs },
    ghost,
    ring,
    stages: [{ targets: [{ kind: "person", person, room }], ringMs }],
    announce: [],
  });
  return to(
    call,
    { kind: "deadline.set", name: "answer", atMs: atMs + mediaAnswerMs },
    { kind: "media.describe", end: clientEnd },
  );
}
