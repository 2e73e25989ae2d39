// The bridge is brought up to date in the middle of calls: those that the earlier release stored are ended all the same.
import { describe, expect, test } from "vitest";
import { recover } from "../../src/core/call/recover.ts";
import { readCall, writeCall } from "../../src/store/stored/stored-call.ts";
import { legacyClient } from "../../src/matrix/legs/legacy-form.ts";
import { storedCall } from "../contract/store-examples.ts";

const leg = {
  room: "!room:example.org",
  ghost: "@_sip_01818118181:example.org",
  person: "@ann:example.org",
  matrixCallId: "1795352762720ALbF",
  personParty: "KDRIZOWGWP",
  ownParty: "bridge1",
  version: "1",
};
const localAddress = { host: "127.0.0.1", port: 5060 };
const dialog = {
  trunk: "main",
  sipCallId: "abc@example.org",
  localTag: "l",
  remoteTag: "r",
  localUri: "sip:ann@example.org",
  remoteUri: "sip:01818118181@sip.example.org",
  remoteTarget: "sip:gw@127.0.0.1:5070",
  routeSet: [],
  localCSeq: 1,
  secure: false,
  localAddress,
};
const invite = {
  trunk: "main",
  sipCallId: "abc@example.org",
  localTag: "l",
  from: "<sip:ann@example.org>",
  to: "<sip:01818118181@sip.example.org>",
  via: "SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1",
  branch: "z9hG4bK1",
  requestUri: "sip:01818118181@sip.example.org",
  routes: [],
  cseq: 1,
  localAddress,
};
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
  const { call: read, problem } = readCall("c-1", JSON.stringify({ ...stored, ...call }));
  expect(problem).toBeUndefined();
  if (read === undefined) throw new Error("not read");
  return recover(read, 9_000).orders.map((order) => (order.kind === "matrix.signal" ? order.signal.kind : order.kind));
}

describe("a call of the first release", () => {
  test("in which people talked is hung up on both sides, and they are told", () => {
    const connected = { phase: "connected", dialog, answeredAtMs: 2_000, mediaUp: true, answer: "told" };
    expect(orders(connected)).toEqual(["sip.resume", "sip.bye", "hangup", "matrix.notice", "deadline.set"]);
  });

  test("that rang stops ringing", () => {
    const inviting = { phase: "inviting", invite, progress: "ringing" };
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
      dialog,
      incoming: { ...invite, vias: [invite.via] },
      legs: [{ target, state: "ringing", room: leg.room }],
      notices: { failures: true, history: false },
      outstanding: { releases: 0, farewells: [] },
    };
    const { call: read } = readCall("c-1", JSON.stringify({ ...stored, ...alerting }));
    if (read === undefined) throw new Error("not read");
    expect(recover(read, 9_000).orders).toContainEqual(
      expect.objectContaining({
        leg: {
          room: leg.room,
          ghost: leg.ghost,
          matrixCallId: "zzz1",
          own: "bridge1",
          form: legacyClient("1").form,
        },
      }),
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

  test("that the bridge had joined with another leg is ended on both, and each is found by its own id", () => {
    const joined = {
      phase: "joined",
      direction: "joined",
      left: { call: "c-0", trunk: stored.trunk, dialog },
      right: { call: "c-1", trunk: stored.trunk, dialog: { ...dialog, sipCallId: "def@example.org" } },
      notices: { failures: true, history: true },
      outstanding: undefined,
    };
    const { call: read } = readCall("c-1", JSON.stringify({ ...stored, ...joined }));
    if (read === undefined) throw new Error("not read");
    const legs = recover(read, 9_000).orders.flatMap((order) =>
      order.kind === "leg.order" ? [`${order.call} ${order.order.kind}`] : [],
    );
    expect(legs).toEqual(["c-0 sip.resume", "c-0 sip.bye", "c-1 sip.resume", "c-1 sip.bye"]);
  });
});

describe("a call of the form before", () => {
  const whole = JSON.parse(writeCall(storedCall("c-1"))) as { call: { phase: object } };
  const dialled = {
    id: "c-1",
    name: "main",
    target: "sip:01818118181@sip.example.org",
    number: "01818118181",
    identity: { from: { user: "ann" }, asserted: ["tel:+441632960123"], privacy: [] },
    abilities: { infoDtmf: false, refer: false },
  };

  test.each([
    ["was being called is cancelled there", { ...dialled, state: "inviting", invite }, ["sip.abandon"]],
    ["was not told of the call hears nothing", { ...dialled, state: "unsent" }, []],
  ])("which says how the trunk was dialled: a trunk that %s", (_what, leg, expected) => {
    const json = JSON.stringify({ ...whole, call: { ...whole.call, phase: { ...whole.call.phase, trunks: [leg] } } });
    const { call: read, problem } = readCall("c-1", json);
    if (read === undefined) throw new Error(problem);
    const kinds = recover(read, 9_000).orders.map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind.startsWith("sip."))).toEqual(expected);
  });
});

describe("a stored call that is damaged", () => {
  const whole = JSON.parse(writeCall(storedCall("c-1"))) as { call: { phase: object } };

  test("is ended on the trunk where its dialog can be read, and the log says where the damage is", () => {
    const json = JSON.stringify({
      ...whole,
      call: { ...whole.call, phase: { ...whole.call.phase, rooms: [{ leg: 7 }] } },
    });
    const { call: read, problem } = readCall("c-1", json);
    expect(problem).toContain("call.phase.rooms.0.leg");
    if (read === undefined) throw new Error("not read");
    expect(recover(read, 9_000).orders.map(({ kind }) => kind)).toEqual(["sip.resume", "sip.bye", "deadline.set"]);
  });

  test.each([
    ["no JSON", "{not json"],
    ["nothing of a call", "{}"],
    ["another call", writeCall(storedCall("c-2"))],
    ["a dialog without tags", JSON.stringify({ version: 2, call: { phase: { trunks: [{ state: "confirmed" }] } } })],
  ])("and holds %s is nobody's", (_what, json) => {
    const { call: read, problem } = readCall("c-1", json);
    expect(read).toBeUndefined();
    expect(problem).toBeDefined();
  });
});
