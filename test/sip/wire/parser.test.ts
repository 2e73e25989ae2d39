// What a peer gets for a message that is not quite right, beyond the torture tests.
import { describe, expect, it } from "vitest";
import { echoedHeaders, formatResponse } from "../../../src/sip/wire/message-writer.ts";
import { header, headerTokens, headerValues, type SipMessage } from "../../../src/sip/wire/message.ts";
import { DEFAULT_PARSE_LIMITS, parseSip, type ParseResult } from "../../../src/sip/wire/parser.ts";
import type { Problem } from "../../../src/sip/wire/problems.ts";
import { screenRequest } from "../../../src/sip/wire/screening.ts";
import {
  cancelledTransactionKey,
  clientTransactionKey,
  serverTransactionKey,
} from "../../../src/sip/wire/transaction-key.ts";

const LINES = {
  start: "INVITE sip:+15558675309@bridge.example.org SIP/2.0",
  via: "Via: SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bKabc",
  from: "From: <sip:alice@example.org>;tag=1",
  to: "To: <sip:+15558675309@bridge.example.org>",
  callId: "Call-ID: a@192.0.2.1",
  cseq: "CSeq: 1 INVITE",
  contact: "Contact: <sip:alice@192.0.2.1>",
};

function text(
  changes: Partial<Record<keyof typeof LINES, string>> = {},
  more: readonly string[] = [],
  body = "",
): string {
  const lines = Object.values({ ...LINES, ...changes }).filter((line) => line !== "");
  return `${[...lines, ...more].join("\r\n")}\r\n\r\n${body}`;
}

function parsed(datagram: Buffer | string): SipMessage {
  const result = parseSip(datagram);
  if (result.outcome !== "message") throw new Error(JSON.stringify(result));
  return result.message;
}

function problemOf(result: ParseResult): string {
  return result.outcome === "invalid" || result.outcome === "unrepresentable" ? result.problem : result.outcome;
}

const RESPONSE = { start: "SIP/2.0 200 OK" };

describe("a request that is fine", () => {
  it("may come after empty lines, as string or bytes", () => {
    expect(parsed(`\r\n\r\n${text()}`)).toMatchObject({ method: "INVITE" });
    expect(parsed(Buffer.from(text()))).toEqual(parsed(text()));
  });

  it("may use every compact form", () => {
    const message = parsed(
      text(
        {
          via: "v: SIP/2.0/TCP a;branch=z9hG4bK1",
          from: "f: <sip:a@b>;tag=1",
          to: "t: <sip:c@d>",
          callId: "i: 7",
          contact: "m: <sip:e@f>",
        },
        [
          "k: timer",
          "x: 90",
          "e: identity",
          "l: 2",
          "c: text/plain",
          "o: talk",
          "u: talk",
          "s: hi",
          "r: <sip:g@h>",
          "b: <sip:i@j>",
        ],
        "hi there",
      ),
    );
    expect(message.headers.map(({ name }) => name).slice(5)).toEqual([
      "Contact",
      "Supported",
      "Session-Expires",
      "Content-Encoding",
      "Content-Length",
      "Content-Type",
      "Event",
      "Allow-Events",
      "Subject",
      "Refer-To",
      "Referred-By",
    ]);
    expect(message.body).toBe("hi");
  });

  it("may split lists over lines and commas", () => {
    const message = parsed(
      text({ via: "Via: SIP/2.0/UDP a;branch=z9hG4bK1,SIP/2.0/TCP b;branch=z9hG4bK2" }, [
        "Via: SIP/2.0/UDP c;branch=z9hG4bK3",
        "Record-Route: <sip:p1;lr>, <sip:p2;lr>",
        "Record-Route: <sip:p3;lr>",
        "Supported: timer, 100rel",
        "Supported: replaces",
      ]),
    );
    expect(message.vias.map(({ host }) => host)).toEqual(["a", "b", "c"]);
    expect(message.recordRoutes).toHaveLength(3);
    expect(headerTokens(message, "Supported")).toEqual(["timer", "100rel", "replaces"]);
    expect(headerValues(message, "Supported")).toHaveLength(2);
    expect(header(message, "Require")).toBeUndefined();
  });

  it("may end its lines in bare LF, if it does so throughout", () => {
    expect(parsed(text({}, [], "x\r\ny").replaceAll("\r\n", "\n"))).toMatchObject({ method: "INVITE", body: "x\ny" });
  });

  it("may name its people in unquoted UTF-8", () => {
    expect(parsed(text({ from: "From: Zoë 山田 <sip:alice@example.org>;tag=1" })).from.displayName).toBe("Zoë 山田");
  });

  it("may come from a tel URI", () => {
    expect(parsed(text({ from: "From: <tel:+441632960123>;tag=1" })).from.uri).toMatchObject({ kind: "tel" });
  });

  it("may be a REGISTER that forgets all its contacts", () => {
    const register = text({
      start: "REGISTER sip:example.org SIP/2.0",
      cseq: "CSeq: 1 REGISTER",
      contact: "Contact: *",
    });
    expect(parsed(register).contacts).toBe("*");
  });

  it("has its body counted in bytes, not characters", () => {
    const message = parsed(text({}, ["Content-Length: 4"], "é€!"));
    expect(message.bodyBytes).toEqual(Buffer.from("é€!").subarray(0, 4));
  });

  it("keeps its Call-ID byte by byte", () => {
    expect(parsed(text({ callId: "Call-ID: AbC@X" })).sipCallId).toBe("AbC@X");
  });
});

