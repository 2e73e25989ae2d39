// Where a trunk's media may come from, packet by packet.
import { describe, expect, test } from "vitest";
import { networks } from "../../src/media/embedded/network.ts";
import { PeerLock } from "../../src/media/embedded/peer-lock.ts";

const named = { address: "192.0.2.7", port: 40_000 };

function lock(allowed: readonly string[] = []): PeerLock {
  const made = new PeerLock(networks(allowed));
  made.name(named);
  return made;
}

describe("a packet", () => {
  test("from port 0, where nothing can be sent to, is nobody's", () => {
    const fresh = lock(["198.51.100.0/24"]);
    expect(fresh.admits({ ...named, port: 0 })).toBe(false);
    expect(fresh.admits({ address: "198.51.100.1", port: 0 })).toBe(false);
    // RTCP of a peer that has no port for it.
    fresh.name({ ...named, port: 0 });
    expect(fresh.admits({ ...named, port: 0 })).toBe(false);
  });

  test("of an IPv4 peer may come to a socket of IPv6", () => {
    const from = { address: "::ffff:192.0.2.7", port: 41_000 };
    const mapped = lock();
    expect(mapped.admits(from)).toBe(true);
    expect(mapped.learn(from)).toBe(true);
    expect(mapped.learn(from)).toBe(false);
    expect(mapped.target).toEqual(from);
  });
});

test("what was learnt stays with the same SDP, and goes with another", () => {
  const kept = lock();
  kept.learn({ ...named, port: 41_000 });
  kept.name({ ...named });
  expect(kept.target?.port).toBe(41_000);
  expect(kept.admits({ ...named, port: 42_000 })).toBe(false);
  kept.name({ ...named, port: 43_000 });
  expect(kept.target?.port).toBe(43_000);
  expect(kept.admits({ ...named, port: 42_000 })).toBe(true);
});

test("the place that is named is heard also after another one was learnt", () => {
  const late = lock();
  late.learn({ ...named, port: 41_000 });
  expect(late.admits(named)).toBe(true);
  expect(late.learn(named)).toBe(true);
  expect(late.admits({ ...named, port: 41_000 })).toBe(false);
});
