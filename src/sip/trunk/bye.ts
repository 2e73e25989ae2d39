// BYE of ours, and the line in the log where nobody answers it.
import type { Log } from "../../ports/telemetry.ts";
import type { Session } from "../user-agent/session.ts";
import type { HeaderLine } from "../wire/header-builder.ts";

/** A BYE that nobody answers leaves a call at the trunk that goes on being charged. `settled` is called once. */
export function sayBye(session: Session, log: Log, reason: HeaderLine | undefined, settled: () => void): void {
  session.bye(reason, (outcome) => {
    if (outcome === "timeout" || outcome === "transport") {
      const { remoteTarget } = session.fields;
      const setting = "in_dialog_requests";
      log.warn("BYE not answered: the call may still be up at the trunk", { remoteTarget, setting });
    }
    settled();
  });
}
