// A TCP peer sends what it likes, in whatever pieces the network makes of it.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cpuMsOf } from "../../measures/cpu-time.ts";
import { parseSip } from "../../../src/sip/wire/parser.ts";
import { StreamFramer, type Frame } from "../../../src/sip/wire/stream-framer.ts";

function message(body = "", length: number | string = Buffer.byteLength(body), end = "\r\n"): string {
  const lines = [
    "MESSAGE sip:b@example.org SIP/2.0",
    "Via: SIP/2.0/TCP a.example.org;branch=z9hG4bK1",
    "From: <sip:a@example.org>;tag=1",
    "To: <sip:b@example.org>",
    "Call-ID: 1",
    "CSeq: 1 MESSAGE",
    `Content-Length: ${length}`,
  ];
  return `${lines.join(end)}${end}${end}${body}`;
}

function described(frames: readonly Frame[]): string[] {
  return frames.map((frame) => {
    if (frame.kind === "message") return frame.bytes.toString();
    return frame.kind === "error" ? frame.problem : frame.kind;
  });
}

/** All frames of a stream that arrives in pieces of these lengths, repeated. */
function framesOf(stream: Buffer, pieces: readonly number[], opened = false): string[] {
  const framer = new StreamFramer(opened);
  const frames: Frame[] = [];
  for (let at = 0, index = 0; at < stream.length; index++) {
    const next = at + (pieces[index % pieces.length] ?? 1);
    frames.push(...framer.push(Buffer.from(stream.subarray(at, next))));
    at = next;
  }
  return described(frames);
}

describe("a stream", () => {
  it("gives the same messages however it is cut", () => {
    const messages = [
      message("hello"),
      message(),
      message("é".repeat(50)),
      message("a\r\n\r\nb"),
      message("x\n", 2, "\n"),
    ];
    const stream = Buffer.from(messages.join(""));
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 10 }), (pieces) => {
        expect(framesOf(stream, pieces)).toEqual(messages);
      }),
    );
    expect(framesOf(stream, [1])).toEqual(messages);
    expect(framesOf(stream, [stream.length])).toEqual(messages);
  });

  it("gives messages that stay as they are when more arrives", () => {
    const framer = new StreamFramer(false);
    const [one, two] = [message("one"), message("two")];
    framer.push(Buffer.from(one.slice(0, 50)));
    const [first] = framer.push(Buffer.from(one.slice(50) + two.slice(0, 20)));
    framer.push(Buffer.from(two.slice(20)));
    framer.push(Buffer.from(message("three")));
    expect(first && described([first])).toEqual([one]);
  });

  it("gives what the parser takes", () => {
    const [frame] = new StreamFramer(false).push(Buffer.from(`\r\n${message("hi")}`));
    if (frame?.kind !== "message") throw new Error("no message");
    expect(parseSip(frame.bytes)).toMatchObject({ outcome: "message", message: { body: "hi" } });
  });

  it("may fold its Content-Length, repeat it, or send it in compact form", () => {
    for (const header of ["Content-Length:\r\n  2", "l : 2", "Content-Length: 2\r\nL: 2", "CONTENT-LENGTH: 0002"]) {
      const text = message("hi").replace("Content-Length: 2", header);
      expect(framesOf(Buffer.from(text + message()), [7])).toEqual([text, message()]);
    }
  });
});

describe("keep-alives (RFC 5626 s4.4.1)", () => {
  it("a double CRLF on a connection that the peer opened is a ping", () => {
    expect(framesOf(Buffer.from(`\r\n\r\n${message()}\r\n\r\n`), [100])).toEqual(["ping", message(), "ping"]);
    expect(framesOf(Buffer.from("\r\n\r\n"), [1])).toEqual(["ping"]);
    expect(framesOf(Buffer.from(`\r\n${message()}\r\n`), [1])).toEqual([message()]);
  });

  it("a CRLF on a connection of ours is a pong", () => {
    expect(framesOf(Buffer.from("\r\n"), [1], true)).toEqual(["pong"]);
    expect(framesOf(Buffer.from(`${message()}\r\n${message()}`), [9], true)).toEqual([message(), "pong", message()]);
  });

  it("a flood of pings gets one answer for each piece", () => {
    expect(new StreamFramer(false).push(Buffer.from("\r\n\r\n".repeat(10_000)))).toEqual([{ kind: "ping" }]);
  });
});

describe("a stream that cannot be followed ends with an error", () => {
  it.each([
    ["malformed-content-length", message("", -5)],
    ["malformed-content-length", message("", "1 2")],
    ["malformed-content-length", message("", "1e3")],
    ["malformed-content-length", message("hi").replace("Call-ID: 1", "l: 3")],
    ["missing-content-length", message().replace("Content-Length: 0\r\n", "")],
    ["missing-content-length", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["body-too-long", message("", 1_000_000_000)],
    // In 32 bits this is the true length.
    ["body-too-long", message("hi", 2 ** 32 + 2)],
    ["headers-too-long", `MESSAGE ${"a".repeat(40_000)}`],
    ["headers-too-long", `MESSAGE x\r\n${"a: b\r\n".repeat(40_000)}`],
    ["malformed-headers", message().replace("Call-ID: 1\r\n", "Call-ID: 1\nContent-Length: 7\r\n")],
    ["malformed-headers", `MESSAGE x\r\n${"a: b\r\n".repeat(300)}\r\n`],
  ])("%s", (problem, stream) => {
    expect(framesOf(Buffer.from(stream + message()), [1_000])).toEqual([problem]);
    expect(framesOf(Buffer.from(stream + message()), [3])).toEqual([problem]);
  });

  it("after the messages before it, and what was read of it can still be answered", () => {
    const frames = new StreamFramer(false).push(Buffer.from(message("ok") + message("", "x")));
    expect(described(frames)).toEqual([message("ok"), "malformed-content-length"]);
    const last = frames.at(-1);
    if (last?.kind !== "error") throw new Error("no error");
    expect(parseSip(last.head)).toMatchObject({ outcome: "invalid", status: 400, problem: "malformed-content-length" });
  });
});

describe("cost", () => {
  // Bytes copied and searched are bounded by what was pushed: a second. With their square it would be minutes.
  it.each([
    ["a header that never ends", (bytes: number) => "a".repeat(bytes)],
    ["a body that comes byte by byte", (bytes: number) => message("", bytes) + "b".repeat(bytes - 1)],
    ["line ends that almost end the headers", (bytes: number) => `x\r\n${"a\r\n\r".repeat(bytes / 4)}`],
  ])("of %s is not the square of its length", (_, streamOf) => {
    const framer = new StreamFramer(false, { maxHeaderBytes: 2 ** 22, maxBodyBytes: 2 ** 22, maxHeaders: 256 });
    const stream = Buffer.from(streamOf(1_000_000));
    const frames: unknown[] = [];
    const read = (): void => {
      for (let at = 0; at < stream.length; at++) frames.push(...framer.push(stream.subarray(at, at + 1)));
    };
    expect(cpuMsOf(read)).toBeLessThan(10_000);
    expect(frames).toEqual([]);
  });
});
