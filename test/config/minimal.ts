// The minimal configuration, and what becomes of it when a line is changed.
import { expect } from "vitest";
import { parseConfig } from "../../src/config/load.ts";
import { ConfigError } from "../../src/config/reading/problem.ts";
import { minimalConfig } from "../../dev/config/sample.ts";
import type { Config } from "../../src/config/schema/schema.ts";

export function parse(text: string): Config {
  return parseConfig(text, { configPath: "config.yaml", env: {} });
}

/** The lines of the error, or none. */
export function faults(text: string): string[] {
  try {
    parse(text);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split("\n");
    throw error;
  }
}

/** The minimal configuration with one line replaced. */
export function changed(from: string, to: string): string {
  expect(minimalConfig).toContain(from);
  return minimalConfig.replace(from, to);
}
