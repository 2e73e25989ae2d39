// Records of ended calls, as rows hold them: what they do not say, and what is not known, harms nothing.
import { expect, test } from "vitest";
import { readRecord, writeRecord } from "../../src/store/stored/stored-record.ts";
import { legacyClient } from "../../src/matrix/legs/legacy-form.ts";
import { recordOf } from "../contract/store-examples.ts";

const written = writeRecord(recordOf("c-1", 2_000));
const fields = JSON.parse(written) as Readonly<Record<string, unknown>>;

function read(changes: Readonly<Record<string, unknown>>) {
  return readRecord("c-1", JSON.stringify({ ...fields, ...changes }));
}

test("a record is read as it was written", () => {
  expect(readRecord("c-1", written)).toEqual({ record: recordOf("c-1", 2_000), problem: undefined });
});

test("fields of a later release are left out", () => {
  expect(read({ recording: { url: "x" }, media: { ...(fields["media"] as object), video: 1 } })).toEqual({
    record: recordOf("c-1", 2_000),
    problem: undefined,
  });
});

test("a call whose audio was converted one way keeps which one", () => {
  const media = { ...(fields["media"] as object), converted: { a: "opus", b: "PCMA", only: "a" } };
  expect(read({ media }).record?.media.converted).toEqual({ a: "opus", b: "PCMA", only: "a" });
  const nobody = { ...media, converted: { ...media.converted, only: "c" } };
  expect(read({ media: nobody }).record).toBeUndefined();
});

test("a call whose audio was converted keeps the codec at each end", () => {
  const media = { ...(fields["media"] as object), converted: { a: "opus", b: "PCMA" } };
  expect(read({ media }).record?.media).toMatchObject({ converted: { a: "opus", b: "PCMA" } });
});

test("an earlier release named the ends of the media by what stood there", () => {
  const heard = (packets: number) => ({ packets, bytes: 8_000, lost: 0, jitterMs: 1 });
  const media = { codec: "PCMU", fromMatrix: heard(50), fromTrunk: heard(49) };
  expect(read({ media }).record?.media).toEqual({ codec: "PCMU", a: heard(50), b: heard(49) });
});

test.each(["0", "1"])("an earlier release knew one kind of client, of version %s", (version) => {
  const { own, device, form: _, abilities: __, ...leg } = fields["leg"] as Readonly<Record<string, unknown>>;
  const earlier = { ...leg, ownParty: own, personParty: device, version };
  const today = { ...recordOf("c-1", 2_000).leg, ...legacyClient(version === "0" ? "0" : "1") };
  expect(read({ leg: earlier }).record?.leg).toEqual(today);
});

test("a call of which a restart could read no more than the trunk's leg has a record without a person", () => {
  const nobody = { leg: undefined, room: undefined, person: undefined, matrixCallId: undefined };
  expect(read(nobody).record).toEqual({ ...recordOf("c-1", 2_000), ...nobody });
});

test.each([
  ["is no JSON", "{not json", "not JSON of a record"],
  ["is no object", "null", "not JSON of a record"],
  ["is another call's", writeRecord(recordOf("c-2", 2_000)), "id: is that of c-2"],
])("a row that %s is no record, and says why", (_what, json, problem) => {
  expect(readRecord("c-1", json)).toEqual({ record: undefined, problem });
});

test.each([
  ["an end that is no time", { endedAtMs: "yesterday" }, /^endedAtMs: /],
  ["an unknown cause", { cause: "boredom" }, /^cause: /],
  ["an unknown result", { result: "fine" }, /^result: /],
  ["a person who is no user", { person: "ann" }, /^person: /],
  ["half a leg", { leg: { room: "!room:example.org" } }, /^leg\./],
  ["no media", { media: undefined }, /^media: /],
])("a row with %s is no record, and says where the fault is", (_what, changes, problem) => {
  const { record, problem: said } = read(changes);
  expect(record).toBeUndefined();
  expect(said).toMatch(problem);
});
