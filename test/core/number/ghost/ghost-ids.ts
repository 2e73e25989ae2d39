// Ids of ghosts in each encoding.
import fc from "fast-check";
import { createGhostIds, type GhostEncoding, type GhostIds } from "../../../../src/core/number/ghost/ghost-id.ts";

export const encodings: readonly GhostEncoding[] = ["percent", "grammar", "e164"];

export const sipDomains = ["pbx.example.org", "voice.example.net"];

export function ghostIds(encoding: GhostEncoding = "percent"): GhostIds {
  return createGhostIds({
    domain: "example.org",
    prefix: "_sip_",
    encoding,
    gateway: "sip.example.org",
    sipDomains,
    country: "GB",
  });
}

export const encoding = fc.constantFrom(...encodings);
