// Bodies from the network besides SDP: nothing throws, what comes out is bounded, and no input takes more time than
// its length deserves.
import { cpuMsOf } from "../../measures/cpu-time.ts";
import { anyText } from "../../arbitraries/any-text.ts";
import { formatUri } from "../../../src/core/address/uri.ts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseDtmf } from "../../../src/sip/call/info-dtmf.ts";
import { readMessageBody } from "../../../src/sip/messages/message-body.ts";
import { parseSummary } from "../../../src/sip/messages/message-waiting.ts";
import { readReference } from "../../../src/sip/headers/refer-to.ts";
import { formatSipfrag, parseSipfrag } from "../../../src/sip/transfer/sipfrag.ts";
import { parseSip } from "../../../src/sip/wire/parser.ts";

/** Random words with what parsers decide by mixed in. */
function bodies(...pieces: string[]): fc.Arbitrary<string> {
  const common = [
    "\r\n",
    "\n",
    "\r",
    " ",
    "\t",
    ":",
    "=",
    ";",
    "/",
    "<",
    ">",
    "\u0000",
    "\uD800",
    "0",
    "9",
    "-",
    "--b",
    '"',
  ];
  const piece = fc.oneof(fc.constantFrom(...common, ...pieces), anyText({ maxLength: 8 }));
  return fc.array(piece, { maxLength: 60 }).map((parts) => parts.join(""));
}

describe("whatever a body holds", () => {
  it("a sipfrag is a status of SIP or none", () => {
    fc.assert(
      fc.property(bodies("SIP/2.0", "sip/2.0 ", "200", " 180 ", "OK"), (body) => {
        const status = parseSipfrag(body);
        if (status !== undefined) expect(status).toSatisfy((it: number) => it >= 100 && it <= 699);
      }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 699 }), (status) => parseSipfrag(formatSipfrag(status)) === status),
    );
  });

  it("a key is one that a telephone has, held for a time that one can hold it", () => {
    fc.assert(
      fc.property(bodies("Signal", "Signal=", "Duration=", "5", "#", "10", "16", "A"), (body) => {
        const key = parseDtmf(body);
        if (key === undefined || key === "flash") return;
        expect(key.digit).toMatch(/^[0-9*#A-D]$/);
        expect(key.durationMs).toSatisfy((ms: number) => Number.isInteger(ms) && ms >= 40 && ms <= 6_000);
      }),
    );
  });

  it("a summary counts in whole numbers", () => {
    fc.assert(
      fc.property(
        bodies("Messages-Waiting", "yes", "no", "Voice-Message", "2/8", "Message-Account", "sip:a@b"),
        (body) => {
          const summary = parseSummary(body);
          if (summary === undefined) return;
          for (const count of [summary.newMessages, summary.oldMessages]) {
            expect(count).toSatisfy((it: number) => Number.isInteger(it) && it >= 0 && it <= 1_000_000);
          }
        },
      ),
    );
  });

  it("a text has no control characters but line ends and tabs, and no lone surrogates", () => {
    const types = [
      "text/plain",
      "text/html",
      "message/cpim",
      "multipart/mixed",
      "application/im-iscomposing+xml",
      "x/y",
    ];
    const charsets = [null, "utf-8", "iso-8859-1", "utf-16", "nonsense", ""];
    const pieces = [
      "<p>",
      "</p>",
      "<br",
      "&amp;",
      "&#0;",
      "&#xDFFF;",
      "Content-Type: text/plain",
      "Content-Transfer-Encoding: base64",
    ];
    fc.assert(
      fc.property(fc.constantFrom(...types), fc.constantFrom(...charsets), bodies(...pieces), (type, charset, body) => {
        const params = new Map<string, string | null>([
          ["boundary", "b"],
          ["charset", charset],
        ]);
        const read = readMessageBody({ type, params }, Buffer.from(body));
        if (read?.kind !== "text") return;
        expect(read.text).not.toMatch(/[^\P{Cc}\n\t]|\p{Cs}/u);
      }),
    );
  });

  it.each<[string, string, string]>([
    ["line ends", "text/plain", `${"\n".repeat(65_000)}x`],
    ["open tags", "text/html", "<".repeat(65_000)],
    ["open breaks", "text/html", "<br ".repeat(16_000)],
    ["open scripts", "text/html", "<script>".repeat(8_000)],
    ["empty tags", "text/html", "< > ".repeat(16_000)],
    ["entities", "text/html", "&#".repeat(32_000)],
    ["spaces", "text/html", " ".repeat(65_000)],
    ["boundaries", "multipart/mixed", "\r\n--b".repeat(13_000)],
    ["headers", "multipart/mixed", `--b\r\n${"Content-Type: ;".repeat(4_000)}\r\n\r\nx`],
    [
      "soft line ends",
      "multipart/mixed",
      `--b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n${"=   ".repeat(16_000)}`,
    ],
    ["empty lines", "message/cpim", "\r\n".repeat(32_000)],
  ])("65 kB of %s are read at once", (_, type, body) => {
    const read = (): void => void readMessageBody({ type, params: new Map([["boundary", "b"]]) }, Buffer.from(body));
    expect(cpuMsOf(read)).toBeLessThan(500);
  });
});

describe("whatever Refer-To and Referred-By hold", () => {
  it("what is passed on of them is one line", () => {
    const piece = fc.oneof(
      fc.constantFrom(
        "<sip:a@b>",
        "<sip:a@b?Replaces=",
        "c%3Bto-tag%3Dx",
        "%3Bfrom-tag%3Dy",
        ">",
        "tel:+49",
        ",",
        "%0D%0A",
        ";method=",
        "INVITE",
      ),
      fc.string({ unit: "binary-ascii", maxLength: 6 }),
    );
    const value = fc.array(piece, { maxLength: 8 }).map((parts) => parts.join("").replaceAll(/[\r\n]/g, " "));
    fc.assert(
      fc.property(value, value, (referTo, referredBy) => {
        const head = [
          "REFER sip:a@b SIP/2.0",
          "Via: SIP/2.0/UDP a;branch=z9hG4bKx",
          "From: <sip:a@b>;tag=1",
          "To: <sip:c@d>;tag=2",
          "Call-ID: x",
          "CSeq: 1 REFER",
          `Refer-To: ${referTo}`,
          `Referred-By: ${referredBy}`,
          "Content-Length: 0",
        ];
        const parsed = parseSip(Buffer.from(`${head.join("\r\n")}\r\n\r\n`));
        if (parsed.outcome !== "message" || parsed.message.kind !== "request") return;
        const reference = readReference(parsed.message);
        if (typeof reference === "number") {
          expect([400, 416, 501]).toContain(reference);
          return;
        }
        for (const part of [
          formatUri(reference.target.uri),
          reference.replaces,
          reference.referredBy && formatUri(reference.referredBy),
        ]) {
          expect(part ?? "").not.toMatch(/\p{Cc}/u);
        }
      }),
    );
  });
});
