// What a media server says, in bytes written by hand: protobuf fields as livekit_rtc.proto and livekit_models.proto number them.
import { describe, expect, test } from "vitest";
import { readSignal } from "../../../src/media/embedded/participant/signal.ts";

const varint = (value: number): number[] => (value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)]);
const number = (field: number, value: number): number[] => [...varint(field << 3), ...varint(value)];
const bytes = (field: number, value: readonly number[]): number[] => [
  ...varint((field << 3) | 2),
  ...varint(value.length),
  ...value,
];
const text = (field: number, value: string): number[] => bytes(field, [...Buffer.from(value)]);
const read = (field: number, value: readonly number[]): unknown => readSignal(Uint8Array.from(bytes(field, value)));

/** SignalResponse. */
const fields = { join: 1, answer: 2, trickle: 4, update: 5, leave: 8 } as const;
/** ParticipantInfo, with a track of sound and one of pictures. */
const alice = (state: number): number[] => [
  ...text(1, "PA_1"),
  ...text(2, "@alice:example.org:DEVICE"),
  ...number(3, state),
  ...bytes(4, text(1, "TR_sound")),
  ...bytes(4, [...text(1, "TR_picture"), ...number(2, 1)]),
];

test("who is there when we come, and what we are told of ways and times", () => {
  const turn = [...text(1, "turn:sfu.example.org:3478"), ...text(2, "user"), ...text(3, "secret")];
  const stun = text(1, "stun:stun.example.org");
  const said = read(fields.join, [
    ...bytes(3, alice(2)),
    ...bytes(5, turn),
    ...bytes(5, stun),
    ...number(10, 15),
    ...number(11, 5),
    ...bytes(13, [1, 2, 3]),
    ...["audio/opus", "audio/pcmu", "video/VP8", "audio/x y"].flatMap((mime) => bytes(14, text(1, mime))),
  ]);
  expect(said).toEqual({
    kind: "joined",
    attendees: [{ sid: "PA_1", identity: "@alice:example.org:DEVICE", isGone: false, tracks: ["TR_sound"] }],
    turnServers: [
      { urls: ["turn:sfu.example.org:3478"], username: "user", credential: "secret" },
      { urls: [], username: "", credential: "" },
    ],
    pingIntervalMs: 5000,
    pingTimeoutMs: 15_000,
    codecs: ["opus", "PCMU"],
    injected: Buffer.from([1, 2, 3]),
  });
});

test("times that would hurt are not taken over", () => {
  const pinged = { pingIntervalMs: 60_000, pingTimeoutMs: 120_000 };
  expect(read(fields.join, [...number(10, 9_999_999), ...number(11, 9_999_999)])).toMatchObject(pinged);
  expect(read(fields.join, number(11, -1 >>> 0))).toMatchObject({ pingIntervalMs: 5000, pingTimeoutMs: 15_000 });
});

test("who has gone", () => {
  expect(read(fields.update, bytes(1, alice(3)))).toMatchObject({ kind: "attendees", attendees: [{ isGone: true }] });
});

test("names that nobody has are not kept: a thousand people with them would fill the memory", () => {
  const long = "x".repeat(10_000);
  const tracks = [...bytes(4, text(1, long)), ...bytes(4, text(1, "TR_sound"))];
  const someone = (sid: string, identity: string) => [...text(1, sid), ...text(2, identity), ...tracks];
  const said = [...bytes(1, someone("PA_1", "a")), ...bytes(1, someone(long, "b")), ...bytes(1, someone("PA_3", long))];
  expect(read(fields.update, said)).toMatchObject({ attendees: [{ sid: "PA_1", tracks: ["TR_sound"] }] });
});

test("an answer: to which offer, and whose sound is where", () => {
  const track = [...text(1, "rx0"), ...text(2, "TR_sound")];
  const said = read(fields.answer, [...text(1, "answer"), ...text(2, "v=0"), ...number(3, 7), ...bytes(4, track)]);
  expect(said).toEqual({ kind: "answer", offer: 7, sdp: "v=0", tracks: new Map([["rx0", "TR_sound"]]) });
});

describe("a candidate", () => {
  test("is read", () => {
    const init = { candidate: "candidate:1 1 udp 5 127.0.0.1 7882 typ host", sdpMid: "0" };
    const said = read(fields.trickle, text(1, JSON.stringify(init)));
    expect(said).toMatchObject({ kind: "candidate", candidate: { address: "127.0.0.1", port: 7882 } });
  });

  test.for(["", "{", "null", "7", '{"candidate":7}', '{"candidate":"nonsense"}', "{}"])("is none: %s", (init) => {
    expect(read(fields.trickle, text(1, init))).toEqual({ kind: "other" });
  });
});

test("why we have to leave, and whether we may come back", () => {
  const [duplicate, shutdown] = [2, 3];
  expect(read(fields.leave, number(2, duplicate))).toEqual({
    kind: "left",
    reason: "DUPLICATE_IDENTITY",
    isFinal: true,
  });
  expect(read(fields.leave, [...number(2, shutdown), ...number(3, 2)])).toMatchObject({ isFinal: false });
  expect(read(fields.leave, number(2, 99))).toMatchObject({ reason: "unknown", isFinal: false });
});

test("what is no message of a media server is none, and what we do not know is nothing", () => {
  expect(readSignal(Uint8Array.from([0xff, 0xff, 0xff]))).toBeUndefined();
  expect(readSignal(Uint8Array.from(bytes(fields.join, [0x0a, 0x7f])))).toBeUndefined();
  expect(read(500, [])).toEqual({ kind: "other" });
});
