// Reads the torture messages of RFC 4475 and RFC 5118: one file each, the exact bytes of the wire.
import { readdirSync, readFileSync } from "node:fs";

export type Corpus = "rfc4475" | "rfc5118";

/** The bytes of one message, by the name that the RFC gives it. */
export function tortureMessage(corpus: Corpus, name: string): Buffer {
  return readFileSync(new URL(`./${corpus}/${name}.dat`, import.meta.url));
}

/** All names of a corpus. */
export function tortureNames(corpus: Corpus): string[] {
  return readdirSync(new URL(`./${corpus}/`, import.meta.url))
    .filter((file) => file.endsWith(".dat"))
    .map((file) => file.slice(0, -".dat".length))
    .toSorted();
}
