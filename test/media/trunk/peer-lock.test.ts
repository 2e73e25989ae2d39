// Where a trunk's media may come from, packet by packet.
import { describe, expect, test } from "vitest";
import { within } from "../../../src/core/address/ip.ts";
import { PeerLock, type PeerRules } from "../../../src/media/embedded/trunk/peer-lock.ts";

const named = { address: "192.0.2.7", port: 40_000 };
const elsewhere = { ...named, port: 41_000 };
const moved = { ...named, port: 42_000 };

function lock(allowed: readonly string[] = [], rules: Partial<PeerRules> = {}): PeerLock {
  const made = new PeerLock(within(allowed), { peer: "lock", relearnMs: 1000, ...rules }, 0);
  made.name(named);
  return made;
}

describe("a packet", () => {
  test("from port 0, where nothing can be sent to, is nobody's", () => {
    const fresh = lock(["198.51.100.0/24"]);
    expect(fresh.admits({ ...named, port: 0 }, 0)).toBe(false);
    expect(fresh.admits({ address: "198.51.100.1", port: 0 }, 0)).toBe(false);
    // RTCP of a peer that has no port for it.
    fresh.name({ ...named, port: 0 });
    expect(fresh.admits({ ...named, port: 0 }, 0)).toBe(false);
  });

  test("of an IPv4 peer may come to a socket of IPv6", () => {
    const from = { address: "::ffff:192.0.2.7", port: 41_000 };
    const mapped = lock();
    expect(mapped.admits(from, 0)).toBe(true);
    expect(mapped.learn(from, 0)).toBe("news");
    expect(mapped.learn(from, 0)).toBe("known");
    expect(mapped.target).toEqual(from);
  });
});

test("what was learnt stays with the same SDP, and goes with another", () => {
  const kept = lock();
  kept.learn(elsewhere, 0);
  kept.name({ ...named });
  expect(kept.target?.port).toBe(41_000);
  expect(kept.admits(moved, 0)).toBe(false);
  kept.name({ ...named, port: 43_000 });
  expect(kept.target?.port).toBe(43_000);
  expect(kept.admits(moved, 0)).toBe(true);
});

test("the place that is named is heard also after another one was learnt", () => {
  const late = lock();
  late.learn(elsewhere, 0);
  expect(late.admits(named, 0)).toBe(true);
  expect(late.learn(named, 0)).toBe("news");
  expect(late.admits(elsewhere, 0)).toBe(false);
});

describe("a peer that is heard from another port of its address", () => {
  test("is believed once the port before has been silent for a second, after three packets", () => {
    const peer = lock();
    peer.learn(elsewhere, 0);
    peer.learn(elsewhere, 5000);
    expect(peer.admits(moved, 5999)).toBe(false);
    expect(peer.admits(moved, 6000)).toBe(true);
    expect([6000, 6020, 6040].map((nowMs) => peer.learn(moved, nowMs))).toEqual(["unsure", "unsure", "news"]);
    expect(peer.target).toEqual(moved);
    expect(peer.admits(elsewhere, 6060)).toBe(false);
  });

  test("is not believed for a stray packet while the port before goes on", () => {
    const peer = lock();
    peer.learn(elsewhere, 0);
    expect(peer.learn(moved, 2000)).toBe("unsure");
    expect(peer.learn(elsewhere, 2010)).toBe("known");
    expect(peer.admits(moved, 2020)).toBe(false);
    expect([3100, 3120].map((nowMs) => peer.learn(moved, nowMs))).toEqual(["unsure", "unsure"]);
    expect(peer.target).toEqual(elsewhere);
  });

  test("is believed later, or at once, as the trunk's settings say", () => {
    const patient = lock([], { relearnMs: 30_000 });
    patient.learn(elsewhere, 0);
    expect([patient.admits(moved, 29_999), patient.admits(moved, 30_000)]).toEqual([false, true]);
    const following = lock([], { peer: "follow" });
    following.learn(elsewhere, 0);
    expect(following.admits(moved, 1)).toBe(true);
    expect(following.learn(moved, 1)).toBe("news");
    expect(following.target).toEqual(moved);
  });

  test("is heard, and is sent nothing there, where RTP goes strictly to the place of the SDP", () => {
    const strict = lock([], { peer: "sdp" });
    expect(strict.admits(elsewhere, 0)).toBe(true);
    expect(strict.learn(elsewhere, 0)).toBe("news");
    expect(strict.target).toEqual(named);
    expect(strict.admits(moved, 20)).toBe(false);
  });

  test.each(["lock", "follow", "sdp"] as const)("is nobody's from an address that nothing names: %s", (peer) => {
    const closed = lock(["198.51.100.0/24"], { peer });
    const foreign = { address: "203.0.113.9", port: 40_000 };
    expect(closed.admits(foreign, 0)).toBe(false);
    closed.learn(named, 0);
    expect(closed.admits(foreign, 1e9)).toBe(false);
  });
});
