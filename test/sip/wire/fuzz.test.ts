// Whatever comes from the network: nothing throws, every outcome is one of those that exist, and no input takes
// more time than its length deserves.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cpuMsOf } from "../../measures/cpu-time.ts";
import { anyText } from "../../arbitraries/any-text.ts";
import { calledOf } from "../../../src/sip/headers/called-number.ts";
import { diversionsOf } from "../../../src/sip/headers/diversion.ts";
import { remoteIdentityOf } from "../../../src/sip/headers/remote-identity.ts";
import { replacesOf } from "../../../src/sip/headers/replaces.ts";
import { echoedHeaders, formatResponse } from "../../../src/sip/wire/message-writer.ts";
import { responseTo } from "../../../src/sip/wire/outgoing-message.ts";
import { formatAddress, parseReasons } from "../../../src/sip/wire/header-builder.ts";
import { headerTokens } from "../../../src/sip/wire/message.ts";
import { parseSip, type ParseResult } from "../../../src/sip/wire/parser.ts";
import { screenRequest } from "../../../src/sip/wire/screening.ts";
import { StreamFramer } from "../../../src/sip/wire/stream-framer.ts";
import { clientTransactionKey, serverTransactionKey } from "../../../src/sip/wire/transaction-key.ts";
import { formatUri, userText } from "../../../src/core/address/uri.ts";
import { formatVia, responseTarget, withSource } from "../../../src/sip/wire/fields/via.ts";
import { tortureMessage, tortureNames } from "./torture.ts";

const SEEDS = (["rfc4475", "rfc5118"] as const).flatMap((corpus) =>
  tortureNames(corpus).map((name) => tortureMessage(corpus, name)),
);

/** What mutations like to insert: the characters and names by which a parser decides. */
const PIECES = [
  "\r\n",
  "\n",
  "\r",
  "\r\n\r\n",
  "\r\n ",
  "\t",
  "\u0000",
  '"',
  "\\",
  "<",
  ">",
  ";",
  ",",
  ":",
  "@",
  "=",
  "%",
  "%00",
  "?",
  "[",
  "]",
  "*",
  "SIP/2.0",
  "sip:",
  "tel:",
  ";tag=",
  ";branch=z9hG4bK",
  "Via: ",
  "CSeq: 1",
  "Content-Length: 99999999999",
  "99999999999999999999",
  "-1",
  "\u00ff",
  "é",
  "a".repeat(300),
  "__proto__",
  "constructor: x\r\n",
  "P-Asserted-Identity: <sip:a;verstat=b@c>, tel:+1\r\n",
  "Remote-Party-ID: <sip:a@b>;screen=yes;privacy=full\r\n",
  "Diversion: <sip:a@b>;reason=user-busy, <tel:+1>\r\n",
  "History-Info: <sip:a@b>;index=1, <sip:c@d;cause=302>;index=1.1;rc=1\r\n",
  "Replaces: a;from-tag=b;to-tag=c;early-only\r\n",
];

