import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type EventReading, readEvent, type RoomFact } from "../../src/matrix/wire/event.ts";

const receivedAtMs = 1_795_400_000_000;

function read(json: unknown): EventReading {
  return readEvent(json, receivedAtMs, (user) => user.startsWith("@_sip_"));
}

function event(type: string, content: unknown, more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    event_id: "$1",
    room_id: "!r:example.org",
    sender: "@alice:example.org",
    type,
    content,
    origin_server_ts: receivedAtMs - 500,
    unsigned: { age: 5 },
    ...more,
  };
}

function factIn(json: unknown): RoomFact | undefined {
  const reading = read(json);
  return reading.kind === "fact" ? reading.fact : undefined;
}

const call = { call_id: "c1", party_id: "P", version: "1" };
const offer = { type: "offer", sdp: "v=0" };

const types = [
  "m.call.invite",
  "m.call.candidates",
  "m.call.answer",
  "m.call.select_answer",
  "m.call.reject",
  "m.call.hangup",
  "m.call.negotiate",
  "m.call.replaces",
  "m.room.member",
  "m.room.message",
  "m.sticker",
  "m.reaction",
  "m.room.redaction",
  "m.room.encryption",
  "m.room.encrypted",
  "m.room.tombstone",
];

describe("whatever JSON the homeserver pushes", () => {
  it("reading it gives a value and never throws", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        expect(["fact", "none"]).toContain(read(json).kind);
      }),
    );
  });

  it("the same holds for known types around any content, and for known fields around any value", () => {
    const names = ["call_id", "party_id", "version", "offer", "answer", "description", "candidates", "lifetime"];
    const parts = ["capabilities", "create_call", "await_call", "target_user", "m.relates_to"];
    const more = ["reason", "invitee", "selected_party_id", "membership", "is_direct", "msgtype", "body", ...parts];
    const content = fc.oneof(
      fc.jsonValue(),
      fc.dictionary(fc.constantFrom(...names, ...more), fc.jsonValue()),
      fc.dictionary(fc.constantFrom(...names, ...more), fc.constantFrom<unknown>("c1", "1", 0, offer, [offer], null)),
    );
    const frame = fc.record(
      { state_key: fc.jsonValue(), unsigned: fc.jsonValue(), age: fc.jsonValue(), origin_server_ts: fc.jsonValue() },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.constantFrom(...types), content, frame, (type, inside, around) => {
        const fact = factIn(event(type, inside, around));
        if (fact === undefined) return;
        expect(fact.ageMs).toBeGreaterThanOrEqual(0);
        expect(Number.isFinite(fact.ageMs)).toBe(true);
        if ("matrixCallId" in fact) expect(fact.matrixCallId).toMatch(/^[\x21-\x7e]{1,255}$/);
        if ("lifetimeMs" in fact) expect(fact.lifetimeMs).toBeGreaterThan(0);
      }),
    );
  });
});

describe("a reaction", () => {
  const reaction = (relation: unknown) => event("m.reaction", { "m.relates_to": relation });
  const relation = { rel_type: "m.annotation", event_id: "$2", key: "5️⃣" };

  it("says under what it is, and which mark", () => {
    const whole = reaction({ ...relation, more: 1 });
    expect(factIn(whole)).toMatchObject({ kind: "reaction.added", eventId: "$1", about: "$2", mark: "5️⃣" });
    expect(factIn(reaction({ ...relation, key: "x".repeat(100) }))).toBeDefined();
  });

  it.each([
    [undefined],
    ["$2"],
    [{ ...relation, rel_type: "m.reference" }],
    [{ ...relation, event_id: 2 }],
    [{ ...relation, event_id: "2" }],
    [{ ...relation, event_id: `$${"x".repeat(255)}` }],
    [{ ...relation, event_id: "$a b" }],
    [{ ...relation, key: "" }],
    [{ ...relation, key: 5 }],
    [{ ...relation, key: "x".repeat(101) }],
  ])("that relates by %j is nothing, without a word", (wrong) => {
    expect(read(reaction(wrong))).toEqual({ kind: "none", why: "other" });
  });
});

