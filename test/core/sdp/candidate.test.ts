// ICE candidates: which are tried, which are left, and how ours are told.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isMulticast, isUnspecified } from "../../../src/core/address/ip.ts";
import { advertisedCandidates, isUsable, parseCandidate, writeCandidate } from "../../../src/core/sdp/candidate.ts";
import { elementCandidates } from "./samples.ts";

const mdns =
  "candidate:1 1 udp 2113937151 5b6e9d1c-4a37-43ba-a8c5-2f0a17b8f2a7.local 51472 typ host generation 0 ufrag afOz network-cost 999";
const relay =
  "candidate:3 1 UDP 41885439 203.0.113.9 50001 typ relay raddr 198.51.100.2 rport 61000 generation 0 ufrag afOz";
const tcp = "candidate:529404982 1 tcp 1518214911 192.0.2.2 9 typ host tcptype active generation 0 network-id 1";

test("Element's candidates, IPv4 and IPv6, are tried", () => {
  const candidates = elementCandidates().map((text) => parseCandidate(text));
  expect(candidates.map((each) => each !== undefined && isUsable(each))).toEqual([true, true]);
  expect(candidates[1]?.address).toBe("fd00::2");
  expect(candidates[0]?.ufrag).toBe("afOz");
});

test("a relayed one is tried, with or without a=", () => {
  expect(parseCandidate(relay)).toMatchObject({ transport: "udp", type: "relay", related: { port: 61_000 } });
  expect(parseCandidate(`a=${relay}`)).toEqual(parseCandidate(relay));
});

describe.each([
  ["an mDNS name", mdns],
  ["TCP", tcp],
  ["nobody's address", relay.replace("203.0.113.9", "0.0.0.0")],
  ["a multicast address", relay.replace("203.0.113.9", "239.1.2.3")],
  ["the second component", relay.replace("candidate:3 1", "candidate:3 2")],
  ["port 0", relay.replace("50001", "0")],
])("%s", (_what, text) => {
  test("is understood and not tried", () => {
    const candidate = parseCandidate(text);
    expect(candidate).toBeDefined();
    expect(candidate !== undefined && isUsable(candidate)).toBe(false);
  });
});

test.each([
  "",
  "candidate:",
  "candidate:1 1 udp x 1.2.3.4 5 typ host",
  `${relay} ${"x ".repeat(400)}`,
  relay.replace("50001", "70000"),
])("%j is no candidate", (text) => {
  expect(parseCandidate(text)).toBeUndefined();
});

test("no text makes it throw, and what it takes survives being written", () => {
  const address = fc.oneof(fc.ipV4(), fc.ipV6());
  fc.assert(
    fc.property(address, fc.nat(65_535), fc.nat(2 ** 31), fc.string(), (host, port, priority, noise) => {
      parseCandidate(noise);
      const candidate = parseCandidate(
        `candidate:ab+/9 1 udp ${priority} ${host} ${port} typ srflx raddr 10.0.0.1 rport 9`,
      );
      expect(candidate && parseCandidate(writeCandidate(candidate))).toEqual(candidate);
    }),
  );
});

test("behind a NAT the public address is told besides the local one, of its own family", () => {
  const local = [
    "candidate:1 1 udp 2122317823 10.0.0.5 40000 typ host",
    "candidate:2 1 udp 2122317567 fd00::5 40000 typ host",
    "candidate:3 1 udp 1686109951 203.0.113.5 40000 typ srflx raddr 0.0.0.0 rport 0",
  ].flatMap((text) => parseCandidate(text) ?? []);
  const told = advertisedCandidates(local, ["203.0.113.5", "203.0.113.6"]);
  expect(told.map((each) => `${each.address} ${each.type}`)).toEqual([
    "10.0.0.5 host",
    "fd00::5 host",
    "203.0.113.6 srflx",
    "203.0.113.5 srflx",
  ]);
  expect(new Set(told.map((each) => each.foundation)).size).toBe(told.length);
  expect(advertisedCandidates(local, [])).toHaveLength(3);
});

test.each(["::ffff:0.0.0.0", "0:0:0:0:0:ffff:0:0", "::ffff:239.1.2.3", "::ffff:e000:1", "::ffff:255.255.255.255"])(
  "%s is no way around what may not be sent to",
  (address) => {
    expect(isUnspecified(address) || isMulticast(address)).toBe(true);
    const candidate = parseCandidate(`candidate:1 1 udp 1 ${address} 9 typ host`);
    expect(candidate !== undefined && isUsable(candidate)).toBe(false);
  },
);
