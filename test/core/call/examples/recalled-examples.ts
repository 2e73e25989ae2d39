// A far end that comes back after a transfer that failed, ready to be played: it rings whoever had handed it over.
import { beginRecall, type RecallIds } from "../../../../src/core/call/inbound/recalled.ts";
import type { Recall } from "../../../../src/core/call/model/bridged-call.ts";
import type { CallFact } from "../../../../src/core/call/model/fact.ts";
import type { Step } from "../../../../src/core/call/step.ts";
import { callId, matrixCallId, deviceId } from "../../../../src/core/ids.ts";
import { confirmedLeg, dialog, request, trunk } from "./examples.ts";
import { legacyClient } from "../../../../src/matrix/legs/legacy-form.ts";

const { leg } = request;
export const ids: RecallIds = {
  id: callId("c-back"),
  ring: { matrixCallId: matrixCallId("zzzBack"), own: deviceId("bridge9"), form: legacyClient("1").form },
};
export const recall: Recall = {
  far: confirmedLeg(request.id, trunk, dialog),
  leg,
  called: "ann",
  notices: { failures: true, history: false },
  endsAtMs: 3_600_000,
};
export const described: CallFact = { kind: "media.described", end: "a", description: "offer for the person" };
export const answers: CallFact = {
  kind: "matrix.answered",
  room: leg.room,
  person: leg.person,
  device: deviceId("PHONE"),
  ...legacyClient("1"),
  description: "client answer",
};

export function comeBack(): Step {
  return beginRecall(ids, recall, 1_000);
}
