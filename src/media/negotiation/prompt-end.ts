// The end where our tones come from. Whatever it is told, it answers the same: there is nobody who could be asked.
import type { Description } from "../../core/sdp/description.ts";
import { trunkCapability } from "../../core/sdp/exchange/agreement.ts";
import { promptCodecs } from "../../ports/media-engine.ts";
import type { NegotiatedEnd, Reply, Wording } from "./negotiated-end.ts";
import { wordless } from "./wordless.ts";

const tones: Description = wordless(trunkCapability(promptCodecs));

export class PromptNegotiation implements NegotiatedEnd {
  async read(): Promise<Description> {
    return tones;
  }

  async write(): Promise<Wording> {
    return { sdp: "" };
  }

  prepare(): void {
    // It is there from the beginning.
  }

  arrive(): undefined {
    return undefined;
  }

  take(): Reply {
    return { remote: undefined, taken: () => undefined };
  }
}
