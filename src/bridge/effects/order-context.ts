// On whose behalf orders are carried out.
import type { Call } from "../../core/call/model/call.ts";
import type { CallFact } from "../../core/call/model/fact.ts";
import type { CallId } from "../../core/ids.ts";
import type { Log } from "../../ports/telemetry.ts";

/** The call, and where facts go that come without being waited for. */
export interface OrderContext {
  readonly id: CallId;
  readonly call: Call;
  readonly log: Log;
  post(fact: CallFact): Promise<void>;
}
