// A subscription that comes with a request of ours inside a call (RFC 3515), on the core's own table of them.
import { Dialog, type NotifyUserAgentServer, type SessionDialog } from "sip.js/lib/core/index.js";
import { peerRequest, type PeerRequest } from "./peer-request.ts";

/** The dialog's BYE does not end it: it outlives the call that it was made in (RFC 5057 s4.1). */
export function subscribe(dialog: SessionDialog, event: string, notified: (request: PeerRequest) => void): () => void {
  const core = dialog.userAgentCore;
  const key = `${dialog.callId}${dialog.localTag}${event}`;
  const subscriber = {
    dispose: (): void => {},
    onNotify: (server: NotifyUserAgentServer): void => {
      const { message } = server;
      if (message.fromTag !== dialog.remoteTag) {
        server.reject({ statusCode: 481 });
        return;
      }
      // The core asks subscribers before dialogs, and leaves the dialog's CSeq behind.
      if (core.dialogs.get(dialog.id) === dialog) {
        if (message.cseq <= (dialog.remoteSequenceNumber ?? 0)) {
          server.reject({ statusCode: 500 });
          return;
        }
        Dialog.prototype.receiveRequest.call(dialog, message);
      }
      notified(peerRequest(server));
    },
  };
  const { subscribers } = core as unknown as { subscribers: Map<string, unknown> };
  subscribers.set(key, subscriber);
  return () => {
    if (subscribers.get(key) === subscriber) subscribers.delete(key);
  };
}
