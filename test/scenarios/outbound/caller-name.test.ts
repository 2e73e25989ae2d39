// The caller's name on its way to the telephone.
import { describe, expect, test } from "vitest";
import type { UserId } from "../../../src/core/ids.ts";
import type { InviteOrder } from "../../../src/ports/sip.ts";
import { ann, TestBridge } from "../test-bridge.ts";
import { exampleTemplates } from "../settings.ts";

const named = { ...exampleTemplates, fromDisplayName: "{displayname}" };

function shown(bridge: TestBridge): string | undefined {
  return (bridge.trunks.orders.at(-1)?.argument as InviteOrder | undefined)?.identity.from.displayName;
}

describe("the telephone shows", () => {
  test("the caller's display name where the trunk is to see it", async () => {
    const bridge = new TestBridge({ identity: named });
    bridge.homeserver.names.set(ann, "Ann of Green Gables");
    await bridge.ring();
    expect(shown(bridge)).toBe("Ann of Green Gables");
  });

  test("the caller's localpart where there is no display name", async () => {
    const bridge = new TestBridge({ identity: named });
    await bridge.ring();
    expect(shown(bridge)).toBe("ann");
  });
});

describe("nobody is asked for a name", () => {
  test("that the trunk does not show", async () => {
    const bridge = new TestBridge();
    await bridge.ring();
    expect(bridge.homeserver.askedNames).toEqual([]);
  });

  test("who may not call", async () => {
    const bridge = new TestBridge({ identity: named });
    await bridge.enterRoom();
    await bridge.take(bridge.inviteFact({ sender: "@bob:elsewhere.org" as UserId }));
    expect(bridge.signals).toHaveLength(1);
    expect(bridge.homeserver.askedNames).toEqual([]);
  });
});
