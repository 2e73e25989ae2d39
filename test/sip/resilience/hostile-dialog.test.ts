// A trunk that has gone mad inside a call: whatever it asks there is answered, says nothing to the person that is not so,
// and leaves the call as it was.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { textHeader, type HeaderLine } from "../../../src/sip/wire/header-builder.ts";
import { answered, hangUp } from "../rig/answered-call.ts";
import { rig } from "../rig/rig.ts";

const HEADERS = [
  "Refer-To",
  "Referred-By",
  "Refer-Sub",
  "Event",
  "Subscription-State",
  "Info-Package",
  "P-Asserted-Identity",
  "Remote-Party-ID",
  "Privacy",
  "Allow",
  "Replaces",
] as const;

const PIECES = [
  "<sip:a@b>",
  "<sip:a@b?Replaces=x%3Bto-tag%3Dy%3Bfrom-tag%3Dz>",
  "<tel:+49>",
  "refer",
  "message-summary",
  "terminated",
  "active;expires=999999999999",
  "SIP/2.0 200 OK",
  "Signal=5",
  "Messages-Waiting: yes",
  "party=called;screen=yes",
  "INVITE, REFER",
  ";id=",
  ",",
  '"',
  "<",
  ">",
  "%00",
  "\u0000",
  "é",
] as const;

const TYPES = [
  "application/dtmf",
  "application/dtmf-relay",
  "message/sipfrag",
  "text/plain",
  "text/html",
  "message/cpim",
  "x/y",
];
const METHODS = ["INFO", "REFER", "NOTIFY", "MESSAGE", "UPDATE"] as const;

const words = fc
  .array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 6 })), { maxLength: 5 })
  .map((parts) => parts.join(""));
const header = fc.tuple(fc.constantFrom(...HEADERS), words).map(([name, value]): HeaderLine => textHeader(name, value));
const body = fc.record({ type: fc.constantFrom(...TYPES), content: words });
const request = fc.record({
  method: fc.constantFrom(...METHODS),
  headers: fc.array(header, { maxLength: 4 }),
  body: fc.option(body, { nil: undefined }),
});

describe("a trunk gone mad inside a call", () => {
  it("gets an answer to each request, no error is logged, and the call can still be ended", async () => {
    const { peer, stack } = await rig();
    const { call, invite } = await answered({ peer, stack });
    const requests = fc.sample(request, { numRuns: 300, seed: 4 });
    for (const [index, { method, headers, body: content }] of requests.entries()) {
      // What the call is asked has to be decided, or all later ones wait.
      stack.trunks.refuseRefer(call, 603);
      peer.inDialog(invite, method, index + 1, { headers, ...(content === undefined ? {} : { body: content }) });
      if (method !== "REFER") expect((await peer.response(method)).message.statusCode).toBeGreaterThanOrEqual(200);
    }
    await hangUp(peer, stack, call);
    expect(stack.log.filter(({ level }) => level === "error")).toEqual([]);
    const allowed = ["sip.accepted", "sip.dtmf", "sip.identified", "sip.referred", "sip.ended"];
    expect(stack.kinds(call).filter((kind) => !allowed.includes(kind))).toEqual([]);
  });

  it("is answered 481 where it has hung up and asks for another offer", async () => {
    const { peer, stack } = await rig();
    const { call, invite } = await answered({ peer, stack });
    peer.inDialog(invite, "BYE", 1);
    await peer.response("BYE", 200);
    await stack.fact(call, "sip.hungUp");
    for (const [index, method] of ["INVITE", "UPDATE", "INVITE"].entries()) {
      peer.inDialog(invite, method, index + 2);
      await peer.response(method, 481);
    }
    expect(stack.kinds(call)).toEqual(["sip.accepted", "sip.hungUp"]);
  });
});
