// Clients of the Matrix VoIP module, versions 0 and 1: what has to be known of one to speak with it.
import { z } from "zod";
import type { LegAbilities, LegForm, OwnSide } from "../../core/call/model/matrix-leg.ts";
import { deviceId, matrixCallId } from "../../core/ids.ts";

export const legacyKind = "legacy";

/** Version 0 knows neither reject nor party ids nor renegotiation. */
export type VoipVersion = "0" | "1";

const formOf = z.object({ version: z.enum(["0", "1"]) });

/** A client of that version, and what it can do. */
export function legacyClient(version: VoipVersion): { readonly form: LegForm; readonly abilities: LegAbilities } {
  const form: Omit<LegForm, symbol> & { readonly version: VoipVersion } = {
    kind: legacyKind,
    media: "client",
    version,
  };
  return { form: form as unknown as LegForm, abilities: { canRenegotiate: version !== "0", hasKeypad: true } };
}

/** Undefined: it was not made here. */
export function versionIn(form: LegForm): VoipVersion | undefined {
  return formOf.safeParse(form).data?.version;
}

/**
 * Higher than what clients choose. Of two calls that cross, the one with the lesser id stays (Matrix spec, VoIP module,
 * glare), and that has to be the person's: ours can take theirs over, theirs cannot take ours.
 */
const highestIds = "zzz";

/** `newId`: a fresh random id. */
export function legacySide(newId: () => string): OwnSide {
  return { matrixCallId: matrixCallId(highestIds + newId()), own: deviceId(newId()), form: legacyClient("1").form };
}
