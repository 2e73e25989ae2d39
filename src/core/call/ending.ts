// The one door out: what each side is still owed when a call ends, and when the call may be forgotten.
// Every phase comes here to end; nothing else sends CANCEL, BYE, a refusal or a release.
import type { Call, Common, Ended, Ending, LiveCall, Owed, PersonAnswer } from "./call.ts";
import { causeOfFailure, causeOfHangup, causeOfRejection, describeCause, type Cause } from "./cause.ts";
import type { CallEffect } from "./effect.ts";
import type { CallEvent } from "./event.ts";
import { noMediaStats } from "./media-stats.ts";
import type { LegSignal } from "./matrix-leg.ts";
import type { CallRecord } from "./record.ts";
import { ignored, to, unchanged, type Step } from "./transition.ts";

/** 64*T1 of a CANCEL or BYE nobody answers (RFC 3261 s17.1.2.2), and a little for the rest. */
const endingDeadlineMs = 40_000;

/** Which sides have ended the call themselves and are owed nothing more. */
interface AlreadyGone {
  readonly person?: true;
  readonly trunk?: true;
  /** Our answer may or may not have reached the client. */
  readonly answer?: true;
}

/** Ends a live call for a cause; `gone` names the side whose doing it was. */
export function end(call: LiveCall, cause: Cause, atMs: number, gone: AlreadyGone, sipStatus?: number): Step {
  const owed: Owed = {
    trunk: gone.trunk ? "nothing" : owedToTrunk(call),
    media: "release",
    person: gone.person ? "nothing" : "farewell",
  };
  const answer = call.phase === "connected" ? call.answer : "none";
  const ending: Ending = {
    ...common(call),
    phase: "ending",
    cause,
    sipStatus,
    invite: call.phase === "inviting" ? call.invite : undefined,
    dialog: call.phase === "answering" || call.phase === "connected" ? call.dialog : undefined,
    ringingAtMs: call.phase === "offering" ? undefined : call.ringingAtMs,
    answeredAtMs: call.phase === "answering" || call.phase === "connected" ? call.answeredAtMs : undefined,
    answer,
    endedAtMs: atMs,
    owed,
    media: noMediaStats,
  };
  return to(
    ending,
    ...trunkFarewell(owed.trunk, cause),
    ...(gone.person ? [] : gone.answer ? personFarewellUnsure(cause) : personFarewell(answer, cause)),
    ...noticeOf(call.notices, cause),
    { kind: "media.release" },
    { kind: "deadline.clear", name: "answer" },
    { kind: "deadline.clear", name: "duration" },
    { kind: "deadline.clear", name: "renegotiation" },
    { kind: "deadline.set", name: "ending", atMs: atMs + endingDeadlineMs },
  );
}

/** Ends a call before anything was done for it: the client alone is owed a word. */
export function refuse(call: Common, cause: Cause, atMs: number): Step {
  const ending: Ending = {
    ...call,
    phase: "ending",
    cause,
    sipStatus: undefined,
    invite: undefined,
    dialog: undefined,
    ringingAtMs: undefined,
    answeredAtMs: undefined,
    answer: "none",
    endedAtMs: atMs,
    owed: { trunk: "nothing", media: "nothing", person: "farewell" },
    media: noMediaStats,
  };
  return to(
    ending,
    ...personFarewell("none", cause),
    // Whoever is refused is told why, also where notices of failed calls are switched off.
    ...noticeOf(true, cause),
    { kind: "deadline.set", name: "ending", atMs: atMs + endingDeadlineMs },
  );
}

/**
 * Facts that end a live call. Undefined: the fact is none of those.
 * A final response ends it only while one is awaited, a BYE only where there is a dialog: else the trunk is still owed one.
 */
