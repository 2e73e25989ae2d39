// People who may not call invite numbers: no number comes, none is registered, and the admin reads why.
import { expect, test } from "vitest";
import { describeCause } from "../../../src/core/call/model/cause.ts";
import type { UserId } from "../../../src/core/ids.ts";
import { openMemoryStore } from "../../fakes/memory-store.ts";
import { ann, ghost, TestBridge, room } from "../test-bridge.ts";
import { examplePolicy } from "../settings.ts";

const stranger = "@eve:elsewhere.org" as UserId;

function invitation(bridge: TestBridge) {
  return {
    ...bridge.origin(stranger),
    kind: "member.invited",
    user: ghost,
    direct: true,
    encrypted: false,
    public: false,
  } as const;
}

test("a user of a server that may not call invites a number: it is neither registered nor does it join", async () => {
  const bridge = new TestBridge();
  await bridge.take(invitation(bridge));
  expect([bridge.homeserver.registered, bridge.homeserver.joined]).toEqual([[], []]);
  expect(bridge.telemetry.lines).toContainEqual(
    expect.objectContaining({
      level: "warn",
      message: "invitation refused: this person may not call numbers",
      fields: { room, user: ghost, person: stranger, setting: "permissions" },
    }),
  );
});

test("a number turns the invitation of somebody who may not call down, with the reason", async () => {
  const bridge = new TestBridge();
  await bridge.take(invitation(bridge));
  expect(bridge.homeserver.left).toEqual([
    { room, user: ghost, reason: "You do not have permission to make telephone calls here." },
  ]);
});

test("what somebody who may not call writes to a number registers nobody and reaches no telephone", async () => {
  const bridge = new TestBridge({ store: openMemoryStore() });
  await bridge.take(invitation(bridge));
  await bridge.take({
    ...bridge.origin(stranger),
    kind: "message.received",
    form: "text",
    body: "hello",
    edits: false,
  });
  expect([bridge.homeserver.registered, bridge.trunks.messages]).toEqual([[], []]);
});

test("somebody of this homeserver who may not call still hears that no emergency call can be made", async () => {
  const bridge = new TestBridge({ policy: { ...examplePolicy, permissions: new Map() } });
  const emergency = "@_sip_112%40sip.example.org:example.org" as UserId;
  await bridge.take({ ...invitation(bridge), ...bridge.origin(ann), user: emergency });
  await bridge.take(bridge.inviteFact());
  expect(bridge.words).toEqual([describeCause("emergency").words]);
});
