// One call of matrix-js-sdk with the notes a test wants of it.
import { CallEvent, CallParty, CallState, type MatrixCall } from "matrix-js-sdk/lib/webrtc/call.js";
import type { CallReport, Shown } from "./api.ts";
import type { Ear } from "./ear.ts";

export class TrackedCall {
  readonly call: MatrixCall;
  readonly #began = performance.now();
  readonly #history: { state: string; atMs: number }[] = [];
  readonly #errors: string[] = [];
  #shown: Shown | undefined;

  constructor(call: MatrixCall, ear: Ear) {
    this.call = call;
    this.#note(call.state);
    call.on(CallEvent.State, (state, before) => {
      this.#note(state);
      if (state === CallState.Ended) {
        this.#shown = shownAtEnd(call, before);
        ear.detach();
      }
    });
    call.on(CallEvent.Error, (error) => this.#errors.push(error.code));
    call.on(CallEvent.FeedsChanged, () => {
      if (call.remoteUsermediaStream !== undefined) ear.attach(call.remoteUsermediaStream);
    });
  }

  #note(state: string): void {
    this.#history.push({ state, atMs: Math.round(performance.now() - this.#began) });
  }

  report(): CallReport {
    const { call } = this;
    return {
      matrixCallId: call.callId,
      roomId: call.roomId,
      direction: call.direction ?? "outbound",
      state: call.state,
      history: [...this.#history],
      hangupParty: call.hangupParty,
      hangupReason: call.hangupReason,
      errors: [...this.#errors],
      shown: this.#shown,
      remoteOnHold: call.isRemoteOnHold(),
      localOnHold: call.peerConn === undefined ? false : call.isLocalOnHold(),
      microphoneMuted: call.localUsermediaStream === undefined ? false : call.isMicrophoneMuted(),
      connection: call.peerConn?.connectionState,
    };
  }
}

/**
 * What Element 1.12 says of a call that ended before it was answered: "User Busy" for one reason,
 * nothing but a declined tile for a plain reject, a failure dialog for all else.
 */
function shownAtEnd(call: MatrixCall, before: CallState): Shown | undefined {
  if (before !== CallState.InviteSent || call.hangupParty !== CallParty.Remote) return undefined;
  switch (call.hangupReason) {
    case undefined:
    case "":
    case "user_hangup":
      return "Call declined";
    case "user_busy":
      return "User Busy";
    default:
      return "Call Failed";
  }
}
