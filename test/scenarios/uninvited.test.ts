// People who may not call invite numbers: no number comes, none is registered, and the admin reads why.
import { expect, test } from "vitest";
import { describeCause } from "../../src/core/call/model/cause.ts";
import type { UserId } from "../../src/core/ids.ts";
import { openMemoryStore } from "../fakes/memory-store.ts";
import { ann, ghost, House, room } from "./house.ts";
import { examplePolicy } from "./settings.ts";

const stranger = "@eve:elsewhere.org" as UserId;

function invitation(house: House) {
  return {
    ...house.origin(stranger),
    kind: "member.invited",
    user: ghost,
    direct: true,
    encrypted: false,
    public: false,
  } as const;
}

test("a user of a server that may not call invites a number: it is neither registered nor does it join", async () => {
  const house = new House();
  await house.take(invitation(house));
  expect([house.homeserver.registered, house.homeserver.joined]).toEqual([[], []]);
  expect(house.telemetry.lines).toContainEqual(
    expect.objectContaining({
      level: "warn",
      message: "invitation refused: this person may not call numbers",
      fields: { room, user: ghost, person: stranger, setting: "permissions" },
    }),
  );
});

test("a number turns the invitation of somebody who may not call down, with the reason", async () => {
  const house = new House();
  await house.take(invitation(house));
  expect(house.homeserver.left).toEqual([
    { room, user: ghost, reason: "You do not have permission to make telephone calls here." },
  ]);
});

test("what somebody who may not call writes to a number registers nobody and reaches no telephone", async () => {
  const house = new House({ store: openMemoryStore() });
  await house.take(invitation(house));
  await house.take({ ...house.origin(stranger), kind: "message.received", form: "text", body: "hello", edits: false });
  expect([house.homeserver.registered, house.trunks.messages]).toEqual([[], []]);
});

test("somebody of this homeserver who may not call still hears that no emergency call can be made", async () => {
  const house = new House({ policy: { ...examplePolicy, permissions: new Map() } });
  const emergency = "@_sip_112%40sip.example.org:example.org" as UserId;
  await house.take({ ...invitation(house), ...house.origin(ann), user: emergency });
  await house.take(house.inviteFact());
  expect(house.words).toEqual([describeCause("emergency").words]);
});