describe("a redaction", () => {
  const redaction = (redacts: unknown, beside?: unknown) =>
    event("m.room.redaction", { redacts }, beside === undefined ? {} : { redacts: beside });

  it("says what is taken back, in its content or beside it", () => {
    for (const json of [redaction("$2"), redaction(undefined, "$2"), redaction("$2", "$2"), redaction("$2", 7)])
      expect(factIn(json)).toMatchObject({ kind: "event.withdrawn", eventId: "$1", event: "$2" });
  });

  it.each([[undefined], [null], [2], ["2"], ["$"], [["$2"]], [`$${"x".repeat(255)}`]])(
    "of %j is nothing",
    (redacts) => {
      expect(read(redaction(redacts))).toEqual({ kind: "none", why: "other" });
    },
  );
});

describe("the version of a call event", () => {
  it.each([
    ["1", "P", "1", "P"],
    [1, "P", "1", "P"],
    ["org.example.draft", "P", "1", "P"],
    [7, "P", "1", "P"],
    [undefined, "P", "1", "P"],
    ["1", undefined, "1", undefined],
    [0, undefined, "0", undefined],
    [0, "P", "0", undefined],
    ["0", undefined, "0", undefined],
    [undefined, undefined, "0", undefined],
  ])("%j with party %j is read as version %j, party %j", (version, party_id, asVersion, asParty) => {
    const content = JSON.parse(JSON.stringify({ call_id: "c1", version, party_id })) as unknown;
    expect(factIn(event("m.call.hangup", content))).toMatchObject({ device: asParty });
    const invite = factIn(event("m.call.invite", { ...(content as object), offer }));
    expect(invite).toMatchObject({ form: { version: asVersion }, device: asParty });
  });
});

describe("the ids of a call", () => {
  it.each([["c".repeat(255)], ["a-b.c_d~e"], ["MAS+device/id="], ["{7d3fd2c8}"]])("may be %j", (id) => {
    expect(factIn(event("m.call.hangup", { ...call, call_id: id, party_id: id }))).toMatchObject({
      matrixCallId: id,
      device: id,
    });
  });

  it.each([[""], ["c".repeat(256)], ["with space"], ["line\nbreak"], ["é"], [7], [null], [["c"]]])(
    "may not be %j",
    (id) => {
      expect(read(event("m.call.hangup", { ...call, call_id: id }))).toEqual({ kind: "none", why: "malformed" });
    },
  );
});

describe("a description", () => {
  it("may be as long as an event can hold and no longer", () => {
    const fact = (length: number): unknown =>
      factIn(event("m.call.invite", { ...call, offer: { type: "offer", sdp: "x".repeat(length) } }));
    expect(fact(65_536)).toBeDefined();
    expect(fact(65_537)).toBeUndefined();
  });

  it.each([
    ["m.call.invite", { offer: { type: "answer", sdp: "v=0" } }],
    ["m.call.invite", { offer: { type: "offer", sdp: "" } }],
    ["m.call.invite", { offer: { type: "offer" } }],
    ["m.call.invite", { offer, invitee: "bob" }],
    ["m.call.answer", { answer: offer }],
    ["m.call.negotiate", { description: { type: "rollback", sdp: "v=0" } }],
    ["m.call.select_answer", {}],
    ["m.call.candidates", { candidates: {} }],
  ])("that is not of its kind makes no fact: %s %j", (type, content) => {
    expect(read(event(type, { ...call, ...content }))).toEqual({ kind: "none", why: "malformed" });
  });
});

describe("the lifetime of an invite", () => {
  it.each([
    [60_000, 60_000],
    [undefined, 60_000],
    ["60000", 60_000],
    [-5, 60_000],
    [0, 60_000],
    [1e300, 600_000],
  ])("%j is taken as %j ms", (lifetime, expected) => {
    const content = JSON.parse(JSON.stringify({ ...call, offer, lifetime })) as unknown;
    expect(factIn(event("m.call.invite", content))).toMatchObject({ lifetimeMs: expected });
  });
});

