// RFC 4475, "SIP Torture Test Messages": all 49, each with what the RFC asks of an element that gets it.
import { describe, expect, it } from "vitest";
import { formatAddress } from "../../../src/sip/wire/header-builder.ts";
import { header, type SipMessage, type SipRequest } from "../../../src/sip/wire/message.ts";
import { parseSip } from "../../../src/sip/wire/parser.ts";
import type { Problem } from "../../../src/sip/wire/problems.ts";
import { screenRequest, type Capabilities } from "../../../src/sip/wire/screening.ts";
import { hasUniqueBranch } from "../../../src/sip/wire/transaction-key.ts";
import { formatUri, uriHeader, userText } from "../../../src/core/address/uri.ts";
import { tortureMessage, tortureNames } from "./torture.ts";

/** What a telephone of ours can do, and a registrar besides, so that only the RFC's own trouble remains. */
const CAPABILITIES: Capabilities = {
  methods: ["INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "REGISTER", "MESSAGE"],
  uriSchemes: ["sip", "sips", "tel"],
  optionTags: ["100rel"],
  mediaTypes: ["application/sdp"],
};

/** `refused` is well formed, and gets its status for what it asks; `invalid` and `dropped` are not. */
type Outcome =
  | "accepted"
  | { readonly refused: number }
  | { readonly invalid: number; readonly problem: Problem }
  | { readonly dropped: Problem };

/** Bytes of each (RFC 4475, appendix A). */
const LENGTHS: Readonly<Record<string, number>> = {
  badaspec: 346,
  badbranch: 262,
  baddate: 532,
  baddn: 333,
  badinv01: 472,
  badvers: 291,
  bcast: 516,
  bext01: 381,
  bigcode: 332,
  clerr: 498,
  cparam01: 321,
  cparam02: 311,
  dblreq: 750,
  esc01: 543,
  esc02: 439,
  escnull: 359,
  escruri: 550,
  insuf: 304,
  intmeth: 641,
  inv2543: 445,
  invut: 391,
  longreq: 3515,
  ltgtruri: 452,
  lwsdisp: 255,
  lwsruri: 541,
  lwsstart: 506,
  mcl01: 382,
  mismatch01: 236,
  mismatch02: 449,
  mpart01: 1290,
  multi01: 643,
  ncl: 486,
  noreason: 274,
  novelsc: 277,
  quotbal: 485,
  regaut01: 304,
  regbadct: 307,
  regescrt: 302,
  scalar02: 476,
  scalarlg: 385,
  sdp01: 494,
  semiuri: 380,
  transports: 503,
  trws: 327,
  unkscm: 291,
  unksm2: 282,
  unreason: 526,
  wsinv: 1001,
  zeromf: 272,
};

const OUTCOMES: Readonly<Record<string, Outcome>> = {
  // 3.1.1 valid messages
  wsinv: "accepted",
  intmeth: { refused: 501 },
  esc01: "accepted",
  escnull: "accepted",
  esc02: { refused: 501 },
  lwsdisp: "accepted",
  longreq: "accepted",
  dblreq: "accepted",
  semiuri: "accepted",
  transports: "accepted",
  mpart01: "accepted",
  unreason: "accepted",
  noreason: "accepted",
  // 3.1.2 invalid messages
  badinv01: { invalid: 400, problem: "malformed-via" },
  clerr: { invalid: 400, problem: "truncated-body" },
  ncl: { invalid: 400, problem: "malformed-content-length" },
  scalar02: { invalid: 400, problem: "cseq-out-of-range" },
  scalarlg: { dropped: "cseq-out-of-range" },
  quotbal: { invalid: 400, problem: "malformed-to" },
  ltgtruri: { invalid: 400, problem: "malformed-request-uri" },
  lwsruri: { invalid: 400, problem: "malformed-start-line" },
  lwsstart: { invalid: 400, problem: "malformed-start-line" },
  trws: { invalid: 400, problem: "malformed-start-line" },
  escruri: { invalid: 400, problem: "malformed-request-uri" },
  // The Date is of no use to us, and the RFC lets whoever does not need it accept the request.
  baddate: "accepted",
  regbadct: { invalid: 400, problem: "malformed-contact" },
  badaspec: { invalid: 400, problem: "malformed-to" },
  baddn: { invalid: 400, problem: "malformed-from" },
  badvers: { invalid: 505, problem: "unsupported-version" },
  mismatch01: { invalid: 400, problem: "cseq-method-mismatch" },
  // 501 or 400, as the element likes.
  mismatch02: { invalid: 400, problem: "cseq-method-mismatch" },
  bigcode: { dropped: "malformed-start-line" },
  // 3.2 transaction layer: RFC 2543 matching is allowed, and is what we do.
  badbranch: "accepted",
  // 3.3 application layer
  insuf: { invalid: 400, problem: "missing-from" },
  unkscm: { refused: 416 },
  novelsc: { refused: 416 },
  unksm2: "accepted",
  bext01: { refused: 420 },
  invut: { refused: 415 },
  regaut01: "accepted",
  multi01: { invalid: 400, problem: "repeated-header" },
  mcl01: { invalid: 400, problem: "repeated-header" },
  bcast: "accepted",
  zeromf: "accepted",
  cparam01: "accepted",
  cparam02: "accepted",
  regescrt: "accepted",
  sdp01: { refused: 406 },
  // 3.4 backward compatibility
  inv2543: "accepted",
};

function outcomeOf(name: string): Outcome {
  const result = parseSip(tortureMessage("rfc4475", name));
  if (result.outcome === "invalid") return { invalid: result.status, problem: result.problem };
  if (result.outcome === "unrepresentable") return { dropped: result.problem };
  if (result.outcome === "keep-alive") throw new Error("taken for a keep-alive");
  const refusal = result.message.kind === "request" ? screenRequest(result.message, CAPABILITIES) : undefined;
  return refusal === undefined ? "accepted" : { refused: refusal.statusCode };
}

function parsed(name: string): SipMessage {
  const result = parseSip(tortureMessage("rfc4475", name));
  if (result.outcome !== "message") throw new Error(`${name} is ${result.outcome}`);
  return result.message;
}

function parsedRequest(name: string): SipRequest {
  const message = parsed(name);
  if (message.kind !== "request") throw new Error(`${name} is a response`);
  return message;
}

describe("the torture messages of RFC 4475", () => {
  it("are here to the byte, as the RFC's archive has them", () => {
    const lengths = tortureNames("rfc4475").map((name) => [name, tortureMessage("rfc4475", name).length]);
    expect(Object.fromEntries(lengths)).toEqual(LENGTHS);
  });

  it("end as the RFC's do: with an empty line more than the embedded body and the text need", () => {
    for (const name of ["dblreq", "mcl01", "multi01"]) {
      expect(tortureMessage("rfc4475", name).toString("latin1"), name).toMatch(/\S\r\n\r\n$/);
    }
  });

  it("are all here", () => {
    expect(tortureNames("rfc4475")).toEqual(Object.keys(OUTCOMES).toSorted());
    expect(tortureNames("rfc4475")).toHaveLength(49);
  });

  it.each(Object.entries(OUTCOMES))("%s gets what the RFC asks for: %j", (name, outcome) => {
    expect(outcomeOf(name)).toEqual(outcome);
  });
});

describe("what is read from the valid ones", () => {
  it("wsinv: folds, odd spacing, compact forms and escaped quotes", () => {
    const message = parsedRequest("wsinv");
    expect(formatUri(message.uri)).toBe("sip:vivekg@chair-dnrc.example.com;unknownparam");
    expect(message.toTag).toBe("1918181833n");
    expect(message.from.displayName).toBe('J Rosenberg \\"');
    expect(message.fromTag).toBe("98asjd8");
    expect(message.maxForwards).toBe(68);
    expect(message.cseq).toEqual({ number: 9, method: "INVITE" });
    expect(message.vias.map((via) => [via.transport, via.host, via.branch])).toEqual([
      ["UDP", "192.0.2.2", "390skdjuw"],
      ["TCP", "spindle.example.com", "z9hG4bK9ikj8"],
      ["UDP", "192.168.255.111", "z9hG4bK30239"],
    ]);
    expect(header(message, "Subject")).toBe("");
    expect(header(message, "Newfangledheader")).toBe("newfangled value continued newfangled value");
    const [contact] = message.contacts;
    if (typeof contact !== "object") throw new Error("no Contact");
    expect(contact.displayName).toBe('Quoted string ""');
    expect([...contact.params]).toEqual([
      ["newparam", "newvalue"],
      ["secondparam", null],
      ["q", "0.33"],
    ]);
    expect(message.bodyBytes).toHaveLength(150);
  });

  it("intmeth: every character that a method, URI, Call-ID and quoted string may hold", () => {
    const message = parsedRequest("intmeth");
    expect(message.method).toBe("!interesting-Method0123456789_*+`.%indeed'~");
    expect(message.uri).toMatchObject({ user: "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*" });
    expect(message.uri).toMatchObject({ password: "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)" });
    expect(message.to.displayName).toBe("BEL:\u0007 NUL:\u0000 DEL:\u007F");
    expect(message.from.displayName).toBe("token1~` token2'+_ token3*%!.-");
    expect(message.from.params.get("fromparam''~+*_!.-%")).toBe("работающий");
    expect(message.sipCallId).toBe("intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{");
    expect(formatAddress(message.to)).toMatch(/^"BEL: NUL: DEL:" </);
  });

  it("esc01 and escnull: escapes stay in the URI and are undone only for reading", () => {
    expect(userText(parsedRequest("esc01").uri)).toBe("sips:user@example.com");
    expect(formatUri(parsedRequest("esc01").uri)).toBe("sip:sips%3Auser%40example.com@example.net");
    expect(userText(parsedRequest("escnull").to.uri)).toBe("null-\u0000-null");
    expect(parsedRequest("escnull").contacts).toHaveLength(2);
  });

  it("esc02: a percent sign is no escape in methods, names and header names", () => {
    const message = parsedRequest("esc02");
    expect(message.method).toBe("RE%47IST%45R");
    expect(message.from.displayName).toBe("%Z%45");
    expect(message.contacts).toHaveLength(2);
  });

  it("lwsdisp: no space between name and bracket", () => {
    expect(parsedRequest("lwsdisp").from.displayName).toBe("caller");
  });

  it("longreq: 34 Via and very long values", () => {
    const message = parsedRequest("longreq");
    expect(message.vias).toHaveLength(34);
    expect(message.vias[0].host).toBe("sip33.example.com");
    expect(message.fromTag).toHaveLength(155);
    expect(message.bodyBytes).toHaveLength(150);
  });

  it("dblreq: what follows the Content-Length in a datagram is not part of it", () => {
    const message = parsedRequest("dblreq");
    expect(message.method).toBe("REGISTER");
    expect(message.body).toBe("");
  });

  it("semiuri: semicolons in the user part are the user's", () => {
    expect(parsedRequest("semiuri").uri).toMatchObject({ user: "user;par=u%40example.net", host: "example.com" });
    expect(userText(parsedRequest("semiuri").uri)).toBe("user;par=u@example.net");
  });

  it("transports: also those we do not speak", () => {
    expect(parsedRequest("transports").vias.map((via) => via.transport)).toEqual([
      "UDP",
      "SCTP",
      "TLS",
      "UNKNOWN",
      "TCP",
    ]);
  });

  it("mpart01: a binary body, byte by byte", () => {
    const message = parsedRequest("mpart01");
    expect(message.contentType).toMatchObject({ type: "multipart/mixed" });
    expect(message.contentType?.params.get("boundary")).toBe("7a9cbec02ceef655");
    expect(message.bodyBytes).toHaveLength(553);
    expect(message.bodyBytes.includes(Buffer.from("3082015206092a864886f70d010702a0", "hex"))).toBe(true);
  });

  it("unreason and noreason: any reason phrase or none", () => {
    expect(parsed("unreason")).toMatchObject({
      statusCode: 200,
      reasonPhrase: "= 2**3 * 5**2 но сто девяносто девять - простое",
    });
    expect(parsed("noreason")).toMatchObject({ statusCode: 100, reasonPhrase: "" });
  });

  it("badbranch: the bare magic cookie is no unique branch", () => {
    expect(hasUniqueBranch(parsed("badbranch").vias[0])).toBe(false);
  });

  it("unksm2: URIs of schemes that nobody here knows stay as they are", () => {
    const message = parsedRequest("unksm2");
    expect(formatAddress(message.to)).toBe("<isbn:2983792873>");
    expect(message.from.uri).toEqual({ kind: "other", scheme: "http", opaque: "//www.example.com" });
  });

  it("bcast: two Vias, for which a user agent discards the response (RFC 3261 s8.1.3.3)", () => {
    expect(parsed("bcast").vias).toHaveLength(2);
  });

  it("cparam01 and cparam02: without brackets a parameter is the header's, within them the URI's", () => {
    const [outside] = parsedRequest("cparam01").contacts;
    const [inside] = parsedRequest("cparam02").contacts;
    if (typeof outside !== "object" || typeof inside !== "object") throw new Error("no Contact");
    expect(outside.params.has("unknownparam")).toBe(true);
    expect(outside.uri).toMatchObject({ params: new Map() });
    expect(inside.params.has("unknownparam")).toBe(false);
    expect(inside.uri).toMatchObject({ params: new Map([["unknownparam", null]]) });
  });

  it("regescrt: headers within a Contact URI", () => {
    const [contact] = parsedRequest("regescrt").contacts;
    if (typeof contact !== "object") throw new Error("no Contact");
    expect(uriHeader(contact.uri, "route")).toBe("<sip:sip.example.com>");
  });

  it("inv2543: no branch, no tag, no Max-Forwards, no Content-Length", () => {
    const message = parsedRequest("inv2543");
    expect(message.vias[0].branch).toBeUndefined();
    expect(message.fromTag).toBeUndefined();
    expect(message.maxForwards).toBeUndefined();
    expect(message.body).toMatch(/^v=0\r\n[^]*RTP\/AVP 0\r\n$/);
    expect(message.recordRoutes).toHaveLength(1);
  });
});