describe("keep-alives", () => {
  it.each(["", "\r\n", "\r\n\r\n", "\n"])("%j is no message and no error", (datagram) => {
    expect(parseSip(datagram)).toEqual({ outcome: "keep-alive" });
  });
});

describe("a request that is broken is answered", () => {
  it.each<[Problem, string]>([
    ["missing-from", text({ from: "" })],
    ["missing-to", text({ to: "" })],
    ["missing-call-id", text({ callId: "" })],
    ["missing-cseq", text({ cseq: "" })],
    ["malformed-from", text({ from: "From: alice" })],
    ["malformed-from", text({ from: "From: <sip:alice@example.org>;tag" })],
    ["malformed-from", text({ from: "From: <sip:alice@example.org>;tag=1;tag=2" })],
    ["malformed-to", text({ to: "To: <sip:a@b>;tag=" })],
    ["malformed-call-id", text({ callId: "Call-ID: a b" })],
    ["malformed-call-id", text({ callId: "Call-ID:" })],
    ["malformed-cseq", text({ cseq: "CSeq: one INVITE" })],
    ["malformed-cseq", text({ cseq: "CSeq: 1" })],
    ["cseq-out-of-range", text({ cseq: "CSeq: 4294967296 INVITE" })],
    ["cseq-method-mismatch", text({ cseq: "CSeq: 1 BYE" })],
    ["malformed-contact", text({ contact: "Contact: *" })],
    ["malformed-contact", text({ contact: "Contact: <sip:a@b>, *" })],
    ["malformed-route", text({}, ["Route: sip:a b"])],
    ["malformed-record-route", text({}, ["Record-Route: <>"])],
    ["malformed-max-forwards", text({}, ["Max-Forwards: 256"])],
    ["malformed-max-forwards", text({}, ["Max-Forwards: -1"])],
    ["malformed-content-length", text({}, ["Content-Length: 0x10"])],
    ["malformed-content-type", text({}, ["Content-Type: sdp"])],
    ["truncated-body", text({}, ["Content-Length: 3"], "ab")],
    ["repeated-header", text({}, [LINES.cseq])],
    ["repeated-header", text({}, ["i: other"])],
    ["malformed-header", text({}, ["no colon here"])],
    ["malformed-header", text({}, ["Bad Name: x"])],
    ["malformed-header", text({}, [": x"])],
    ["unfinished-headers", text().slice(0, -2)],
    ["control-character", text({}, ["Subject: a\u0007b"])],
    ["control-character", text({}, ["Subject: a\u0000b"])],
    ["malformed-line-end", text({}, ["Subject: a\nX-Smuggled: 1"])],
    ["malformed-line-end", text({}, ["Subject: a\rX-Smuggled: 1"])],
    ["malformed-line-end", text({}, ["Subject: a\r\n b\n c"])],
    ["malformed-line-end", `${LINES.start}\n${LINES.via}\r\nSubject: x\n\n`],
  ])("%s: 400", (problem, datagram) => {
    expect(parseSip(datagram)).toMatchObject({ outcome: "invalid", problem, status: 400 });
  });

  it.each<[Problem, string]>([
    ["unsupported-version", text({ start: "INVITE sip:a@b SIP/3.0" })],
    ["headers-too-long", text({}, [`Subject: ${"a".repeat(DEFAULT_PARSE_LIMITS.maxHeaderBytes)}`])],
    [
      "too-many-headers",
      text(
        {},
        Array.from({ length: DEFAULT_PARSE_LIMITS.maxHeaders }, () => "X: y"),
      ),
    ],
    ["body-too-long", text({}, [], "a".repeat(DEFAULT_PARSE_LIMITS.maxBodyBytes + 1))],
  ])("%s: 505 or 513", (problem, datagram) => {
    const status = problem === "unsupported-version" ? 505 : 513;
    expect(parseSip(datagram)).toMatchObject({ outcome: "invalid", problem, status });
  });

  it("from the fields that could be read, with nothing smuggled back", () => {
    const result = parseSip(text({ to: 'To: "open <sip:a@b>' }, ["Via: garbage", "CSeq: 9 INVITE"]));
    if (result.outcome !== "invalid") throw new Error(result.outcome);
    const bytes = formatResponse(result.status, result.reason, echoedHeaders(result.answer, "ours"));
    expect(bytes.toString()).toBe(
      [
        "SIP/2.0 400 Repeated single header field",
        "Via: SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bKabc",
        "From: <sip:alice@example.org>;tag=1",
        'To: "open <sip:a@b>',
        "Call-ID: a@192.0.2.1",
        "CSeq: 1 INVITE",
        "Content-Length: 0",
        "",
        "",
      ].join("\r\n"),
    );
  });
});

