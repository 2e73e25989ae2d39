// Before the tests: every secret that is written down in them, so that the scanner knows it when it sees it in a log.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { TestProject } from "vitest/node";

const root = join(import.meta.dirname, "../..");
/** As in the settings of trunks, homeservers and people, in TypeScript and YAML. */
const written =
  /\b(?:password|passphrase|as_?token|hs_?token|access_?token|credential|pin|secret)["']?:\s*["']?([^\s"'`${}\\,;)]+)/gi;

declare module "vitest" {
  interface ProvidedContext {
    readonly secrets: readonly string[];
  }
}

export default function collectSecrets({ provide }: TestProject): void {
  const found = new Set<string>();
  for (const top of ["test", "dev"]) {
    for (const path of readdirSync(join(root, top), { recursive: true, encoding: "utf8" })) {
      if (!path.endsWith(".ts")) continue;
      for (const [, secret = ""] of readFileSync(join(root, top, path), "utf8").matchAll(written)) found.add(secret);
    }
  }
  // Words and types are none, and what is shorter would be found in any number.
  provide(
    "secrets",
    [...found].filter((text) => text.length >= 6 && /[\d-]|SECRET/.test(text)),
  );
}