export function endIfOver(call: LiveCall, event: CallEvent): Step | undefined {
  const answered = call.phase === "connected";
  switch (event.kind) {
    case "matrix.hungUp":
      return end(call, causeOfHangup(event.reason, answered), event.atMs, { person: true });
    case "matrix.left":
      return end(call, answered ? "caller-hung-up" : "caller-left", event.atMs, { person: true });
    case "matrix.selected":
      // The client took another party's answer: for us the call is over (Matrix spec, m.call.select_answer).
      return event.ours ? undefined : end(call, "answered-elsewhere", event.atMs, { person: true });
    case "media.failed":
      return end(call, "media-failed", event.atMs, {});
    case "media.timedOut":
      return end(call, "media-silent", event.atMs, {});
    case "media.lost":
      return end(call, "media-lost", event.atMs, {});
    case "sip.rejected": {
      if (call.phase !== "inviting") return undefined;
      const cause = causeOfRejection(event.status, event.q850, call.ringingAtMs !== undefined);
      return end(call, cause, event.atMs, { trunk: true }, event.status);
    }
    case "sip.failed":
      return call.phase === "inviting"
        ? end(call, causeOfFailure(event.fault), event.atMs, { trunk: true })
        : undefined;
    case "sip.hungUp":
      return call.phase === "answering" || call.phase === "connected"
        ? end(call, "callee-hung-up", event.atMs, { trunk: true })
        : undefined;
    case "fault.thrown":
      return end(call, "fault", event.atMs, {});
    case "bridge.stopped":
      return end(call, "restarted", event.atMs, {});
    case "admin.ended":
      return end(call, "admin-ended", event.atMs, {});
    default:
      return undefined;
  }
}

/** A call that the store still lists after a restart: its media is gone with the process, the rest is still owed. */
export function recover(call: Call, atMs: number): Step {
  if (call.phase === "ended") return to(call);
  const stopped = call.phase === "ending" ? to(call) : end(call, "restarted", atMs, {});
  const ending = stopped.call;
  if (ending.phase !== "ending") return stopped;
  const trunkOrders: CallEffect[] = [];
  let trunkOwed = ending.owed.trunk;
  if (trunkOwed !== "nothing" && ending.dialog !== undefined) {
    trunkOwed = "bye";
    trunkOrders.push({ kind: "sip.resume", dialog: ending.dialog });
    trunkOrders.push({ kind: "sip.bye", q850: describeCause(ending.cause).q850 });
  } else if (trunkOwed !== "nothing" && ending.invite !== undefined) {
    trunkOwed = "cancel";
    trunkOrders.push({ kind: "sip.abandon", invite: ending.invite });
  } else trunkOwed = "nothing";
  const settled: Ending = { ...ending, owed: { ...ending.owed, trunk: trunkOwed, media: "nothing" } };
  const notices = stopped.effects.filter((effect) => effect.kind === "matrix.notice");
  const deadline: CallEffect = { kind: "deadline.set", name: "ending", atMs: atMs + endingDeadlineMs };
  return finishIfSettled(settled, [...trunkOrders, ...personFarewellAgain(settled), ...notices, deadline]);
}

export function stepEnding(call: Ending, event: CallEvent): Step {
  switch (event.kind) {
    case "sip.accepted":
      // The 200 crossed our CANCEL (RFC 3261 s15): the dialog exists and must be ended.
      if (call.owed.trunk !== "cancel") return ignored(call, event);
      return to(
        { ...call, dialog: event.dialog, owed: { ...call.owed, trunk: "bye" } },
        { kind: "sip.bye", q850: describeCause(call.cause).q850 },
      );
    case "sip.sent":
      return to({ ...call, invite: event.invite });
    case "sip.rejected":
    case "sip.failed":
      if (call.owed.trunk !== "cancel") return ignored(call, event);
      return finishIfSettled({ ...call, owed: { ...call.owed, trunk: "nothing" } }, []);
    case "sip.ended":
    case "sip.hungUp":
      if (call.owed.trunk === "nothing") return ignored(call, event);
      return finishIfSettled({ ...call, owed: { ...call.owed, trunk: "nothing" } }, []);
    case "matrix.told":
      if (event.signal === "answer") return to({ ...call, answer: "told" });
      if (!isFarewell(event.signal) || call.owed.person === "nothing") return unchanged(call);
      return finishIfSettled({ ...call, owed: { ...call.owed, person: "nothing" } }, []);
    case "matrix.unreachable":
      if (!isFarewell(event.signal) || call.owed.person !== "farewell") return ignored(call, event);
      return finishIfSettled({ ...call, owed: { ...call.owed, person: "lost" } }, []);
    case "media.released":
      if (call.owed.media === "nothing") return ignored(call, event);
      return finishIfSettled({ ...call, media: event.stats, owed: { ...call.owed, media: "nothing" } }, []);
    case "deadline.passed":
      return event.name === "ending" ? finish(call, []) : ignored(call, event);
    default:
      return ignored(call, event);
  }
}

