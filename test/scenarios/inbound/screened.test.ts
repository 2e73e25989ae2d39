// Callers who withhold their number, who are marked as spam, and whose number failed verification: what people read, and what
// the telephone hears where the configuration wants them kept away.
import { describe, expect, test } from "vitest";
import type { RemoteIdentity } from "../../../src/core/policy/remote-identity.ts";
import { callerOf } from "../../fakes/arrivals.ts";
import { ann, TestBridge, trunk, type TestBridgeOptions } from "../test-bridge.ts";

const trust = {
  identity: "asserted",
  displayName: true,
  verstat: true,
  spam: { pattern: "yes*", calls: undefined },
} as const;
const withheld = callerOf("+442079460123", undefined, ["id"]);
const spam: RemoteIdentity = { ...callerOf("+442079460123"), spamMarks: ["Yes, score=9"] };
const forged: RemoteIdentity = { ...callerOf("+442079460123"), verstat: "TN-Validation-Failed" };
const verified: RemoteIdentity = { ...callerOf("+442079460123"), verstat: "TN-Validation-Passed-A" };

async function called(identity: RemoteIdentity, options: TestBridgeOptions = {}): Promise<TestBridge> {
  const bridge = new TestBridge({ trust, ...options });
  await bridge.arrive({ identity });
  return bridge;
}

const heard = ({ trunks }: TestBridge) =>
  trunks.orders.flatMap(({ verb, argument }) => (verb === "reject" ? argument : []));
const invited = ({ homeserver }: TestBridge) => homeserver.rooms.map(({ invite }) => invite);
const badges = async (bridge: TestBridge) => {
  await bridge.passTime(60_000);
  const { records } = await bridge.door.records({ limit: 10, wholeNumbers: true });
  return records.map(({ badge, cause }) => ({ badge, cause }));
};

describe("people read, when it rings,", () => {
  test.each([
    [verified, "✓ Verified: the telephone network vouches for this number."],
    [forged, "⚠ Perhaps forged: this number failed verification."],
    [spam, "⚠ Probably spam, says the telephone provider."],
    [{ ...verified, ...spam, verstat: "TN-Validation-Passed" }, "⚠ Probably spam, says the telephone provider."],
  ])("what the network knows: %#", async (identity, words) => {
    const bridge = await called(identity);
    expect(invited(bridge)).toEqual([ann]);
    expect(bridge.words).toEqual([words]);
  });

  test.each([verified, forged, spam])("nothing where the trunk is not believed: %#", async (identity) => {
    const bridge = await called(identity, { trust: { identity: "asserted", displayName: true } });
    expect(invited(bridge)).toEqual([ann]);
    expect(bridge.words).toEqual([]);
  });
});

test("the history has it too", async () => {
  const bridge = await called(spam);
  await bridge.sip({ kind: "sip.cancelled", elsewhere: false });
  expect(await badges(bridge)).toEqual([{ badge: "spam", cause: "missed" }]);
});

describe("kept away by choice", () => {
  test.each([
    ["anonymous", "reject", withheld, 433, "anonymous-refused"],
    ["anonymous", "voicemail", withheld, 480, "anonymous-to-voicemail"],
    ["spam", "reject", spam, 603, "spam-refused"],
    ["spam", "voicemail", spam, 480, "spam-to-voicemail"],
    ["failedVerification", "reject", forged, 603, "spam-refused"],
    ["failedVerification", "voicemail", forged, 480, "spam-to-voicemail"],
  ] as const)("%s: %s", async (kind, choice, identity, status, cause) => {
    const bridge = await called(identity, { blocking: { [kind]: choice } });
    expect([heard(bridge), bridge.words, bridge.homeserver.rooms]).toEqual([[status], [], []]);
    expect(await badges(bridge)).toMatchObject([{ cause }]);
    await bridge.arrive({ identity: verified });
    expect(invited(bridge)).toEqual([ann]);
    expect(await bridge.messaged({ trunk, called: "+441632960001", identity, text: "hello", id: "1" })).toBe(status);
  });

  test("what one trunk wants for spam goes before what is for all", async () => {
    const own = { ...trust, spam: { pattern: "yes*", calls: "reject" } } as const;
    expect(heard(await called(spam, { trust: own }))).toEqual([603]);
    const lenient = { ...trust, spam: { pattern: "yes*", calls: "allow" } } as const;
    expect(heard(await called(spam, { trust: lenient, blocking: { spam: "reject" } }))).toEqual([]);
  });

  test("of two choices the stricter one counts", async () => {
    const both = { ...withheld, spamMarks: ["yes"] };
    const choices = { anonymous: "voicemail", spam: "reject" } as const;
    expect(heard(await called(both, { blocking: choices }))).toEqual([603]);
  });
});
