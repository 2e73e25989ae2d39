// The INVITE on the wire, whole, for each way a trunk wants its caller identity.
import { describe, expect, it } from "vitest";
import type { CallerIdentity } from "../../../src/core/policy/caller-identity.ts";
import { rig } from "../rig/rig.ts";
import { sipUri, telUri } from "../../core/address/sip-uri.ts";

const user = { user: "+4930123456", host: undefined, displayName: undefined };

const placements: Readonly<Record<string, CallerIdentity>> = {
  "from-only": { from: { ...user, displayName: "Alice" }, asserted: [], preferred: undefined, privacy: [] },
  "from-with-domain": {
    from: { user: "alice", host: "provider.example", displayName: 'Alice "Al" Müller' },
    asserted: [],
    preferred: undefined,
    privacy: [],
  },
  // The From user is the account, the number goes into P-Preferred-Identity.
  "preferred-identity": {
    from: { user: "account1", host: "provider.example", displayName: undefined },
    asserted: [],
    preferred: sipUri("sip:+4930123456@provider.example"),
    privacy: [],
  },
  "asserted-identity": {
    from: user,
    asserted: [sipUri("sip:+4930123456@provider.example;user=phone"), telUri("tel:+4930123456")],
    preferred: undefined,
    privacy: [],
  },
  // RFC 3323: nothing of the caller in From, the number for the network alone.
  anonymous: {
    from: { user: "anonymous", host: "anonymous.invalid", displayName: "Anonymous" },
    asserted: [sipUri("sip:+4930123456@provider.example")],
    preferred: undefined,
    privacy: ["id", "user"],
  },
};

/** Everything that differs from run to run, replaced by its name. */
function steady(text: string, peerPort: number): string {
  return text
    .replace(/branch=z9hG4bK[0-9a-f]{24}/g, "branch=BRANCH")
    .replace(/;tag=[0-9a-f]{24}/g, ";tag=TAG")
    .replace(/Call-ID: [0-9a-f]{24}/g, "Call-ID: CALL-ID")
    .replaceAll(`127.0.0.1:${peerPort}`, "127.0.0.1:PEER")
    .replace(/127\.0\.0\.1:\d+/g, "127.0.0.1:PORT")
    .replaceAll("\r\n", "\n");
}

describe("the INVITE", () => {
  it.each(Object.entries(placements))("with its identity as %s", async (name, identity) => {
    const { peer, stack } = await rig();
    stack.invite({ identity });
    const { text } = await peer.request("INVITE");
    await expect(steady(text, peer.port)).toMatchFileSnapshot(`golden/invite-${name}.sip`);
  });

  it("to a service code: the hash is escaped", async () => {
    const { peer, stack } = await rig();
    stack.invite({ target: "sip:*31%23+4930@gateway.example;user=phone" });
    const { message } = await peer.request("INVITE");
    expect(message.uriText).toBe("sip:*31%23+4930@gateway.example;user=phone");
  });
});
