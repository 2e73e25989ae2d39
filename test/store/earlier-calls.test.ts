// The bridge is brought up to date in the middle of calls: those that the earlier release stored are ended all the same.
import { describe, expect, test } from "vitest";
import { recover } from "../../src/core/call/ending/ending.ts";
import { readCall } from "../../src/store/stored-json.ts";

const leg = {
  room: "!room:example.org",
  ghost: "@_sip_01818118181:example.org",
  person: "@ann:example.org",
  matrixCallId: "1795352762720ALbF",
  personParty: "KDRIZOWGWP",
  ownParty: "bridge1",
  version: "1",
};
const dialog = { trunk: "main", sipCallId: "abc@example.org", localTag: "l", remoteTag: "r" };
const stored = {
  id: "c-1",
  direction: "outbound",
  leg,
  trunk: { name: "main", target: "sip:01818118181@sip.example.org", number: "01818118181" },
  number: "01818118181",
  startedAtMs: 1_000,
  maxDurationMs: 3_600_000,
  notices: true,
};

function orders(call: Readonly<Record<string, unknown>>): readonly string[] {
  const read = readCall("c-1", JSON.stringify({ ...stored, ...call }));
  if (read === undefined) throw new Error("not read");
  return recover(read, 9_000).orders.map((order) => (order.kind === "matrix.signal" ? order.signal.kind : order.kind));
}

describe("a call of the first release", () => {
  test("in which people talked is hung up on both sides, and they are told", () => {
    const connected = { phase: "connected", dialog, answeredAtMs: 2_000, mediaUp: true, answer: "told" };
    expect(orders(connected)).toEqual(["sip.resume", "sip.bye", "hangup", "matrix.notice", "deadline.set"]);
  });

  test("that rang stops ringing", () => {
    const inviting = { phase: "inviting", invite: { trunk: "main", sipCallId: "abc" }, progress: "ringing" };
    expect(orders(inviting)).toEqual(["sip.abandon", "reject", "matrix.notice", "deadline.set"]);
  });

  test("that had not come that far is refused", () => {
    expect(orders({ phase: "offering" })).toEqual(["reject", "matrix.notice", "deadline.set"]);
  });

  test.each([
    ["none", ["reject"]],
    ["ordered", ["reject", "hangup"]],
    ["told", ["hangup"]],
  ])("that was ending, its answer %s, ends for the person too", (answer, signals) => {
    const owed = { trunk: "bye", media: "release", person: "farewell" };
    const ending = { phase: "ending", cause: "fault", dialog, answer, owed };
    expect(orders(ending)).toEqual(["sip.resume", "sip.bye", ...signals, "deadline.set"]);
  });

  test("that rang in rooms is hung up there by the ghost that all of them knew", () => {
    const target = { kind: "person", person: leg.person };
    const alerting = {
      phase: "alerting",
      direction: "inbound",
      leg: undefined,
      ghost: leg.ghost,
      matrixCallId: "zzz1",
      ownParty: "bridge1",
      legs: [{ target, state: "ringing", room: leg.room }],
      notices: { failures: true, history: false },
      outstanding: { releases: 0, farewells: [] },
    };
    const read = readCall("c-1", JSON.stringify({ ...stored, ...alerting }));
    if (read === undefined) throw new Error("not read");
    expect(recover(read, 9_000).orders).toContainEqual(
      expect.objectContaining({ leg: expect.objectContaining({ room: leg.room, ghost: leg.ghost }) as object }),
    );
  });

  test("that owed the person nothing any more says nothing", () => {
    const owed = { trunk: "bye", media: "release", person: "nothing" };
    expect(orders({ phase: "ending", cause: "fault", dialog, answer: "told", owed })).toEqual([
      "sip.resume",
      "sip.bye",
      "deadline.set",
    ]);
  });
});
