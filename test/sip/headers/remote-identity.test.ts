// Who calls, over whom, and which number: read from what trunks send, good and bad.
import { describe, expect, it } from "vitest";
import { calledOf } from "../../../src/sip/headers/called-number.ts";
import { diversionsOf } from "../../../src/sip/headers/diversion.ts";
import { remoteIdentityOf } from "../../../src/sip/headers/remote-identity.ts";
import { answeredElsewhere } from "../../../src/sip/headers/reason.ts";
import type { SipRequest } from "../../../src/sip/wire/message.ts";
import { parseSip } from "../../../src/sip/wire/parser.ts";
import { formatUri } from "../../../src/core/address/uri.ts";
import { anyUri, sipUri } from "../../core/address/sip-uri.ts";

interface Parts {
  readonly uri?: string;
  readonly from?: string;
  readonly to?: string;
  readonly lines?: readonly string[];
}

function invite({ uri = "sip:+4930555@us.example", from, to, lines = [] }: Parts): SipRequest {
  const head = [
    `INVITE ${uri} SIP/2.0`,
    "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1",
    `From: ${from ?? '"Ann" <sip:+49301@gw.example>;tag=a'}`,
    `To: ${to ?? "<sip:+4930555@us.example>"}`,
    "Call-ID: one",
    "CSeq: 1 INVITE",
    "Contact: <sip:gw.example>",
  ];
  const result = parseSip(`${[...head, ...lines].join("\r\n")}\r\n\r\n`);
  if (result.outcome !== "message" || result.message.kind !== "request") throw new Error(result.outcome);
  return result.message;
}

describe("the caller", () => {
  it("is who From names where nothing is asserted", () => {
    expect(remoteIdentityOf(invite({}))).toEqual({
      from: { displayName: "Ann", uri: sipUri("sip:+49301@gw.example"), user: "+49301", host: "gw.example" },
      asserted: [],
      privacy: [],
      verstat: undefined,
    });
  });

  it("is asserted by a sip and a tel URI, in one line or two, and never by more", () => {
    const one = ['P-Asserted-Identity: "Ann, at home" <sip:+49301@gw.example;user=phone>, <tel:+49-301>'];
    const two = ["P-Asserted-Identity: <sip:a@b>", "P-Asserted-Identity: <sip:c@d>", "P-Asserted-Identity: tel:+491"];
    expect(remoteIdentityOf(invite({ lines: one })).asserted).toEqual([
      {
        displayName: "Ann, at home",
        uri: sipUri("sip:+49301@gw.example;user=phone"),
        user: "+49301",
        host: "gw.example",
      },
      { displayName: undefined, uri: anyUri("tel:+49-301"), user: "+49-301", host: undefined },
    ]);
    expect(remoteIdentityOf(invite({ lines: two })).asserted.map(({ uri }) => formatUri(uri))).toEqual([
      "sip:a@b",
      "tel:+491",
    ]);
  });

  it("may be in Remote-Party-ID, where the network has checked it and it is the caller's", () => {
    const party = (params: string): string => `Remote-Party-ID: "Ann" <sip:+49302@gw.example>;${params}`;
    const asserted = (...lines: string[]): string[] =>
      remoteIdentityOf(invite({ lines })).asserted.map(({ user }) => user ?? "");
    expect(asserted(party("party=calling;screen=yes"))).toEqual(["+49302"]);
    expect(asserted(party("screen=yes"))).toEqual(["+49302"]);
    expect(asserted(party("party=called;screen=yes"))).toEqual([]);
    expect(asserted(party("party=calling;screen=no"))).toEqual([]);
    expect(asserted(party("party=calling"))).toEqual([]);
    expect(asserted("P-Asserted-Identity: <tel:+499>", party("party=calling;screen=yes"))).toEqual(["+499"]);
  });

  it("inside a call is the other party, whoever called", () => {
    const lines = ["Remote-Party-ID: <sip:+49302@gw.example>;party=called;screen=yes"];
    expect(remoteIdentityOf(invite({ to: "<sip:us@x>;tag=ours", lines })).asserted).toMatchObject([{ user: "+49302" }]);
  });

  it("may wish not to be shown, in either header", () => {
    expect(remoteIdentityOf(invite({ lines: ["Privacy: ID;Header; critical"] })).privacy).toEqual([
      "id",
      "header",
      "critical",
    ]);
    const party = "Remote-Party-ID: <sip:+49302@gw.example>;party=calling;screen=no;privacy=";
    expect(remoteIdentityOf(invite({ lines: [`${party}full`] })).privacy).toEqual(["full"]);
    expect(remoteIdentityOf(invite({ lines: [`${party}off`] })).privacy).toEqual([]);
  });

  it.each([
    [
      "the number's parameter in From",
      { from: "<sip:+1215;verstat=TN-Validation-Passed@gw.example;user=phone>;tag=a" },
    ],
    ["the tel URI's parameter", { lines: ["P-Asserted-Identity: <tel:+1215;verstat=TN-Validation-Passed>"] }],
    ["the URI's parameter", { lines: ["P-Asserted-Identity: <sip:+1215@gw.example;verstat=TN-Validation-Passed>"] }],
    ["the header's parameter", { from: "<sip:+1215@gw.example>;verstat=TN-Validation-Passed;tag=a" }],
  ])("has been verified or not, told by %s", (_where, parts) => {
    expect(remoteIdentityOf(invite(parts)).verstat).toBe("TN-Validation-Passed");
    const header = { verstatHeader: "x-twilio-verstat" };
    expect(remoteIdentityOf(invite(parts), undefined, header).verstat).toBeUndefined();
  });

  it("is not lost by headers that cannot be read, which are named", () => {
    const lines = ["P-Asserted-Identity: <sip:broken", "Privacy: ;;,", "Remote-Party-ID: <mailto:a@b>;screen=yes"];
    const unreadable: string[] = [];
    const identity = remoteIdentityOf(invite({ lines }), (name) => unreadable.push(name));
    expect(identity).toMatchObject({ asserted: [], privacy: [], from: { user: "+49301" } });
    expect(unreadable).toEqual(["P-Asserted-Identity", "Remote-Party-ID"]);
  });
});

