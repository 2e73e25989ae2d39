// What converted speech is worth to people, as PESQ (ITU-T P.862) has it: a synthetic voice against what is heard of it.
// Beside it, test/media/rtp/quality.test.ts keeps what can be measured without more parts.
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { alawPackets, converted, g722Packets, heard, opusPackets } from "../../media/peers/converted-speech.ts";
import { resampled, speech } from "../../media/peers/fidelity.ts";
import { suiteRig } from "../parts/base/rig.ts";
import { PESQ_VENV } from "../setup/versions.ts";

const PROGRAM = resolve(import.meta.dirname, "score.py");
const run = promisify(execFile);
const rig = suiteRig("converted-speech");

const wide = speech();
const narrow = resampled(wide, 16_000, 8000);
const packets = {
  "Opus to A-law": opusPackets(wide),
  "A-law to Opus": alawPackets(narrow),
  "Opus to G.722": opusPackets(wide, "wideband"),
  "G.722 to Opus": g722Packets(wide),
};

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance", "setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
});

async function written(name: string, samples: Int16Array): Promise<string> {
  const file = rig.path(name);
  await writeFile(file, new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength));
  return file;
}

/** Of what is heard, against the original: up to 4.5 in narrowband, up to 4.6 on the stricter scale of wideband. */
async function pesq(samples: Int16Array, band: "nb" | "wb"): Promise<number> {
  vi.useRealTimers();
  const files = [await written("original.s16", band === "nb" ? narrow : wide), await written("heard.s16", samples)];
  const { stdout } = await run(join(PESQ_VENV, "bin", "python"), [PROGRAM, [band, ...files].join(":")]);
  return Number(stdout);
}

describe("speech by a client with Opus and a telephone with another codec", () => {
  it.for([
    ["Opus to A-law", 0, "nb", 4],
    ["Opus to A-law", 0.01, "nb", 4],
    ["Opus to A-law", 0.05, "nb", 3.9],
    ["A-law to Opus", 0, "nb", 4.1],
    ["A-law to Opus", 0.01, "nb", 4],
    ["A-law to Opus", 0.05, "nb", 3.5],
    ["Opus to G.722", 0, "wb", 3.4],
    ["Opus to G.722", 0.01, "wb", 3.4],
    ["Opus to G.722", 0.05, "wb", 3.3],
    ["G.722 to Opus", 0, "wb", 3.2],
    ["G.722 to Opus", 0.01, "wb", 3.2],
    ["G.722 to Opus", 0.05, "wb", 2.5],
  ] as const)("%s, with %d of the packets lost, has a PESQ (%s) of %d or more", async ([way, loss, band, least]) => {
    const samples = heard(converted(packets[way], way, loss), way);
    expect(await pesq(samples, band)).toBeGreaterThanOrEqual(least);
  });
});

describe("speech between two clients with Opus over a trunk with A-law", () => {
  it.for([
    [0, 3.9],
    [0.01, 3.9],
    [0.05, 3.3],
  ] as const)("with %d of the packets lost on each way has a PESQ of %d or more", async ([loss, least]) => {
    const there = converted(packets["Opus to A-law"], "Opus to A-law", loss);
    const samples = heard(converted(there, "A-law to Opus", loss), "A-law to Opus");
    expect(await pesq(samples, "nb")).toBeGreaterThanOrEqual(least);
  });
});
