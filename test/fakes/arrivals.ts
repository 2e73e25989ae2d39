// INVITEs as a trunk sends them, already parsed.
import type { SipDialogState, SipIncomingState } from "../../src/core/call/model/dialog-state.ts";
import type { RemoteIdentity } from "../../src/core/policy/remote-identity.ts";
import { callId, sipCallId, trunkName } from "../../src/core/ids.ts";
import type { InviteArrival } from "../../src/ports/sip.ts";
import { telephoneSays } from "./descriptions.ts";
import { makeSipUri } from "../../src/core/address/uri.ts";

const localAddress = { host: "127.0.0.1", port: 5060 };
const trunk = trunkName("main");

export const incoming: SipIncomingState = {
  trunk,
  vias: ["SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bKin1"],
  from: "<sip:+442079460123@sip.example.org>;tag=r",
  to: "<sip:+441632960001@127.0.0.1>;tag=l",
  sipCallId: sipCallId("in1@example.org"),
  cseq: 1,
  localAddress,
};

export const incomingDialog: SipDialogState = {
  trunk,
  sipCallId: incoming.sipCallId,
  localTag: "l",
  remoteTag: "r",
  localUri: "sip:+441632960001@127.0.0.1",
  remoteUri: "sip:+442079460123@sip.example.org",
  remoteTarget: "sip:gw@127.0.0.1:5070",
  routeSet: [],
  localCSeq: 1,
  remoteCSeq: 1,
  secure: false,
  localAddress,
};

/** A caller that the trunk asserts, or one whose privacy it keeps. */
export function callerOf(user: string, displayName?: string, privacy: readonly string[] = []): RemoteIdentity {
  const addressee = { displayName, uri: makeSipUri({ user, host: "sip.example.org" }), user, host: "sip.example.org" };
  return { from: addressee, asserted: [addressee], privacy, verstat: undefined };
}

let arrivals = 0;

/** A call of +44 20 7946 0123 to the number that rings Ann. */
export function arrivalOf(changes: Partial<InviteArrival> = {}): InviteArrival {
  arrivals += 1;
  return {
    call: callId(`c-in${arrivals}`),
    trunk,
    called: "+441632960001",
    identity: callerOf("+442079460123"),
    diversions: [],
    sdp: telephoneSays("trunk offers"),
    dialog: incomingDialog,
    incoming,
    replaces: undefined,
    ...changes,
  };
}
