// INVITEs whose transaction is over, or belonged to an earlier process: a 2xx that still comes is acknowledged
// and its dialog ended, a refusal is acknowledged (RFC 3261 s9.1, s13.2.2.4). Without this a telephone that
// was picked up too late would stay off the hook.
import type { SipInviteState } from "../../core/call/model/dialog-state.ts";
import type { Clock } from "../../ports/clock.ts";
import type { SipResponse } from "../wire/message.ts";
import type { OutgoingRequest } from "../wire/outgoing-message.ts";
import { refusalAck } from "./client-transaction.ts";
import { clientDialog, type DialogFields } from "./dialog.ts";
import { newBranch } from "./stack.ts";

export interface LateResponsesOptions {
  readonly clock: Clock;
  /** 64*T1: how long the peer may go on answering. */
  readonly keepMs: number;
  readonly send: (request: OutgoingRequest) => Promise<void>;
  /** Sends BYE in that dialog; `done` when nothing more is owed. */
  readonly hangUp: (dialog: DialogFields, done: () => void) => void;
}

export interface RememberOptions {
  /** What becomes of an INVITE of which it is heard only now that it rings: a CANCEL is owed for it, once, or not. */
  readonly ringing: "cancelled" | "ignored";
  /** Called once: the INVITE got its final response, and the dialog of a 2xx was ended, or the time is over. */
  readonly settled?: () => void;
}

interface Remembered {
  readonly invite: SipInviteState;
  owesCancel: boolean;
  settled: () => void;
  /** ACKs sent, by the To tag they went to. */
  readonly acks: Map<string, OutgoingRequest>;
  readonly forget: () => void;
}

export class LateResponses {
  readonly #options: LateResponsesOptions;
  readonly #byBranch = new Map<string, Remembered>();

  constructor(options: LateResponsesOptions) {
    this.#options = options;
  }

  /** From now on answers to this INVITE are looked after here. */
  remember(invite: SipInviteState, { ringing, settled = () => {} }: RememberOptions): void {
    this.#byBranch.get(invite.branch)?.forget();
    const { clock, keepMs } = this.#options;
    const cancel = clock.at(clock.nowMs() + keepMs, () => {
      this.#byBranch.delete(invite.branch);
      remembered.settled();
    });
    const owesCancel = ringing === "cancelled";
    const remembered: Remembered = { invite, owesCancel, settled: once(settled), acks: new Map(), forget: cancel };
    this.#byBranch.set(invite.branch, remembered);
  }

  /** A response to INVITE that no transaction took. */
  receive(response: SipResponse): boolean {
    const remembered = this.#byBranch.get(response.vias[0].branch ?? "");
    if (remembered === undefined || response.sipCallId !== remembered.invite.sipCallId) return false;
    if (response.statusCode < 200) {
      if (remembered.owesCancel) this.#send(cancelOf(remembered.invite));
      remembered.owesCancel = false;
      return true;
    }
    const { toTag = "" } = response;
    const sent = remembered.acks.get(toTag);
    if (sent !== undefined) {
      this.#send(sent);
      return true;
    }
    if (response.statusCode >= 300) {
      const ack = refusalAck(requestOf(remembered.invite), response);
      remembered.acks.set(toTag, ack);
      this.#send(ack);
      remembered.settled();
      return true;
    }
    const dialog = dialogOf(remembered.invite, response);
    if (dialog === undefined) return false;
    const ack = acceptanceAck(dialog, remembered.invite);
    remembered.acks.set(toTag, ack);
    this.#send(ack);
    this.#options.hangUp(dialog, () => remembered.settled());
    return true;
  }

  /** A final response to a CANCEL of ours: 481 says that the peer has forgotten the INVITE. */
  cancelAnswered(response: SipResponse): void {
    const remembered = this.#byBranch.get(response.vias[0].branch ?? "");
    if (remembered === undefined || response.statusCode !== 481) return;
    remembered.settled();
  }

  close(): void {
    for (const remembered of this.#byBranch.values()) remembered.forget();
    this.#byBranch.clear();
  }

  #send(request: OutgoingRequest): void {
    // The peer repeats its 2xx until an ACK arrives, so a failure here is mended by the next one.
    this.#options.send(request).catch(() => {});
  }
}

function once(then: () => void): () => void {
  let called = false;
  return () => {
    if (called) return;
    called = true;
    then();
  };
}

/** RFC 3261 s12.1.2, from what is left of the INVITE. */
function dialogOf(invite: SipInviteState, response: SipResponse): DialogFields | undefined {
  if (response.toTag === undefined) return undefined;
  const uris = { localUri: uriOf(invite.from), remoteUri: uriOf(invite.to) };
  return clientDialog(requestOf(invite), uris, response);
}

function uriOf(address: string): string {
  return /<([^>]*)>/.exec(address)?.[1] ?? address;
}

/** RFC 3261 s13.2.2.4: a request of its own inside the new dialog. */
function acceptanceAck(dialog: DialogFields, invite: SipInviteState): OutgoingRequest {
  const branch = newBranch();
  return {
    ...requestOf(invite),
    method: "ACK",
    uri: dialog.remoteTarget,
    routes: dialog.routeSet,
    branch,
    via: invite.via.replace(invite.branch, branch),
    to: `${invite.to};tag=${dialog.remoteTag}`,
    toTag: dialog.remoteTag,
  };
}

/** RFC 3261 s9.1: all of the INVITE's, but for the method. */
export function cancelOf(invite: SipInviteState): OutgoingRequest {
  return { ...requestOf(invite), method: "CANCEL" };
}

function requestOf({
  requestUri,
  via,
  branch,
  routes,
  from,
  to,
  localTag,
  sipCallId,
  cseq,
}: SipInviteState): OutgoingRequest {
  return {
    kind: "request",
    method: "INVITE",
    uri: requestUri,
    via,
    branch,
    routes,
    from: `${from};tag=${localTag}`,
    to,
    fromTag: localTag,
    toTag: undefined,
    callId: sipCallId,
    cseq,
    credentials: [],
    headers: [],
    body: undefined,
  };
}
