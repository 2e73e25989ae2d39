// A dialog of an earlier process, made anew from what was stored of it.
import { SessionDialog, SignalingState } from "sip.js/lib/core/index.js";
import type { Core } from "./core.ts";
import { ExactUri } from "./messages.ts";
import type { DialogFields } from "./dialog-fields.ts";

/** The stand-in for a transaction of another process. Its state tells SessionDialog that nothing is pending. */
const PAST_TRANSACTION = {
  request: {},
  state: "Terminated",
  addStateChangeListener(): void {},
  removeStateChangeListener(): void {},
};

/** The core finds it from now on. */
export function restoredDialog(core: Core, fields: DialogFields): SessionDialog {
  const state = {
    id: `${fields.sipCallId}${fields.localTag}${fields.remoteTag}`,
    early: false,
    callId: fields.sipCallId,
    localTag: fields.localTag,
    remoteTag: fields.remoteTag,
    localSequenceNumber: fields.localCSeq,
    remoteSequenceNumber: fields.remoteCSeq,
    localURI: new ExactUri(fields.localUri, undefined),
    remoteURI: new ExactUri(fields.remoteUri, undefined),
    remoteTarget: new ExactUri(fields.remoteTarget, undefined),
    routeSet: [...fields.routeSet],
    secure: fields.secure,
  };
  const past = PAST_TRANSACTION as unknown as ConstructorParameters<typeof SessionDialog>[0];
  const dialog = new SessionDialog(past, core, state);
  // The offer and answer of the earlier process are over; offers may be made.
  Reflect.set(dialog, "_signalingState", SignalingState.Stable);
  return dialog;
}
