// What transactions tell devices, under all names that it has.
import { describe, expect, test } from "vitest";
import { readPushedNews } from "../../src/matrix/wire/pushed-news.ts";
import { alice, ghost } from "./edge-rig.ts";

const message = { type: "m.room_key", sender: alice, content: { a: 1 }, to_user_id: ghost, to_device_id: "D" };
const stable = {
  to_device: [message],
  device_lists: { changed: [alice], left: [] },
  device_one_time_keys_count: { [ghost]: { D: { signed_curve25519: 20 } } },
  device_unused_fallback_key_types: { [ghost]: { D: ["signed_curve25519"] } },
};

describe("news for devices", () => {
  test.each([
    ["the specification's names", stable],
    [
      "the names of the proposals",
      {
        "de.sorunome.msc2409.to_device": stable.to_device,
        "org.matrix.msc3202.device_lists": stable.device_lists,
        "org.matrix.msc3202.device_one_time_keys_count": stable.device_one_time_keys_count,
        "org.matrix.msc3202.device_unused_fallback_key_types": stable.device_unused_fallback_key_types,
      },
    ],
    [
      "both, and an older one",
      {
        ...stable,
        "de.sorunome.msc2409.to_device": stable.to_device,
        "org.matrix.msc3202.device_one_time_key_counts": {},
      },
    ],
  ])("are read under %s, once", (_, transaction) => {
    expect(readPushedNews(transaction)).toEqual({
      messages: [{ user: ghost, device: "D", event: { type: "m.room_key", sender: alice, content: { a: 1 } } }],
      lists: { changed: [alice], left: [] },
      counts: new Map([[ghost, new Map([["D", { signed_curve25519: 20 }]])]]),
      unusedFallbackKeys: new Map([[ghost, new Map([["D", ["signed_curve25519"]]])]]),
      tellsOfKeys: true,
    });
  });

  test("are none where Synapse pushes events alone", () => {
    expect(readPushedNews({ events: [], ephemeral: [], "de.sorunome.msc2409.to_device": [] })).toBeUndefined();
  });

  test("are incomplete where a list is longer than any homeserver's", () => {
    const changed = Array.from({ length: 20_000 }, (_, index) => `@u${index}:example.org`);
    expect(readPushedNews({ device_lists: { changed } })?.lists).toBe("incomplete");
  });

  test("say nothing of keys by an empty count", () => {
    expect(readPushedNews({ device_one_time_keys_count: { [ghost]: { D: {} } } })?.counts).toEqual(new Map());
  });
});
