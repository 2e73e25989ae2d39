// What a ladder shows of Matrix events: the fields of calls that are known, each in its form; no texts, no keys.
import fc from "fast-check";
import { expect, test } from "vitest";
import { unmarked } from "../../src/ladders/redaction/marks.ts";
import { EventRedaction } from "../../src/ladders/redaction/matrix.ts";

const events = new EventRedaction("_sip_");
const whole = (number: string): string => number;
const masked = (number: string): string => number.replaceAll(/\d/g, "*");

function shown(type: string, content: unknown, stateKey?: string, show = whole): string {
  const room = "!dm:example.org";
  const found = events.shown({ room, sender: "@ann:example.org", type, stateKey, content, encrypted: false });
  return found === undefined ? "" : `${found.label}\n${unmarked(found.text, show)}`;
}

const types = [
  "m.call.invite",
  "m.call.answer",
  "m.call.candidates",
  "m.call.hangup",
  "m.call.negotiate",
  "m.call.replaces",
  "org.matrix.call.asserted_identity",
  "org.matrix.msc3401.call.member",
  "org.matrix.msc4143.rtc.member",
  "org.matrix.msc4075.rtc.notification",
  "m.room.member",
  "m.room.message",
  "m.reaction",
  "io.element.call.encryption_keys",
] as const;

/** Fields that are known, which a client may fill with anything; not those that are ids. */
const names = [
  "version", "lifetime", "reason", "offer", "answer", "description", "candidates", "capabilities", "sdp_stream_metadata",
  "asserted_identity", "target_user", "membership", "is_direct", "application", "scope", "expires", "focus_active", "foci_preferred",
  "type", "sdp", "candidate", "sdpMid", "sdpMLineIndex", "display_name", "livekit_service_url", "focus_selection", "body", "key", "keys",
  "m.call.dtmf", "notification_type", "slot_id", "m.mentions", "m.relates_to", "rel_type", "__proto__", "constructor", "toString",
]; // prettier-ignore

test("whatever is not known to be harmless is not shown, at any depth and under any name", () => {
  const secret = fc.stringMatching(/^S3cr3t[A-Za-z0-9]{12}$/);
  const { content } = fc.letrec((tie) => ({
    content: fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.constant("SECRET")), tie("value"), { maxKeys: 6 }),
    value: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.constantFrom(
        "SECRET",
        "https://SECRET@example.org/SECRET?token=SECRET",
        "candidate:SECRET",
        "v=0\r\na=ice-pwd:SECRET\r\n",
        5,
        true,
        null,
      ),
      tie("content"),
      fc.array(tie("value"), { maxLength: 3 }),
    ),
  }));
  fc.assert(
    fc.property(fc.constantFrom(...types), content, secret, (type, given, planted) => {
      const said: unknown = JSON.parse(JSON.stringify(given).replaceAll("SECRET", planted));
      expect(shown(type, said)).not.toContain(planted);
    }),
    { numRuns: 2_000 },
  );
});

test("what people write and tap is there, and not what it is", () => {
  expect(shown("m.room.message", { msgtype: "m.text", body: "1234#" })).toMatch(/^message \(left out\)\n(?!.*1234)/s);
  expect(shown("m.reaction", { "m.relates_to": { key: "5️⃣" } })).not.toContain("5");
  expect(shown("io.element.call.encryption_keys", { keys: [{ index: 0, key: "c2VjcmV0" }] })).not.toContain("c2Vj");
  expect(shown("m.room.encrypted", { ciphertext: "x" })).toBe("");
  expect(shown("org.example.unknown", {})).toBe("");
});

test("a ghost's number can be masked, wherever the ghost is named", () => {
  const text = shown(
    "m.room.member",
    { membership: "invite" },
    "@_sip_+442079460123%40sip.example.org:example.org",
    masked,
  );
  expect(text).toContain('"state_key": "@_sip_+************%40sip.example.org:example.org"');
  const invite = { call_id: "c1", version: "1", invitee: "@_sip_+442079460123%40sip.example.org:example.org" };
  expect(shown("m.call.invite", invite, undefined, masked)).not.toContain("2079460123");
  expect(shown("m.call.invite", invite)).toContain("+442079460123");
});

test("texts of a client cannot forge the marks around numbers", () => {
  const text = shown("m.call.hangup", { call_id: "c\u0001123\u0002" }, "@x\u0001:example.org\u0002", masked);
  expect(text.includes("\u0001") || text.includes("\u0002")).toBe(false);
});
