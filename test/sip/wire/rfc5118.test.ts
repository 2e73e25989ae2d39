// RFC 5118, "SIP Torture Test Messages for IPv6": all 12. The Content-Length of the three with SDP is that of
// the bytes here; the RFC prints another, and its point is the addresses.
import { describe, expect, it } from "vitest";
import type { SipMessage } from "../../../src/sip/wire/message.ts";
import { parseSip } from "../../../src/sip/wire/parser.ts";
import { responseTarget } from "../../../src/sip/wire/fields/via.ts";
import { tortureMessage, tortureNames } from "./torture.ts";

function parsed(name: string): SipMessage {
  const result = parseSip(tortureMessage("rfc5118", name));
  if (result.outcome !== "message") throw new Error(`${name} is ${result.outcome}`);
  return result.message;
}

describe("the IPv6 torture messages of RFC 5118", () => {
  it("are all here", () => {
    expect(tortureNames("rfc5118")).toHaveLength(12);
  });

  it("ipv6-bad: an address without brackets is refused with 400", () => {
    expect(parseSip(tortureMessage("rfc5118", "ipv6-bad"))).toMatchObject({
      outcome: "invalid",
      status: 400,
      problem: "malformed-request-uri",
    });
  });

  it.each(tortureNames("rfc5118").filter((name) => name !== "ipv6-bad"))("%s is accepted", (name) => {
    expect(parsed(name).vias[0].transport).toBe("UDP");
  });

  it("port-ambiguous and port-unambiguous: a port stands after the bracket", () => {
    expect(parsed("port-ambiguous")).toMatchObject({ uri: { host: "[2001:db8::10:5070]", port: undefined } });
    expect(parsed("port-unambiguous")).toMatchObject({ uri: { host: "[2001:db8::10]", port: 5070 } });
  });

  it.each(["via-received-param-with-delim", "via-received-param-no-delim"])(
    "%s: received is the same address with and without brackets",
    (name) => {
      expect(responseTarget(parsed(name).vias[0])).toEqual({ host: "2001:db8::9:255", port: undefined });
    },
  );

  it("mult-ip-in-header: both families in one message", () => {
    expect(parsed("mult-ip-in-header").vias.map((via) => via.host)).toEqual([
      "[2001:db8::9:1]",
      "192.0.2.1",
      "[2001:db8::9:255]",
    ]);
  });

  it("ipv6-bug-abnf-3-colons: the third colon is tolerated and not passed on", () => {
    expect(parsed("ipv6-bug-abnf-3-colons")).toMatchObject({ uri: { host: "[2001:db8::192.0.2.1]" } });
  });
});
