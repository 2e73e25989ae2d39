// What other settings bring about besides what everybody reads at the time of use.
import type { TrunkName, UserId } from "../../core/ids.ts";
import { failsOverTo } from "../../core/call/model/queries.ts";
import type { Log } from "../../ports/telemetry.ts";
import type { CallGate } from "../admission/call-gate.ts";
import type { ClientKinds } from "../admission/client-kinds.ts";
import type { CallIndex } from "../calls/call-index.ts";
import type { Ghosts } from "../rooms/ghosts.ts";
import type { ConversationDirectory } from "../../ports/store.ts";

export interface SettingsChangeParts {
  readonly index: Pick<CallIndex, "runners">;
  readonly gate: Pick<CallGate, "resume">;
  readonly clientKinds: Pick<ClientKinds, "load">;
  readonly ghosts: Pick<Ghosts, "ours" | "contactsChanged">;
  readonly conversations: Pick<ConversationDirectory, "rekey">;
  readonly log: Log;
}

export interface SettingsChange {
  /** Trunks that there are no more. */
  readonly removed: readonly TrunkName[];
  /** Whom numbers ring now, and did not before. */
  readonly newPeople: readonly UserId[];
}

/** The settings are in force already. Never rejects. */
export async function followSettings(
  { removed, newPeople }: SettingsChange,
  { index, gate, clientKinds, ghosts, conversations, log }: SettingsChangeParts,
): Promise<void> {
  for (const trunk of removed) {
    // Under this name there may be another one some day.
    gate.resume(trunk);
    for (const runner of index.runners)
      if (failsOverTo(runner.call, trunk)) void runner.post({ kind: "admin.paused", trunk });
  }
  try {
    // Another country or route can make two spellings one number, or one number two.
    await conversations.rekey((user) => ghosts.ours(user).key);
    await clientKinds.load(newPeople);
  } catch (error) {
    log.error("could not bring what is stored in line with the new configuration", { error });
  }
  await ghosts.contactsChanged();
}
