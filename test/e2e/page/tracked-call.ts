// One call of matrix-js-sdk with the notes a test wants of it.
import { CallEvent, CallParty, CallState, type MatrixCall } from "matrix-js-sdk/lib/webrtc/call.js";
import type { CallMoments, CallReport, Shown } from "./api.ts";
import type { Ear } from "./ear.ts";

const epochMs = (): number => performance.timeOrigin + performance.now();

export class TrackedCall {
  readonly call: MatrixCall;
  readonly #began = performance.now();
  readonly #history: { state: string; atMs: number }[] = [];
  readonly #errors: string[] = [];
  #moments: CallMoments;
  #shown: Shown | undefined;

  /** @param began when the number was dialled, in ms since the epoch; now without it */
  constructor(call: MatrixCall, ear: Ear, began = epochMs()) {
    this.call = call;
    this.#moments = { began };
    this.#note(call.state);
    call.on(CallEvent.PeerConnectionCreated, (connection) => {
      connection.addEventListener("iceconnectionstatechange", () => {
        const up = connection.iceConnectionState === "connected" || connection.iceConnectionState === "completed";
        if (up) this.#first("iceConnected");
      });
      connection.addEventListener("connectionstatechange", () => {
        if (connection.connectionState === "connected") this.#first("connected");
      });
    });
    call.on(CallEvent.State, (state, before) => {
      this.#note(state);
      if (state === CallState.InviteSent) this.#first("invited");
      if (state === CallState.Connecting) this.#first("answered");
      if (state === CallState.Ended) {
        this.#shown = shownAtEnd(call, before);
        ear.detach();
      }
    });
    call.on(CallEvent.Error, (error) => this.#errors.push(error.code));
    call.on(CallEvent.FeedsChanged, () => {
      if (call.remoteUsermediaStream !== undefined) {
        ear.attach(call.remoteUsermediaStream, () => this.#first("audible"));
      }
    });
  }

  #first(moment: keyof CallMoments): void {
    this.#moments = { [moment]: epochMs(), ...this.#moments };
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
      moments: this.#moments,
      errors: [...this.#errors],
      shown: this.#shown,
      remoteOnHold: call.isRemoteOnHold(),
      localOnHold: call.peerConn === undefined ? false : call.isLocalOnHold(),
      microphoneMuted: call.localUsermediaStream === undefined ? false : call.isMicrophoneMuted(),
      transferable: call.opponentCanBeTransferred(),
      takesKeys: call.opponentSupportsDTMF(),
      assertedName: call.getRemoteAssertedIdentity()?.displayName,
      connection: call.peerConn?.connectionState,
      localMedia: sections(call.peerConn?.localDescription),
      remoteMedia: sections(call.peerConn?.remoteDescription),
      localUfrag: ufrag(call.peerConn?.localDescription),
      remoteUfrag: ufrag(call.peerConn?.remoteDescription),
      usedUfrag: usedUfrag(call.peerConn),
    };
  }
}

/** A section with port 0 is rejected (RFC 3264 s6). */
const sections = (description: RTCSessionDescription | null | undefined): string[] =>
  [...(description?.sdp ?? "").matchAll(/^m=(\w+) (\d+) /gm)].map(([, kind, port]) =>
    port === "0" ? `no ${kind}` : String(kind),
  );

const usedUfrag = (connection: RTCPeerConnection | undefined): string | undefined => {
  const [sender] = connection?.getSenders() ?? [];
  return sender?.transport?.iceTransport.getSelectedCandidatePair()?.remote?.usernameFragment ?? undefined;
};

const ufrag = (description: RTCSessionDescription | null | undefined): string | undefined =>
  /^a=ice-ufrag:(\S+)/m.exec(description?.sdp ?? "")?.[1];

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
