// What admins have the bot do is noted as what they do by other tools.
import type { AdminAction } from "../../../ports/store.ts";

/** Never rejects. Numbers in `detail` are masked as in the log. */
export type NoteAction = (
  action: Pick<AdminAction, "who" | "action" | "outcome"> & { readonly target?: string; readonly detail?: string },
) => Promise<void>;
