// Addresses and networks, as the configuration, SDP and sockets write them. Node has a second opinion on each.
import { BlockList, isIP } from "node:net";
import fc from "fast-check";
import { expect, test } from "vitest";
import { addressFamily, canonicalAddress, isNetwork, within } from "../../../src/core/address/ip.ts";

test.each([
  ["192.0.2.1", 4],
  ["255.255.255.255", 4],
  ["256.0.0.1", undefined],
  ["01.2.3.4", undefined],
  ["::", 6],
  ["::1", 6],
  ["2001:db8::1", 6],
  ["::ffff:192.0.2.1", 6],
  ["1:2:3:4:5:6:7:8", 6],
  ["1:2:3:4:5:6:7", undefined],
  ["1::2::3", undefined],
  ["1:2:3:4:5:6:7::8", undefined],
  [":", undefined],
  ["fe80::1%eth0", undefined],
  ["example.org", undefined],
])("%s is of family %s", (text, family) => {
  expect(addressFamily(text)).toBe(family);
});

test("an IPv4 address mapped into IPv6 is the same address", () => {
  expect(canonicalAddress("::FFFF:192.0.2.1")).toBe("192.0.2.1");
  expect(canonicalAddress("2001:DB8::1")).toBe("2001:db8::1");
});

test.each([
  ["2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"],
  ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
  ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
  ["0:0:0:0:0:0:0:0", "::"],
  ["fe80::", "fe80::"],
  ["::ffff:c000:0201", "192.0.2.1"],
  ["0:0:0:0:0:FFFF:192.0.2.1", "192.0.2.1"],
  ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
])("%s is written %s", (written, canonical) => {
  expect(canonicalAddress(written)).toBe(canonical);
});

test("an address that is spelt anew is the same address", () => {
  fc.assert(
    fc.property(fc.ipV6(), (address) => {
      const canonical = canonicalAddress(address);
      expect(canonicalAddress(canonical)).toBe(canonical);
      expect(addressFamily(canonical)).toBe(canonical.includes(":") ? 6 : 4);
      const url = new URL(`http://[${address}]/`).hostname.slice(1, -1);
      if (canonical.includes(":")) expect(canonical).toBe(url);
    }),
  );
});

const part = fc.oneof(
  fc.constantFrom("0", "00", "1", "255", "256", "", "db8", "2001", "ffff", "1.2.3.4", "::"),
  fc.nat(300).map(String),
);
const nearlyAddress = fc.oneof(
  fc.array(part, { minLength: 3, maxLength: 5 }).map((parts) => parts.join(".")),
  fc.array(part, { minLength: 1, maxLength: 9 }).map((parts) => parts.join(":")),
);

test("what nearly is an address is one to Node and to us, or to neither", () => {
  fc.assert(
    fc.property(nearlyAddress, (text) => {
      expect(addressFamily(text) ?? 0).toBe(isIP(text));
    }),
    { numRuns: 2_000 },
  );
});

test.each(["192.0.2.1", "192.0.2.0/24", "0.0.0.0/0", "2001:db8::/32", "::1", "::/0", "::ffff:192.0.2.1"])(
  "%s is a network",
  (text) => expect(isNetwork(text)).toBe(true),
);

const NONE =
  "01.2.3.4,1.2.3,1.2.3.4.5,256.1.1.1,1.2.3.4/33,1.2.3.4/,/8,1.2.3.4/-1,1.2.3.4/8/8,2001:db8::/129,fe80::1%eth0,[::1],:::,example.org,, ,1.2.3.4 ,0x1.2.3.4";

test.each(NONE.split(","))("%j is no network", (text) => {
  expect(isNetwork(text)).toBe(false);
  expect(() => within([text])).toThrow(RangeError);
});

test.each([
  ["192.0.2.0/24", "192.0.2.255", true],
  ["192.0.2.0/24", "192.0.3.0", false],
  ["192.0.2.0/24", "::ffff:192.0.2.9", true],
  ["::ffff:192.0.2.0/120", "192.0.2.9", true],
  ["192.0.2.7/24", "192.0.2.9", true],
  ["fe80::/10", "fe80::1%eth0", true],
  ["0.0.0.0/0", "::1", false],
  ["::/0", "192.0.2.1", true],
  ["2001:db8::1", "2001:DB8:0::1", true],
  ["2001:db8::/33", "2001:db8:8000::", false],
  ["192.0.2.0/24", "example.org", false],
  ["192.0.2.0/24", "", false],
])("%s: is %s in it? %s", (network, address, isIn) => {
  expect(within([network])(address)).toBe(isIn);
  expect(within(["198.51.100.0/24", network])(address)).toBe(isIn);
});

test("an address is in a network for Node and for us, or for neither", () => {
  const ipv4 = fc.tuple(fc.ipV4(), fc.nat(32));
  const ipv6 = fc.tuple(fc.ipV6(), fc.nat(128));
  const flipped = (address: string): fc.Arbitrary<string> =>
    fc.constantFrom(address, address.replace(/\d(?=[^\d]*$)/, "0"), "192.0.2.1", "::ffff:192.0.2.1", "::1");
  const both = fc
    .oneof(ipv4, ipv6)
    .chain(([address, prefix]) => fc.tuple(fc.constant(address), fc.constant(prefix), flipped(address)));
  const name = (address: string) => (isIP(address) === 6 ? "ipv6" : "ipv4");
  fc.assert(
    fc.property(both, ([network, prefix, address]) => {
      fc.pre(isIP(address) !== 0);
      const list = new BlockList();
      list.addSubnet(network, prefix, name(network));
      expect(within([`${network}/${prefix}`])(address)).toBe(list.check(address, name(address)));
    }),
    { numRuns: 1_000 },
  );
});
