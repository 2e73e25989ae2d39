// What makes a dialog, as it is stored (RFC 3261 s12). Which trunk and which address of ours it runs over is known above.
import type { SipDialogState } from "../../core/call/model/dialog-state.ts";

export type DialogFields = Omit<SipDialogState, "trunk" | "localAddress">;
