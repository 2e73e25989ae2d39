// What happens in the bridge, for whoever watches it. Telephone numbers are masked as in the log.
import type { TrunkName } from "../../core/ids.ts";
import type { TextDirection } from "../../ports/telemetry.ts";
import type { EndedCall, LiveCall } from "./live-call.ts";

export type BridgeEvent = {
  /** ms since the epoch. */
  readonly atMs: number;
} & (
  | { readonly kind: "call.began" | "call.rang" | "call.connected"; readonly call: LiveCall }
  /** Also of a call that was refused, which never began. */
  | { readonly kind: "call.ended"; readonly record: EndedCall }
  | { readonly kind: "trunk.up" | "trunk.down"; readonly trunk: TrunkName; readonly detail: string }
  | { readonly kind: "trunk.paused" | "trunk.resumed"; readonly trunk: TrunkName }
  | { readonly kind: "message.delivered" | "message.failed"; readonly direction: TextDirection }
  | { readonly kind: "store.failed"; readonly reason: string }
  | { readonly kind: "store.mended" }
  | { readonly kind: "bridge.draining" }
);