describe("candidates", () => {
  it("that are none are left out, and the others stay", () => {
    const candidates = [
      { candidate: "candidate:1 1 udp 1 192.0.2.1 1 typ host", sdpMid: "0", sdpMLineIndex: 0 },
      null,
      "candidate:2",
      { candidate: 3 },
      { candidate: "x".repeat(1_025) },
      { candidate: "", sdpMid: null, sdpMLineIndex: null },
      { candidate: "candidate:4", sdpMid: 4, sdpMLineIndex: -1 },
    ];
    expect(factIn(event("m.call.candidates", { ...call, candidates }))).toMatchObject({
      candidates: [
        { candidate: "candidate:1 1 udp 1 192.0.2.1 1 typ host", mid: "0", mLineIndex: 0 },
        { candidate: "", mid: null, mLineIndex: null },
        { candidate: "candidate:4", mid: null, mLineIndex: null },
      ],
    });
  });

  it("are not taken by the thousand", () => {
    const candidates = Array.from({ length: 257 }, () => ({ candidate: "" }));
    expect(factIn(event("m.call.candidates", { ...call, candidates }))).toBeUndefined();
  });
});

describe("the age of an event", () => {
  const aged = (more: Record<string, unknown>): number | undefined => factIn(event("m.call.hangup", call, more))?.ageMs;

  it("is what the homeserver says, in either place", () => {
    expect(aged({ unsigned: { age: 70 }, age: 80 })).toBe(70);
    expect(aged({ unsigned: {}, age: 80 })).toBe(80);
  });

  it("is reckoned from the time of sending where it says nothing usable", () => {
    expect(aged({ unsigned: undefined })).toBe(500);
    expect(aged({ unsigned: { age: "70" } })).toBe(500);
    expect(aged({ unsigned: [] })).toBe(500);
    expect(aged({ unsigned: {}, origin_server_ts: "yesterday" })).toBe(0);
  });

  it("is never less than nothing, whatever the clocks", () => {
    expect(aged({ unsigned: { age: -3_000 } })).toBe(0);
    expect(aged({ unsigned: {}, origin_server_ts: receivedAtMs + 9_000 })).toBe(0);
  });
});

describe("a membership", () => {
  const member = (content: Record<string, unknown>, more: Record<string, unknown> = {}): unknown =>
    factIn(event("m.room.member", content, { state_key: "@bob:example.org", ...more }));

  it("is read as invited, joined or left, whoever it is about", () => {
    expect(member({ membership: "invite", is_direct: true })).toMatchObject({
      kind: "member.invited",
      user: "@bob:example.org",
      direct: true,
      encrypted: false,
    });
    expect(member({ membership: "invite" })).toMatchObject({ direct: false });
    expect(member({ membership: "join" })).toMatchObject({ kind: "member.joined" });
    expect(member({ membership: "leave" })).toMatchObject({ kind: "member.left" });
    expect(member({ membership: "ban" })).toMatchObject({ kind: "member.left" });
    expect(member({ membership: "knock" })).toBeUndefined();
  });

  it("tells that a room was upgraded by its state alone", () => {
    const content = { body: "This room has been replaced", replacement_room: "!new:example.org" };
    expect(factIn(event("m.room.tombstone", content, { state_key: "" }))).toMatchObject({ kind: "room.replaced" });
    expect(factIn(event("m.room.tombstone", content))).toBeUndefined();
  });

  it("tells from the stripped state that the room is encrypted, in either place", () => {
    const state = [null, 7, { type: "m.room.create" }, { type: "m.room.encryption", content: {} }];
    expect(member({ membership: "invite" }, { unsigned: { invite_room_state: state } })).toMatchObject({
      encrypted: true,
    });
    expect(member({ membership: "invite" }, { invite_room_state: state })).toMatchObject({ encrypted: true });
    expect(member({ membership: "invite" }, { invite_room_state: "m.room.encryption" })).toMatchObject({
      encrypted: false,
    });
  });
});

