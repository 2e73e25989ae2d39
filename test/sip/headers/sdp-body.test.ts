// Where the session description hides in a message.
import { describe, expect, it } from "vitest";
import { sdpOf } from "../../../src/sip/headers/sdp-body.ts";
import { parseSip } from "../../../src/sip/wire/parser.ts";

const SDP = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n";

function sdpIn(contentType: string | undefined, body: string): string | undefined {
  const type = contentType === undefined ? "" : `Content-Type: ${contentType}\r\n`;
  const result = parseSip(
    `SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\n` +
      `Call-ID: x\r\nCSeq: 1 INVITE\r\n${type}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  if (result.outcome !== "message") throw new Error(result.outcome);
  return sdpOf(result.message);
}

describe("the description", () => {
  it("is the body", () => expect(sdpIn("application/sdp", SDP)).toBe(SDP));
  it("is the body in any case, with parameters", () => expect(sdpIn("Application/SDP; charset=utf-8", SDP)).toBe(SDP));
  it("is recognised without a type", () => expect(sdpIn(undefined, SDP)).toBe(SDP));
  it("is none where there is no body", () => expect(sdpIn("application/sdp", "")).toBeUndefined());
  it("is none where the body is something else", () => expect(sdpIn("text/plain", SDP)).toBeUndefined());
  it("is none where nothing says what the body is", () => expect(sdpIn(undefined, "hello")).toBeUndefined());

  const isup = "--b1\r\nContent-Type: application/isup; version=itu-t92+\r\n\r\n\u0001\u0002\r\n";
  const part = `--b1\r\nContent-Disposition: session\r\nContent-Type: application/sdp\r\n\r\n${SDP}\r\n`;
  it("is one part of several, first", () => {
    expect(sdpIn('multipart/mixed; boundary="b1"', `${part}${isup}--b1--\r\n`)).toBe(SDP);
  });
  it("is one part of several, last", () => {
    expect(sdpIn("multipart/mixed;boundary=b1", `${isup}${part}--b1--\r\n`)).toBe(SDP);
  });
  it("is found where lines end in LF alone", () => {
    const body = `${part}${isup}--b1--\r\n`.replaceAll("\r\n", "\n");
    expect(sdpIn("multipart/mixed;boundary=b1", body)).toBe(SDP.replaceAll("\r\n", "\n"));
  });
  it("is recognised without a type behind an empty line", () => {
    expect(sdpIn(undefined, `\r\n${SDP}`)).toBe(`\r\n${SDP}`);
  });
  it("is not found past the end of the parts", () => {
    expect(sdpIn("multipart/mixed;boundary=b1", `${isup}--b1--\r\n${part}`)).toBeUndefined();
  });
  it("is decoded where it was encoded for the way", () => {
    const head = "--b1\r\nContent-Type: application/sdp\r\nContent-Transfer-Encoding: base64\r\n\r\n";
    const body = `${head}${Buffer.from(SDP).toString("base64")}\r\n--b1--\r\n`;
    expect(sdpIn("multipart/mixed;boundary=b1", body)).toBe(SDP);
  });
  it("is not found without a boundary", () => expect(sdpIn("multipart/mixed", part)).toBeUndefined());
});
