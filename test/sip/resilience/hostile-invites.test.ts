// New calls as nobody should write them: the torture messages of RFC 4475 and RFC 5118 on a real socket, and mutants
// of good INVITEs. Each gets the answer that it has earned, and no call is left behind.
import { describe, expect, it } from "vitest";
import { isIPv4 } from "node:net";
import fc from "fast-check";
import { anyText } from "../../arbitraries/any-text.ts";
import type { InviteArrival } from "../../../src/ports/sip.ts";
import { parseUri } from "../../../src/core/address/uri.ts";
import { callerRig, type Caller, type InviteText } from "../rig/caller.ts";
import { standStill } from "../rig/rig.ts";
import { ANSWER, OFFER } from "../rig/stack.ts";
import { tortureMessage } from "../wire/torture.ts";

/** The message as a proxy at the peer would pass it on: with a Via of its own, by which the answer comes back. */
function passedOn(caller: Caller, bytes: Buffer, id: string): Buffer {
  const lineEnd = bytes.indexOf("\r\n") + 2;
  const via = Buffer.from(`${caller.peer.via(`z9hG4bK-${id}`)}\r\n`);
  return Buffer.concat([bytes.subarray(0, lineEnd), via, bytes.subarray(lineEnd)]);
}

describe("the torture messages that are INVITEs", () => {
  it.each([
    ["rfc4475", "esc01", "sips:user@example.com"],
    ["rfc4475", "longreq", "user"],
    ["rfc4475", "baddate", "user"],
    ["rfc4475", "inv2543", "UserB"],
    ["rfc5118", "ipv4-mapped-ipv6", "user"],
    ["rfc5118", "ipv6-in-sdp", "user"],
    ["rfc5118", "mult-ip-in-sdp", "user"],
  ] as const)("%s %s rings at %j, and may be answered", async (corpus, name, called) => {
    const { peer, stack, caller } = await callerRig();
    caller.send(passedOn(caller, tortureMessage(corpus, name), name));
    const arrival = await stack.arrival();
    expect(arrival.called).toBe(called);
    expect(arrival.sdp).toMatch(/^v=0/);
    stack.trunks.ring(arrival.call, 180);
    stack.trunks.accept(arrival.call, ANSWER);
    for (const status of [100, 180, 200]) expect((await peer.response("INVITE")).message.statusCode).toBe(status);
    // No ACK ever comes, and its dialog leads nowhere.
    expect(stack.log.filter(({ level }) => level === "error")).toEqual([]);
  });

  it.each([
    ["wsinv", 481],
    ["badinv01", 400],
    ["clerr", 400],
    ["escruri", 400],
    ["invut", 415],
    ["ltgtruri", 400],
    ["lwsruri", 400],
    ["lwsstart", 400],
    ["multi01", 400],
    ["ncl", 400],
    ["sdp01", 406],
  ] as const)("%s gets %i, and is no call", async (name, status) => {
    const { peer, stack, caller } = await callerRig();
    caller.send(passedOn(caller, tortureMessage("rfc4475", name), name));
    await expect
      .poll(() => peer.log.flatMap(({ message }) => (message.kind === "response" ? [message.statusCode] : [])))
      .toContain(status);
    expect(stack.arrivals).toEqual([]);
  });
});

const RICH: readonly InviteText[] = [
  {
    headers: [
      'P-Asserted-Identity: "Ann" <sip:+49301@gw.example;verstat=TN-Validation-Passed>, <tel:+49301>',
      "Privacy: id;critical",
      'Diversion: "Bob" <sip:+492@gw.example>;reason=user-busy;counter=1, <tel:+491>;reason=no-answer',
      "Require: 100rel",
      "Supported: timer, replaces",
    ],
  },
  {
    uri: "tel:+49-30-555;phone-context=+49",
    headers: [
      'Remote-Party-ID: "Ann" <sip:+49302@gw.example>;party=calling;screen=yes;privacy=full',
      "History-Info: <sip:+491@gw.example?Reason=SIP%3Bcause%3D302>;index=1, <sip:+492@gw.example;cause=486>;index=1.1;rc=1",
      "Expires: 60",
      "Session-Expires: 1800;refresher=uac",
      "Supported: 100rel",
    ],
    sdp: null,
  },
  {
    headers: ["Replaces: call@us.example;from-tag=theirs;to-tag=ours;early-only", "Reason: Q.850;cause=16"],
    contentType: "multipart/mixed;boundary=b",
    sdp: `--b\r\nContent-Type: application/sdp\r\n\r\n${OFFER}--b\r\nContent-Type: application/isup\r\n\r\nx\r\n--b--\r\n`,
  },
  { from: "<sip:+4940777@gw.example>", headers: ["X-DID: +4930999"] },
];

