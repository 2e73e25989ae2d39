// Golden wire files: what each client sends, beside the facts that the bridge must read in it (`*.facts.json`).
// element-web holds whole transactions as a real Synapse pushed them for a real Element Web; the others are written by
// hand from what those clients' sources send. Descriptions are compared with the event's own, not written down twice.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { UserId } from "../../src/core/ids.ts";
import { type EventReading, readEvent } from "../../src/matrix/wire/event.ts";

interface WireFile {
  readonly body: { readonly events: readonly { readonly content: Readonly<Record<string, unknown>> }[] };
}

const receivedAtMs = 1_795_400_000_000;
const isOwn = (user: UserId): boolean => user.startsWith("@_sip_");

function clients(): readonly string[] {
  return readdirSync(import.meta.dirname, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
}

function wireFiles(client: string): readonly string[] {
  return readdirSync(join(import.meta.dirname, client))
    .filter((name) => name.endsWith(".json") && !name.endsWith(".facts.json"))
    .map((name) => name.slice(0, -".json".length));
}

function load(client: string, name: string): unknown {
  return JSON.parse(readFileSync(join(import.meta.dirname, client, `${name}.json`), "utf8"));
}

/** The description that an event carries, wherever its type keeps it. */
function sdpIn(content: Readonly<Record<string, unknown>>): unknown {
  for (const place of ["offer", "answer", "description"]) {
    const description = content[place];
    if (typeof description === "object" && description !== null && "sdp" in description) return description.sdp;
  }
  return undefined;
}

/** A reading as it stands in a golden file. */
function written(reading: EventReading, content: Readonly<Record<string, unknown>>): unknown {
  if (reading.kind === "none") return reading.why;
  const { fact } = reading;
  expect(fact.receivedAtMs).toBe(receivedAtMs);
  const { receivedAtMs: _, ...rest } = fact;
  if (!("description" in rest)) return rest;
  expect(rest.description).toBe(sdpIn(content));
  return { ...rest, description: "(as sent)" };
}

describe.each(clients())("what %s sends", (client) => {
  it.each(wireFiles(client))("is read as golden: %s", (name) => {
    const { events } = (load(client, name) as WireFile).body;
    const facts = events.map((event) => written(readEvent(event, receivedAtMs, isOwn), event.content));
    expect(JSON.parse(JSON.stringify(facts))).toEqual(load(client, `${name}.facts`));
  });
});
