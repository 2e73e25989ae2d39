// What the engine can convert. Apart from the codecs, as these are loaded in the workers alone.
import type { Conversion } from "../../../core/sdp/exchange/conversion.ts";

/** By measurement (`npm run bench -- media`). */
export const conversions: readonly Conversion[] = [
  { between: ["PCMA", "PCMU"], price: 1 },
  { between: ["opus", "PCMA"], price: 2 },
  { between: ["opus", "PCMU"], price: 2 },
  { between: ["G722", "PCMA"], price: 2 },
  { between: ["G722", "PCMU"], price: 2 },
  { between: ["opus", "G722"], price: 4 },
];
