// The caller's name on its way to the telephone.
import { describe, expect, test } from "vitest";
import type { UserId } from "../../src/core/ids.ts";
import type { InviteOrder } from "../../src/ports/sip.ts";
import { ann, House } from "./house.ts";
import { exampleTemplates } from "./settings.ts";

const named = { ...exampleTemplates, fromDisplayName: "{displayname}" };

function shown(house: House): string | undefined {
  return (house.trunks.orders.at(-1)?.argument as InviteOrder | undefined)?.identity.from.displayName;
}

describe("the telephone shows", () => {
  test("the caller's display name where the trunk is to see it", async () => {
    const house = new House({ identity: named });
    house.homeserver.names.set(ann, "Ann of Green Gables");
    await house.ring();
    expect(shown(house)).toBe("Ann of Green Gables");
  });

  test("the caller's localpart where there is no display name", async () => {
    const house = new House({ identity: named });
    await house.ring();
    expect(shown(house)).toBe("ann");
  });
});

describe("nobody is asked for a name", () => {
  test("that the trunk does not show", async () => {
    const house = new House();
    await house.ring();
    expect(house.homeserver.askedNames).toEqual([]);
  });

  test("who may not call", async () => {
    const house = new House({ identity: named });
    await house.enterRoom();
    await house.take(house.inviteFact({ sender: "@bob:elsewhere.org" as UserId }));
    expect(house.signals).toHaveLength(1);
    expect(house.homeserver.askedNames).toEqual([]);
  });
});
