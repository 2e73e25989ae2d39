// A far end that nobody took comes back: a call of its own, which rings whoever had handed it over, in the same room.
import type { CallId, MatrixCallId, PartyId } from "../../ids.ts";
import type { Arriving } from "../model/call.ts";
import { clientEnd } from "../model/media-end.ts";
import { mediaAnswerMs } from "./connecting.ts";
import type { Recall } from "./recall.ts";
import { to, type Step } from "../model/transition.ts";

/** An invite of ours lives as long at least. */
const ringMs = 90_000;

/** All fresh. */
export interface RecallIds {
  readonly id: CallId;
  readonly matrixCallId: MatrixCallId;
  readonly ownParty: PartyId;
}

export function beginRecall(ids: RecallIds, { far, leg, called, notices, endsAtMs }: Recall, atMs: number): Step {
  const { room, ghost, person } = leg;
  const call: Arriving = {
    ...ids,
    phase: "arriving",
    direction: "inbound",
    trunk: far.trunk,
    number: far.trunk.number,
    called,
    startedAtMs: atMs,
    maxDurationMs: Math.max(0, endsAtMs - atMs),
    notices,
    shown: undefined,
    outstanding: { releases: 0, farewells: [] },
    ghost,
    dialog: far.dialog,
    incoming: undefined,
    acceptedAtMs: atMs,
    transferredBy: undefined,
    lateOffer: true,
    stages: [{ targets: [{ kind: "person", person, room }], ringMs }],
    announce: [],
  };
  return to(
    call,
    { kind: "deadline.set", name: "answer", atMs: atMs + mediaAnswerMs },
    { kind: "media.describe", end: clientEnd },
  );
}