describe("a call that was diverted", () => {
  const by = (lines: readonly string[]): readonly (readonly [string | undefined, string | undefined])[] =>
    diversionsOf(invite({ lines })).map(({ by: { user }, reason }) => [user, reason]);

  it("says by whom and why, the latest first", () => {
    const lines = [
      'Diversion: "Bob" <sip:+492@gw.example>;reason=User-Busy;counter=1, <tel:+491>;reason="no-answer"',
      "Diversion: <sip:+490@gw.example>",
    ];
    expect(by(lines)).toEqual([
      ["+492", "user-busy"],
      ["+491", "no-answer"],
      ["+490", undefined],
    ]);
  });

  it("or in the history of its targets, in the order of their index", () => {
    const lines = [
      "History-Info: <sip:+493@gw.example;cause=408>;index=1.1.1;mp=1.1, <sip:+491@gw.example>;index=1",
      "History-Info: <sip:+492@gw.example;cause=302>;index=1.1;rc=1",
    ];
    expect(by(lines)).toEqual([
      ["+492", "no-answer"],
      ["+491", "unconditional"],
    ]);
  });

  it("or by a Reason at the target that was left", () => {
    const lines = ["History-Info: <sip:+491@gw.example?Reason=SIP%3Bcause%3D486>;index=1, <sip:+492@gw>;index=1.1"];
    expect(by(lines)).toEqual([["+491", "user-busy"]]);
  });

  it("without naming who does not want to be named", () => {
    expect(by(["Diversion: <sip:+492@gw.example>;reason=away;privacy=full"])).toEqual([["anonymous", "away"]]);
    const lines = ["History-Info: <sip:+491@gw.example?Privacy=history>;index=1, <sip:+492@gw;cause=302>;index=1.1"];
    expect(by(lines)).toEqual([["anonymous", "unconditional"]]);
  });

  it("and what cannot be read of it is left out", () => {
    expect(by(["Diversion: nonsense, <sip:+491@gw.example>", "History-Info: <sip:x@y>;index=a.b"])).toEqual([
      ["+491", undefined],
    ]);
    expect(by(["History-Info: <sip:+491@gw.example;cause=302>;index=1"])).toEqual([]);
  });
});

describe("the called number", () => {
  it.each([
    ["sip:+4930555@us.example", "+4930555"],
    ["sips:+4930555@us.example", "+4930555"],
    ["tel:+49-30-555;phone-context=+49", "+4930555"],
    ["sip:+49.30(555)@us.example;user=phone", "+4930555"],
    ["sip:030555;npdi;rn=+49;ext=7@us.example;user=phone", "030555"],
    ["sip:555;phone-context=+4930@us.example", "555;phone-context=+4930"],
    ["sip:555;Phone-Context=%2B4930@us.example", "555;phone-context=+4930"],
    ["tel:1632960045;phone-context=+49", "1632960045;phone-context=+49"],
    ["tel:555;phone-context=us.example", "555"],
    ["sip:john.doe%40home@us.example", "john.doe@home"],
    ["sip:%2B49%2030@us.example", "+49 30"],
    ["sip:us.example", ""],
  ])("in the Request-URI %s is %j", (uri, called) => {
    expect(calledOf(invite({ uri }), "request-uri")).toBe(called);
  });

  it.each([
    ["to", {}, "+4930777"],
    ["P-Called-Party-ID", { lines: ['P-Called-Party-ID: "x" <sip:+4930888;npdi@us.example>;a=b'] }, "+4930888"],
    ["x-did", { lines: ["X-DID: +4930999"] }, "+4930999"],
    ["X-DID", { lines: ['X-DID: "030 999";ext=1'] }, "030 999"],
    ["X-DID", { lines: ["X-DID: <tel:+49-30-999>"] }, "+4930999"],
    ["X-DID", { lines: ["X-DID: 030999@us.example"] }, "030999"],
    ["X-DID", { lines: ["X-DID:"] }, "account"],
    ["X-DID", {}, "account"],
    ["not a header", {}, "account"],
  ])("by %s with %j is %s", (calledFrom, parts, called) => {
    const request = invite({ uri: "sip:account@us.example", to: "<sip:+4930777@us.example>", ...parts });
    expect(calledOf(request, calledFrom)).toBe(called);
  });
});

describe("a caller that gives up", () => {
  it.each([
    ['Reason: SIP;cause=200;text="Call completed elsewhere"', true],
    ["Reason: Q.850;cause=26", true],
    ["Reason: Q.850;cause=16, SIP;cause=200", true],
    ["Reason: SIP;cause=487", false],
    ["Reason: Q.850;cause=16", false],
    ["Subject: none", false],
  ])("with %s: elsewhere is %j", (line, elsewhere) => {
    expect(answeredElsewhere(invite({ lines: [line] }))).toBe(elsewhere);
  });
});
