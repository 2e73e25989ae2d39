import { expect, test } from "vitest";
import { OwnChoices } from "../../../src/bridge/choices/own-choices.ts";
import { StoreError } from "../../../src/ports/store.ts";
import { openMemoryStore } from "../../fakes/memory-store.ts";
import { ann, bob } from "../../scenarios/test-bridge.ts";

const parse = (stored: unknown) => (typeof stored === "number" ? stored : undefined);

test("what two people choose at the same time is kept of both over a restart", async () => {
  const { settings } = openMemoryStore();
  const before = new OwnChoices({ settings, key: "choices", parse });
  await Promise.all([before.choose(ann, 1), before.choose(bob, 2)]);
  const after = new OwnChoices({ settings, key: "choices", parse });
  await after.load();
  expect([after.of(ann), after.of(bob)]).toEqual([1, 2]);
});

test("what cannot be stored is not chosen, and the next choice is", async () => {
  const { settings } = openMemoryStore();
  const choices = new OwnChoices({ settings, key: "choices", parse });
  const set = settings.set.bind(settings);
  settings.set = () => Promise.reject(new StoreError("full", "disk full"));
  await expect(choices.choose(ann, 1)).rejects.toThrow("disk full");
  expect(choices.of(ann)).toBeUndefined();
  settings.set = set;
  await choices.choose(ann, 2);
  expect(choices.of(ann)).toBe(2);
});

test.each(["{", "[1]", "null", '{"ann":1}', '{"@ann:example.org":"1"}'])(
  "%s in the store is nobody's choice",
  async (text) => {
    const { settings } = openMemoryStore();
    await settings.set("choices", text);
    const choices = new OwnChoices({ settings, key: "choices", parse });
    await choices.load();
    expect(choices.of(ann)).toBeUndefined();
  },
);
