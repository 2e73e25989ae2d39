// An INVITE of a trunk as the bridge is told of it (ports/sip.ts). What it is made of is read in called-number.ts,
// remote-identity.ts and diversion.ts.
import type { SipDialogState } from "../../core/call/model/dialog-state.ts";
import { sipCallId, type CallId } from "../../core/ids.ts";
import type { InviteArrival, TrunkSettings } from "../../ports/sip.ts";
import type { Log } from "../../ports/telemetry.ts";
import { sdpOf } from "./sdp-body.ts";
import { calledOf } from "./called-number.ts";
import { diversionsOf } from "./diversion.ts";
import { remoteIdentityOf } from "./remote-identity.ts";
import { header, type SipRequest } from "../wire/message.ts";
import { formatVia } from "../wire/fields/via.ts";

export interface InviteArrivalParts {
  readonly call: CallId;
  readonly settings: TrunkSettings;
  readonly request: SipRequest;
  /** The dialog that our answer will make. */
  readonly dialog: SipDialogState;
  readonly replaces: CallId | undefined;
  readonly log: Log;
}

export function inviteArrival({ call, settings, request, dialog, replaces, log }: InviteArrivalParts): InviteArrival {
  const unreadable = (name: string): void =>
    log.debug("ignored a header of an INVITE that cannot be read", { header: name });
  return {
    call,
    trunk: settings.name,
    called: calledOf(request, settings.inbound.calledFrom),
    identity: remoteIdentityOf(request, unreadable, settings.inbound),
    diversions: diversionsOf(request, unreadable),
    sdp: sdpOf(request),
    dialog,
    incoming: {
      trunk: settings.name,
      vias: request.vias.map(formatVia),
      from: header(request, "From") ?? "",
      to: `${header(request, "To") ?? ""};tag=${dialog.localTag}`,
      sipCallId: sipCallId(request.sipCallId),
      cseq: request.cseq.number,
      localAddress: dialog.localAddress,
    },
    replaces,
  };
}
