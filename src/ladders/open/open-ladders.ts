// Ladders with everybody who is given them.
import { openCollector, type CollectorSettings } from "../hep/collector.ts";
import { Homer } from "../hep/homer.ts";
import { Ladders, type LaddersParts, type LadderSettings } from "../ladders.ts";

export interface LadderWishes extends LadderSettings {
  readonly homer?:
    | (CollectorSettings & { readonly captureId: number; readonly authKey: string | undefined })
    | undefined;
}

export interface OpenLadders {
  /** Undefined: nobody wants any. */
  readonly ladders: Ladders | undefined;
  /** What is not said to others yet is said now. */
  close(): void;
}

export function openLadders(
  wishes: LadderWishes | undefined,
  parts: Omit<LaddersParts, "settings" | "sinks">,
): OpenLadders {
  if (wishes === undefined) return { ladders: undefined, close() {} };
  const { homer } = wishes;
  const collector = homer && openCollector(homer, parts.clock, parts.log);
  const sinks =
    homer === undefined || collector === undefined
      ? []
      : [new Homer({ ...homer, collector, shownNumber: parts.shownNumber })];
  const ladders = new Ladders({ ...parts, settings: wishes, sinks });
  return {
    ladders,
    close() {
      ladders.close();
      collector?.close();
    },
  };
}