/** A small generator with a seed (mulberry32), so that a failure can be run again. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function mutant(random: (below: number) => number): Buffer {
  let bytes = Buffer.from(SEEDS[random(SEEDS.length)] ?? "");
  for (let count = 1 + random(4); count > 0; count--) {
    const at = random(bytes.length + 1);
    const cut = random(2) === 0 ? 0 : random(Math.min(40, bytes.length - at + 1));
    const kind = random(4);
    const other = SEEDS[random(SEEDS.length)] ?? bytes;
    const piece =
      kind === 0
        ? Buffer.from([random(256)])
        : kind === 1
          ? other.subarray(random(other.length), random(other.length))
          : Buffer.from(kind === 2 ? (PIECES[random(PIECES.length)] ?? "") : "");
    bytes = Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at + cut)]);
  }
  return bytes;
}

/** Does with a result all that the rest of us does with it. */
function use(result: ParseResult): string {
  if (result.outcome === "invalid") {
    const answer = formatResponse(result.status, result.reason, echoedHeaders(result.answer, "t"));
    expect(answer.indexOf("\r\n\r\n")).toBe(answer.length - 4);
    expect(parseSip(answer).outcome).not.toBe("keep-alive");
    return result.problem;
  }
  if (result.outcome !== "message") return result.outcome;
  const { message } = result;
  if (message.kind === "request") {
    serverTransactionKey(message);
    remoteIdentityOf(message);
    diversionsOf(message);
    replacesOf(message);
    for (const calledFrom of ["request-uri", "to", "Subject", "Contact", "no header"]) {
      expect(calledOf(message, calledFrom).length).toBeLessThan(256);
    }
    screenRequest(message, { methods: [message.method], uriSchemes: ["sip"], optionTags: [], mediaTypes: [] });
    expect(formatUri(message.uri)).toMatch(/^[!-~]+$/);
    const { bytes: answer } = responseTo(message, { statusCode: 200, toTag: "t", userAgent: "", headers: [] });
    expect(parseSip(answer)).toMatchObject({ outcome: "message", message: { sipCallId: message.sipCallId } });
  } else clientTransactionKey(message);
  for (const via of message.vias) {
    responseTarget(withSource(via, "192.0.2.9", 5060));
    expect(formatVia(via)).not.toMatch(/\p{Cc}/u);
  }
  const contacts = message.contacts === "*" ? [] : message.contacts;
  for (const address of [message.from, message.to, ...contacts, ...message.routes, ...message.recordRoutes]) {
    expect(formatAddress(address)).not.toMatch(/\p{Cc}/u);
    userText(address.uri);
  }
  headerTokens(message, "Require");
  parseReasons(message.body);
  return message.kind;
}

describe("the parser", () => {
  it("survives 20,000 mutants of the torture messages", () => {
    const random = randomFrom(4_475);
    const outcomes = new Map<string, number>();
    for (let count = 0; count < 20_000; count++) {
      const bytes = mutant(random);
      let outcome: string;
      try {
        outcome = use(parseSip(bytes));
      } catch (error) {
        throw new Error(`mutant ${count} (base64): ${bytes.toString("base64")}`, { cause: error });
      }
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    // The mutants are worth something only if they reach far into the parser, and fail in many ways.
    expect(outcomes.get("request")).toBeGreaterThan(2_000);
    expect(outcomes.get("response")).toBeGreaterThan(100);
    expect(outcomes.size).toBeGreaterThan(20);
  });

  it("survives random bytes and random text", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => void use(parseSip(Buffer.from(bytes)))));
    fc.assert(fc.property(anyText({ maxLength: 200 }), (text) => void use(parseSip(text))));
    const pieces = fc.array(fc.constantFrom(...PIECES), { maxLength: 60 });
    fc.assert(
      fc.property(
        pieces,
        (parts) => void use(parseSip(`INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP a\r\n${parts.join("")}`)),
      ),
    );
  });
});

describe("the framer", () => {
  it("survives mutants in any pieces, and cuts them the same in any", () => {
    const random = randomFrom(5_118);
    for (let count = 0; count < 2_000; count++) {
      const stream = Buffer.concat([mutant(random), mutant(random)]);
      const whole = new StreamFramer(false).push(stream);
      const framer = new StreamFramer(false);
      const inPieces = [];
      for (let at = 0; at < stream.length;) {
        const next = at + 1 + random(200);
        inPieces.push(...framer.push(Buffer.from(stream.subarray(at, next))));
        at = next;
      }
      const messagesOf = (frames: typeof whole) =>
        frames.flatMap((frame) => (frame.kind === "message" ? [frame.bytes] : []));
      expect(messagesOf(inPieces)).toEqual(messagesOf(whole));
      expect(inPieces.at(-1)?.kind === "error").toBe(whole.at(-1)?.kind === "error");
      for (const bytes of messagesOf(whole)) use(parseSip(bytes));
    }
  });
});

