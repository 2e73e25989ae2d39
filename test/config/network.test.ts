// Networks in the configuration: whatever is taken there must be one to the edges, which have no words for an error.
import { BlockList, isIPv6 } from "node:net";
import fc from "fast-check";
import { expect, it } from "vitest";
import { network } from "../../src/config/schema/scalars.ts";

function useNetwork(text: string): void {
  const [address = "", prefix] = text.split("/");
  const family = isIPv6(address) ? "ipv6" : "ipv4";
  const list = new BlockList();
  if (prefix === undefined) list.addAddress(address, family);
  else list.addSubnet(address, Number(prefix), family);
}

it.each(["192.0.2.1", "192.0.2.0/24", "0.0.0.0/0", "2001:db8::/32", "::1", "::/0", "::ffff:192.0.2.1"])(
  "%s is one",
  (text) => {
    expect(network.safeParse(text).success).toBe(true);
    useNetwork(text);
  },
);

const NONE =
  "01.2.3.4,1.2.3,1.2.3.4.5,256.1.1.1,1.2.3.4/33,1.2.3.4/,/8,1.2.3.4/-1,1.2.3.4/8/8,2001:db8::/129,fe80::1%eth0,[::1],:::,example.org,, ,1.2.3.4 ,0x1.2.3.4";

it.each(NONE.split(","))("%j is none", (text) => expect(network.safeParse(text).success).toBe(false));

it("nothing that is taken is refused later", () => {
  const part = fc.oneof(
    fc.constantFrom("0", "00", "1", "255", "256", "", "db8", "2001", "ffff"),
    fc.nat(300).map(String),
  );
  const address = fc.oneof(
    fc.array(part, { minLength: 3, maxLength: 5 }).map((parts) => parts.join(".")),
    fc.array(part, { minLength: 2, maxLength: 9 }).map((parts) => parts.join(":")),
  );
  const text = fc.oneof(
    address,
    fc.tuple(address, fc.nat(140)).map(([host, prefix]) => `${host}/${prefix}`),
  );
  fc.assert(
    fc.property(text, (value) => {
      if (network.safeParse(value).success) useNetwork(value);
    }),
    { numRuns: 2_000 },
  );
});