const mutation = fc.record({
  sample: fc.integer({ min: 0, max: RICH.length - 1 }),
  at: fc.integer({ min: 0, max: 9_999 }),
  length: fc.integer({ min: 0, max: 30 }),
  junk: fc.oneof(
    anyText({ maxLength: 8 }),
    fc.constantFrom(";", ",", '"', "<", ">", "\\", "%", "\r\n", "\r\n ", ":", "@", "=", "?", "99999999999", ";tag=x"),
  ),
});

/** What a telephone at the peer would be sent of a call goes to loopback only, whatever the mutant says. */
function leadsHere({ dialog }: InviteArrival): boolean {
  const uri = parseUri(dialog.remoteTarget);
  const here = uri?.kind === "sip" && isIPv4(uri.host) && uri.host === "127.0.0.1";
  return here && dialog.routeSet.length === 0 && !uri.params.has("maddr");
}

describe("2,000 mutants of INVITEs", () => {
  it("leave no call behind, and no error in the log", async () => {
    const pass = standStill();
    const { peer, stack, caller } = await callerRig();
    const settled = (arrival: InviteArrival): boolean =>
      ["sip.ended", "sip.hungUp", "sip.cancelled"].includes(stack.kinds(arrival.call).at(-1) ?? "");
    let dealtWith = 0;
    const deal = (arrival: InviteArrival, index: number): void => {
      if (index % 3 > 0) stack.trunks.ring(arrival.call, index % 2 === 0 ? 180 : 183);
      if (index % 3 === 2 && leadsHere(arrival)) stack.trunks.accept(arrival.call, ANSWER);
      else if (index % 5 > 0) stack.trunks.reject(arrival.call, 486);
      else caller.send(cancelOf(arrival));
    };
    const mutants = fc.sample(fc.noBias(mutation), { numRuns: 2_000, seed: 3261 });
    for (const [number, { sample, at, length, junk }] of mutants.entries()) {
      const { text } = caller.prepare(RICH[sample] ?? {});
      const start = Math.floor((at / 10_000) * text.length);
      caller.send(text.slice(0, start) + junk + text.slice(start + length));
      if (number % 20 !== 19) continue;
      // The answer to this comes after all before it has been worked through.
      const probe = caller.prepare({ sdp: null });
      caller.send(probe.text.replaceAll("INVITE", "OPTIONS"));
      await probe.response(200, "OPTIONS");
      while (dealtWith < stack.arrivals.length) deal(stack.arrivals[dealtWith] as InviteArrival, dealtWith++);
      pass(3_300);
    }
    // They are worth something only if many are still good enough to ring.
    expect(stack.arrivals.length).toBeGreaterThan(400);
    // Not every CANCEL finds its INVITE again.
    for (const arrival of stack.arrivals) if (!settled(arrival)) stack.trunks.reject(arrival.call, 480);
    pass(33_000);
    const open = (): readonly InviteArrival[] => stack.arrivals.filter((arrival) => !settled(arrival));
    await expect.poll(() => open().map(({ call }) => stack.kinds(call)), { interval: 1 }).toEqual([]);
    expect(stack.log.filter(({ level }) => level === "error")).toEqual([]);
    // Nothing waits any more: as many calls as ever may ring, and not one less.
    const waiting = Array.from({ length: 100 }, () => caller.prepare());
    for (const placed of waiting) {
      caller.send(placed.text);
      await placed.response(100);
    }
    await caller.invite().response(503);
    expect(peer.log.length).toBeGreaterThan(2_000);
  });
});

function cancelOf({ incoming }: InviteArrival): string {
  const [top = ""] = incoming.vias;
  const to = incoming.to.replace(/;tag=[^;]*$/, "");
  return (
    `CANCEL sip:us.example SIP/2.0\r\nVia: ${top.replace(/;(?:received|rport)=?[^;]*/g, "")}\r\nFrom: ${incoming.from}\r\n` +
    `To: ${to}\r\nCall-ID: ${incoming.sipCallId}\r\nCSeq: ${incoming.cseq} CANCEL\r\nContent-Length: 0\r\n\r\n`
  );
}