describe("time", () => {
  const HEAD = "INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n";
  const TO = "To: <sip:a@b>\r\n";
  const unlimited = { maxHeaderBytes: 2 ** 24, maxBodyBytes: 2 ** 24, maxHeaders: 2 ** 20 };

  /** Messages that are one thing over and over, at the places where a careless parser looks back. */
  const REPEATED: readonly (readonly [string, (count: number) => string])[] = [
    ["quotes in a name", (n) => `${HEAD}${TO}From: ${'"'.repeat(n)} <sip:a@b>`],
    ["backslashes in a quoted name", (n) => `${HEAD}${TO}From: "${"\\".repeat(n)}`],
    ["backslashes before a control character", (n) => `${HEAD}${TO}Subject: ${"\\".repeat(n)}\u0001`],
    ["open angle brackets", (n) => `${HEAD}${TO}From: ${"<".repeat(n)}`],
    ["commas", (n) => `${HEAD}${TO}Contact: ${",".repeat(n)}`],
    ["contacts", (n) => `${HEAD}${TO}From: <sip:a@b>\r\nContact: ${"<sip:a@b>,".repeat(n / 10)}<sip:a@b>\r\n\r\n`],
    ["parameters", (n) => `${HEAD}${TO}From: <sip:a@b>${";a=b".repeat(n / 4)}`],
    [
      "different parameters",
      (n) => `${HEAD}${TO}From: <sip:a@b>${Array.from({ length: n / 8 }, (_, i) => `;p${i}=1`).join("")}`,
    ],
    ["URI parameters", (n) => `INVITE sip:a@b${";x".repeat(n / 2)} SIP/2.0\r\n${HEAD.slice(HEAD.indexOf("V"))}`],
    ["at signs", (n) => `INVITE sip:${"@".repeat(n)} SIP/2.0\r\nVia: SIP/2.0/UDP a\r\n\r\n`],
    ["percent signs", (n) => `INVITE sip:${"%".repeat(n)}@b SIP/2.0\r\nVia: SIP/2.0/UDP a\r\n\r\n`],
    ["spaces in the start line", (n) => `INVITE ${" ".repeat(n)} SIP/2.0\r\nVia: SIP/2.0/UDP a\r\n\r\n`],
    ["versions in the start line", (n) => `INVITE${" SIP/2.0".repeat(n / 8)}x\r\nVia: SIP/2.0/UDP a\r\n\r\n`],
    ["folds", (n) => `${HEAD}${TO}Subject: ${"\r\n ".repeat(n / 3)}\r\n\r\n`],
    ["lines without a colon", (n) => `${HEAD}${"x\r\n".repeat(n / 3)}\r\n`],
    ["headers", (n) => `${HEAD}${"a:b\r\n".repeat(n / 5)}\r\n`],
    ["bare line feeds", (n) => `${HEAD}${"a:b\n".repeat(n / 4)}\r\n\r\n`],
    ["carriage returns", (n) => `${HEAD}Subject: ${"\r".repeat(n)}\r\n\r\n`],
    ["empty lines first", (n) => "\r\n".repeat(n / 2) + HEAD],
    ["Vias in a line", (n) => `INVITE sip:a@b SIP/2.0\r\nVia: ${"SIP/2.0/UDP a,".repeat(n / 14)}SIP/2.0/UDP a\r\n\r\n`],
    ["spaces in a Via", (n) => `INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP${" ".repeat(n)}a${" ".repeat(n)}b\r\n\r\n`],
    ["slashes in a Content-Type", (n) => `${HEAD}${TO}From: <sip:a@b>\r\nContent-Type: ${"a/".repeat(n / 2)}\r\n\r\n`],
    ["digits", (n) => `${HEAD}${TO}From: <sip:a@b>\r\nMax-Forwards: ${"9".repeat(n)}\r\n\r\n`],
    ["white space around a value", (n) => `${HEAD}Subject${" ".repeat(n)}:${" ".repeat(n)}x${" ".repeat(n)}\r\n\r\n`],
  ];

  // A quarter of a megabyte takes milliseconds; with the square of its length it would take a minute and more.
  it.each(REPEATED)("for %s is not the square of their number", (_, textOf) => {
    const text = Buffer.from(textOf(256_000));
    expect(cpuMsOf(() => void parseSip(text, unlimited))).toBeLessThan(5_000);
  });
});