describe("what nobody can or may answer is dropped", () => {
  it.each<[Problem, string]>([
    ["missing-via", text({ via: "" })],
    ["malformed-via", text({ via: "Via: nonsense" })],
    ["malformed-cseq", text({ start: "ACK sip:a@b SIP/2.0", cseq: "CSeq: x ACK" })],
    ["not-sip", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["not-sip", "\u0016\u0003\u0001\u0002"],
    ["not-sip", "hello"],
    ["malformed-start-line", text({ start: "SIP/2.0 99 Too low" })],
    ["malformed-start-line", text({ start: "SIP/2.0 700 Too high" })],
    ["malformed-start-line", text({ start: "SIP/2.0 200OK" })],
    ["unsupported-version", text({ start: "SIP/3.0 200 OK" })],
    ["missing-cseq", text({ ...RESPONSE, cseq: "" })],
    ["malformed-cseq", text({ ...RESPONSE, cseq: "CSeq: bad" })],
    ["truncated-body", text(RESPONSE, ["Content-Length: 9"], "a")],
  ])("%s", (problem, datagram) => {
    const result = parseSip(datagram);
    expect(result.outcome).toBe("unrepresentable");
    expect(problemOf(result)).toBe(problem);
  });
});

describe("a response", () => {
  it("is read with its reason, method and tags", () => {
    expect(parsed(text({ ...RESPONSE, to: `${LINES.to};tag=2` }))).toMatchObject({
      kind: "response",
      statusCode: 200,
      reasonPhrase: "OK",
      toTag: "2",
      cseq: { method: "INVITE" },
    });
  });

  it.each(["SIP/2.0 486 Busy Here", "SIP/2.0 200 OK", "SIP/2.0 183 Progress"])(
    "%s reaches its call even with a Contact, a route or a type that nobody can read",
    (start) => {
      const message = parsed(text({ start, contact: "Contact: <<>" }, ["Record-Route: x", "Content-Type: sdp"]));
      expect(message).toMatchObject({ contacts: [], recordRoutes: [], contentType: undefined });
    },
  );
});

describe("screening", () => {
  const capabilities = {
    methods: ["INVITE", "CANCEL"],
    uriSchemes: ["sip"],
    optionTags: ["100rel"],
    mediaTypes: ["application/sdp"],
  };

  function refusalOf(datagram: string): unknown {
    const message = parsed(datagram);
    if (message.kind !== "request") throw new Error("a response");
    return screenRequest(message, capabilities);
  }

  it("names what would have been accepted", () => {
    expect(refusalOf(text({ start: "INFO sip:a@b SIP/2.0", cseq: "CSeq: 1 INFO" }))).toMatchObject({
      statusCode: 405,
      headers: ["Allow: INVITE, CANCEL"],
    });
    expect(refusalOf(text({}, ["Require: 100rel, foo"]))).toMatchObject({
      statusCode: 420,
      headers: ["Unsupported: foo"],
    });
    expect(refusalOf(text({}, ["Content-Type: text/plain"], "x"))).toMatchObject({
      statusCode: 415,
      headers: ["Accept: application/sdp"],
    });
    expect(refusalOf(text({}, ["Content-Encoding: gzip"], "x"))).toMatchObject({ statusCode: 415 });
  });

  it("lets pass what may be ignored", () => {
    expect(
      refusalOf(text({}, ["Content-Type: text/plain", "Content-Disposition: x;handling=optional"], "x")),
    ).toBeUndefined();
    expect(refusalOf(text({}, ["Accept: text/plain, application/*;q=0.1"]))).toBeUndefined();
    expect(refusalOf(text({}, ["Accept: */*"]))).toBeUndefined();
    expect(refusalOf(text({}, ["Require: 100rel"]))).toBeUndefined();
    expect(
      refusalOf(text({ start: "CANCEL sip:a@b SIP/2.0", cseq: "CSeq: 1 CANCEL" }, ["Require: foo"])),
    ).toBeUndefined();
  });
});

describe("transactions", () => {
  function request(method: string, changes: Partial<Record<keyof typeof LINES, string>> = {}) {
    const message = parsed(
      text({ start: LINES.start.replace("INVITE", method), cseq: `CSeq: 1 ${method}`, ...changes }),
    );
    if (message.kind !== "request") throw new Error("a response");
    return message;
  }

  it("hold an INVITE with its ACK and know its CANCEL (RFC 3261 s17.2.3, s9.2)", () => {
    const invite = serverTransactionKey(request("INVITE"));
    expect(serverTransactionKey(request("ACK", { to: `${LINES.to};tag=2` }))).toBe(invite);
    expect(serverTransactionKey(request("CANCEL"))).not.toBe(invite);
    expect(cancelledTransactionKey(request("CANCEL"))).toBe(invite);
  });

  it("of two hosts are two, even with the same branch", () => {
    const other = { via: LINES.via.replace("192.0.2.1", "192.0.2.2") };
    expect(serverTransactionKey(request("INVITE", other))).not.toBe(serverTransactionKey(request("INVITE")));
  });

  it("of RFC 2543 clients are told apart by everything else", () => {
    const via = "Via: SIP/2.0/UDP 192.0.2.1";
    const one = serverTransactionKey(request("INVITE", { via }));
    expect(serverTransactionKey(request("ACK", { via, to: `${LINES.to};tag=2` }))).toBe(one);
    expect(serverTransactionKey(request("INVITE", { via, callId: "Call-ID: other" }))).not.toBe(one);
    expect(serverTransactionKey(request("INVITE", { via, from: "From: <sip:a@b>;tag=9" }))).not.toBe(one);
  });

  it("of ours are known by branch and method (RFC 3261 s17.1.3)", () => {
    const response = parsed(text(RESPONSE));
    if (response.kind !== "response") throw new Error("a request");
    expect(clientTransactionKey(response)).toBe("z9hG4bKabc INVITE");
  });
});