describe("an invitation's stripped state", () => {
  const publicIn = (state: unknown): unknown =>
    factIn(
      event(
        "m.room.member",
        { membership: "invite" },
        { state_key: "@bob:example.org", unsigned: { invite_room_state: state } },
      ),
    );

  it("tells whether anybody may join the room", () => {
    const rules = (content: unknown): unknown => [{ type: "m.room.join_rules", content }];
    expect(publicIn(rules({ join_rule: "public" }))).toMatchObject({ public: true });
    for (const content of [{ join_rule: "invite" }, { join_rule: 7 }, {}, null, "public"])
      expect(publicIn(rules(content))).toMatchObject({ kind: "member.invited", public: false });
  });
});

describe("a message", () => {
  const body = (content: Record<string, unknown>): unknown => {
    const fact = factIn(event("m.room.message", content));
    return fact?.kind === "message.received" ? fact.body : undefined;
  };

  it.each([
    ["a notice", { msgtype: "m.notice", body: "hello" }],
    ["of a kind that nobody knows", { msgtype: "org.example.poll", body: "hello" }],
    ["redacted", {}],
    ["without words", { msgtype: "m.text", body: 7 }],
    ["longer than an event", { msgtype: "m.text", body: "x".repeat(65_537) }],
  ])("that is %s is not for the bridge, and no fault", (_what, content) => {
    expect(read(event("m.room.message", content))).toEqual({ kind: "none", why: "other" });
  });

  it.each([
    ["> <@bob:example.org> When?\n> Today?\n\nTomorrow.", "Tomorrow."],
    ["> <@bob:example.org> When?\n\nOne\n\n> two", "One\n\n> two"],
    ["> * <@bob:example.org> waves\n\nHello.", "Hello."],
    ["> quoted by hand\n\nYes", "> quoted by hand\n\nYes"],
    ["> quoted by hand, no answer", "> quoted by hand, no answer"],
    ["> <@bob:example.org> When?\nno empty line", "> <@bob:example.org> When?\nno empty line"],
    ["\n\n", "\n\n"],
  ])("that answers another is one, without what it quotes: %j", (written, meant) => {
    const relation = { "m.in_reply_to": { event_id: "$0" } };
    expect(body({ msgtype: "m.text", body: written, "m.relates_to": relation })).toBe(meant);
    expect(body({ msgtype: "m.text", body: written })).toBe(written);
  });

  it("that changes an earlier one says so", () => {
    const relation = { rel_type: "m.replace", event_id: "$0" };
    const content = { msgtype: "m.text", body: "* x", "m.relates_to": relation };
    expect(factIn(event("m.room.message", content))).toMatchObject({ kind: "message.received", edits: true });
  });
});

describe("what a client says it can do in a call", () => {
  it.each([[{ "m.call.transferee": true }], [{ "m.call.dtmf": 1 }], ["true"], [null], [[]]])(
    "never costs it the call: %j",
    (capabilities) => {
      expect(factIn(event("m.call.invite", { ...call, offer, capabilities }))).toMatchObject({ kind: "call.invited" });
      const answer = { ...call, answer: { type: "answer", sdp: "v=0" }, capabilities };
      expect(factIn(event("m.call.answer", answer))).toMatchObject({ kind: "call.answered" });
    },
  );
});

describe("who a client says is calling", () => {
  it.each(["m.call.asserted_identity", "org.matrix.call.asserted_identity"])("is nobody's business: %s", (type) => {
    const asserted_identity = { id: "@boss:example.org", display_name: "The boss" };
    expect(read(event(type, { ...call, asserted_identity }))).toEqual({ kind: "none", why: "other" });
  });
});

describe("a transfer", () => {
  const transfer = (content: Record<string, unknown>): unknown =>
    factIn(event("m.call.replaces", { ...call, replacement_id: "r", ...content }));

  it("that names no user, or none that can be one, is still one half of a consultation", () => {
    for (const target_user of [undefined, null, {}, { id: "bob" }, "@bob:example.org"])
      expect(transfer({ create_call: "n", target_user })).toMatchObject({
        kind: "call.replaced",
        replacement: { kind: "create", token: "n", target: undefined },
      });
  });

  it.each([{}, { create_call: 7 }, { await_call: "" }, { create_call: "with space" }])(
    "that says nothing usable ends the client's call all the same: %j",
    (content) => {
      expect(transfer(content)).toMatchObject({ kind: "call.hungUp", said: undefined });
    },
  );
});