function finishIfSettled(call: Ending, effects: readonly CallEffect[]): Step {
  const { trunk, media, person } = call.owed;
  if (trunk !== "nothing" || media !== "nothing" || person === "farewell") return to(call, ...effects);
  return finish(
    call,
    effects.filter((effect) => effect.kind !== "deadline.set"),
  );
}

function finish(call: Ending, effects: readonly CallEffect[]): Step {
  const record: CallRecord = {
    id: call.id,
    direction: call.direction,
    leg: call.leg,
    trunk: call.trunk?.name,
    sipCallId: call.dialog?.sipCallId ?? call.invite?.sipCallId,
    number: call.number,
    cause: call.cause,
    result: describeCause(call.cause).result,
    sipStatus: call.sipStatus,
    startedAtMs: call.startedAtMs,
    ringingAtMs: call.ringingAtMs,
    answeredAtMs: call.answeredAtMs,
    endedAtMs: call.endedAtMs,
    media: call.media,
    unsettled: Object.values(call.owed).some((owed) => owed !== "nothing"),
  };
  const ended: Ended = { ...common(call), phase: "ended", record };
  return to(ended, ...effects, { kind: "deadline.clear", name: "ending" }, { kind: "history.write", record });
}

function owedToTrunk(call: LiveCall): Owed["trunk"] {
  switch (call.phase) {
    case "offering":
      return "nothing";
    case "inviting":
      return "cancel";
    case "answering":
    case "connected":
      return "bye";
  }
}

function trunkFarewell(owed: Owed["trunk"], cause: Cause): readonly CallEffect[] {
  switch (owed) {
    case "nothing":
      return [];
    case "cancel":
      return [{ kind: "sip.cancel", q850: describeCause(cause).q850 }];
    case "bye":
      return [{ kind: "sip.bye", q850: describeCause(cause).q850 }];
  }
}

function isFarewell(signal: LegSignal["kind"]): boolean {
  return signal === "reject" || signal === "hangup";
}

/** A client that has no answer of ours takes a refusal only, one that has takes a hang-up only. */
function personFarewell(answer: PersonAnswer, cause: Cause): readonly CallEffect[] {
  const { refusal, result } = describeCause(cause);
  if (answer === "none") return [{ kind: "matrix.signal", signal: { kind: "reject", reason: refusal } }];
  const reason = cause === "media-failed" ? "ice_failed" : result === "success" ? "user_hangup" : "unknown_error";
  return [{ kind: "matrix.signal", signal: { kind: "hangup", reason } }];
}

/** Whether the client has our answer is not known: it takes the one it understands, and the other does no harm. */
function personFarewellUnsure(cause: Cause): readonly CallEffect[] {
  return [...personFarewell("none", cause), ...personFarewell("told", cause)];
}

function personFarewellAgain({ owed, answer, cause }: Ending): readonly CallEffect[] {
  if (owed.person === "nothing") return [];
  return answer === "ordered" ? personFarewellUnsure(cause) : personFarewell(answer, cause);
}

function noticeOf(wanted: boolean, cause: Cause): readonly CallEffect[] {
  const { words } = describeCause(cause);
  return wanted && words !== undefined ? [{ kind: "matrix.notice", text: words }] : [];
}

/** The fields every phase has, without those of the phase that is left. */
function common(call: Call): Common {
  const { id, direction, leg, trunk, number, startedAtMs, maxDurationMs, notices } = call;
  return { id, direction, leg, trunk, number, startedAtMs, maxDurationMs, notices };
}
