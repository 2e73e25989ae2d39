// What a person reads of a text, however the telephone wrapped it.
import { describe, expect, it } from "vitest";
import { readMessageBody } from "../../../src/sip/messages/message-body.ts";
import { parseSip } from "../../../src/sip/wire/parser.ts";

function read(contentType: string | undefined, body: string | Buffer): ReturnType<typeof readMessageBody> {
  const bytes = Buffer.from(body as string);
  const head = [
    "MESSAGE sip:a@b SIP/2.0",
    "Via: SIP/2.0/UDP a;branch=z9hG4bKx",
    "From: <sip:a@b>;tag=1",
    "To: <sip:c@d>",
    "Call-ID: x",
    "CSeq: 1 MESSAGE",
    ...(contentType === undefined ? [] : [`Content-Type: ${contentType}`]),
    `Content-Length: ${bytes.length}`,
  ];
  const parsed = parseSip(Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), bytes]));
  if (parsed.outcome !== "message") throw new Error(parsed.outcome);
  return readMessageBody(parsed.message.contentType, parsed.message.bodyBytes);
}

const text = (words: string) => ({ kind: "text", text: words });

describe("plain text", () => {
  it.each<[string | undefined, string | Buffer, string]>([
    ["text/plain;charset=UTF-8", "Grüße ☎ 你好", "Grüße ☎ 你好"],
    ["text/plain", "Grüße", "Grüße"],
    [undefined, "hello", "hello"],
    ["text/plain;charset=ISO-8859-1", Buffer.from("Grüße", "latin1"), "Grüße"],
    ["text/plain;charset=utf-16le", Buffer.from("Grüße", "utf16le"), "Grüße"],
    ["text/plain;charset=UTF-8", Buffer.from([0x61, 0xff, 0x62]), "a\uFFFDb"],
    ["text/plain;charset=klingon", "Grüße", "Grüße"],
    ["text/plain", "one\r\ntwo\rthree\n\n", "one\ntwo\nthree"],
    ["text/plain", "a\u0000b\u001b[31mc\td", "ab[31mc\td"],
    ["text/plain", "<b>not bold</b>", "<b>not bold</b>"],
  ])("of %j: %j", (type, body, words) => {
    expect(read(type, body)).toEqual(text(words));
  });
});

describe("HTML", () => {
  it.each([
    ["<p>Hello <b>you</b></p><p>there</p>", "Hello you\nthere"],
    ["a<br>b<br/>c", "a\nb\nc"],
    [
      "Fish &amp; chips &lt;3 &#9742; &#x1F600; &nbsp;&bogus; &#xD800; &#9999999;",
      "Fish & chips <3 ☎ 😀  &bogus; \uFFFD \uFFFD",
    ],
    ["<style>p{}</style><script>alert(1)</script>words<script>never closed", "words"],
    ["<body>  many   spaces\n and lines </body>", "many spaces and lines"],
    ["&lt;script&gt;", "<script>"],
  ])("%j is read as %j", (html, words) => {
    expect(read("text/html;charset=utf-8", html)).toEqual(text(words));
  });
});

describe("a wrapping", () => {
  const multipart = (...parts: string[]) => `${parts.map((part) => `--b\r\n${part}\r\n`).join("")}--b--\r\n`;

  it.each<[string, string, string, string]>([
    [
      "the plain part, not the HTML before it",
      "multipart/alternative;boundary=b",
      multipart("Content-Type: text/html\r\n\r\n<b>html</b>", "Content-Type: text/plain; charset=utf-8\r\n\r\nplain ü"),
      "plain ü",
    ],
    [
      "the HTML where that is all",
      "multipart/mixed;boundary=b",
      multipart("Content-Type: text/html\r\n\r\n<b>html</b>"),
      "html",
    ],
    ["a part without headers", "multipart/mixed;boundary=b", multipart("\r\nplain"), "plain"],
    [
      "a quoted boundary with signs in it",
      'multipart/mixed;boundary="a.+b"',
      "--a.+b\r\n\r\nplain\r\n--a.+b--",
      "plain",
    ],
    [
      "base64",
      "multipart/mixed;boundary=b",
      multipart(
        `Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n${Buffer.from("Grüße").toString("base64")}`,
      ),
      "Grüße",
    ],
    [
      "quoted-printable",
      "multipart/mixed;boundary=b",
      multipart(
        "Content-Type: text/plain;\r\n charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BC=C3=9Fe =\r\nall",
      ),
      "Grüße all",
    ],
    [
      "CPIM (RFC 3862)",
      "message/cpim",
      'From: <im:a@b>\r\nTo: <im:c@d>\r\nDateTime: 2026-11-22T10:00:00Z\r\n\r\nContent-Type: text/plain; charset="utf-8"\r\n\r\nhello ü',
      "hello ü",
    ],
    [
      "CPIM in a multipart",
      "multipart/mixed;boundary=b",
      multipart("Content-Type: message/cpim\r\n\r\nFrom: <im:a@b>\r\n\r\nContent-Type: text/plain\r\n\r\nhello"),
      "hello",
    ],
  ])("holds %s", (_, type, body, words) => {
    expect(read(type, body)).toEqual(text(words));
  });

  it.each([
    ["no boundary", "multipart/mixed", multipart("\r\nplain")],
    ["no part", "multipart/mixed;boundary=b", "--b--"],
    ["a picture", "multipart/mixed;boundary=b", multipart("Content-Type: image/png\r\n\r\n\u0001")],
    ["no end of its own headers", "message/cpim", "From: <im:a@b>"],
    ["a receipt", "message/cpim", "From: <im:a@b>\r\n\r\nContent-Type: message/imdn+xml\r\n\r\n<imdn/>"],
  ])("with %s has no words", (_, type, body) => {
    expect(read(type, body)).toBeUndefined();
  });

  it("in a wrapping in a wrapping without end is not followed for ever", () => {
    let body = "Content-Type: text/plain\r\n\r\nhello";
    for (let depth = 0; depth < 50; depth++) body = `Content-Type: message/cpim\r\n\r\nFrom: x\r\n\r\n${body}`;
    expect(read("message/cpim", `From: x\r\n\r\n${body}`)).toBeUndefined();
  });

  it("says that somebody types", () => {
    expect(read("application/im-iscomposing+xml", "<isComposing/>")).toEqual({ kind: "typing" });
  });
});
