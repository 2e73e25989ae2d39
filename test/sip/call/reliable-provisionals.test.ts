// Ringing that has to arrive: provisional responses with PRACK (RFC 3262), to callers that want them so.
import { describe, expect, it } from "vitest";
import { header } from "../../../src/sip/wire/message.ts";
import { callerRig, type CallerRig, type InviteText, type PlacedCall } from "../rig/caller.ts";
import { lines } from "../rig/peer.ts";
import { standStill, TRANSACTION_MS } from "../rig/rig.ts";
import { ANSWER, OFFER } from "../rig/stack.ts";
import type { CallId } from "../../../src/core/ids.ts";
import type { InboundSettings } from "../../../src/ports/sip.ts";

const REQUIRED: InviteText = { headers: ["Require: 100rel"] };
const SUPPORTED: InviteText = { headers: ["Supported: timer, 100rel"] };

interface Ringing extends CallerRig {
  readonly call: CallId;
  readonly placed: PlacedCall;
}

async function arrived(
  parts: InviteText,
  reliableProvisionals: InboundSettings["reliableProvisionals"] = "supported",
  by: "udp" | "tcp" = "udp",
): Promise<Ringing> {
  const inbound = { calledFrom: "request-uri", reliableProvisionals };
  const all = await callerRig(by, { inbound });
  const placed = all.caller.invite(parts);
  const { call } = await all.stack.arrival();
  return { ...all, call, placed };
}

describe("ringing", () => {
  it.each([
    ["supported", SUPPORTED, false],
    ["supported", REQUIRED, true],
    ["required", SUPPORTED, true],
    ["required", REQUIRED, true],
    ["required", {}, false],
    ["off", SUPPORTED, false],
  ] as const)("where the trunk has %s and the INVITE %j is reliable: %j", async (setting, parts, reliable) => {
    const { stack, call, placed } = await arrived(parts, setting);
    stack.trunks.ring(call, 180);
    const ringing = await placed.response(180);
    expect(lines(ringing, "Require")).toEqual(reliable ? ["100rel"] : []);
    expect(lines(ringing, "RSeq")).toHaveLength(reliable ? 1 : 0);
  });

  it("is not to be had reliably where the trunk has it off", async () => {
    const inbound = { calledFrom: "request-uri", reliableProvisionals: "off" } as const;
    const { stack, caller } = await callerRig("udp", { inbound });
    expect(lines(await caller.invite(REQUIRED).response(420), "Unsupported")).toEqual(["100rel"]);
    const placed = caller.invite();
    const { call } = await stack.arrival();
    stack.trunks.accept(call, ANSWER);
    expect(lines(await placed.response(200), "Supported")).toEqual(["replaces, timer"]);
  });

  it.each(["udp", "tcp"] as const)(
    "over %s goes out again until its PRACK is here, twice as late each time",
    async (by) => {
      const pass = standStill();
      const { stack, call, placed } = await arrived(REQUIRED, "supported", by);
      stack.trunks.ring(call, 180);
      const first = await placed.response(180);
      for (const ms of [500, 1_000, 2_000, 4_000]) {
        pass(ms - 1);
        pass(1);
        expect(lines(await placed.response(180), "RSeq")).toEqual(lines(first, "RSeq"));
      }
      placed.prack(first, 2);
      await placed.response(200, "PRACK");
      pass(TRANSACTION_MS);
      stack.trunks.accept(call, ANSWER);
      placed.ack(await placed.response(200));
      expect(placed.statuses.filter((status) => status === 180)).toHaveLength(5);
    },
  );

  it("that nobody acknowledges ends the call with 504 after 64*T1", async () => {
    const pass = standStill();
    const { stack, call, placed } = await arrived(REQUIRED);
    stack.trunks.ring(call, 180);
    await placed.response(180);
    pass(TRANSACTION_MS);
    placed.ack(await placed.response(504));
    expect(await stack.fact(call, "sip.cancelled")).toEqual({ kind: "sip.cancelled", elsewhere: false });
    expect(stack.kinds(call)).toEqual(["sip.cancelled"]);
  });

  it("and then progress: one after the other, counted up", async () => {
    const { stack, call, placed } = await arrived(REQUIRED);
    stack.trunks.ring(call, 180);
    stack.trunks.ring(call, 183);
    const ringing = await placed.response(180);
    expect(placed.statuses).toEqual([100, 180]);
    placed.prack(ringing, 2);
    const progress = await placed.response(183);
    expect(Number(header(progress.message, "RSeq"))).toBe(Number(header(ringing.message, "RSeq")) + 1);
    placed.prack(progress, 3);
    await placed.response(200, "PRACK");
  });

  it("for minutes is told again before a proxy on the way loses patience", async () => {
    const pass = standStill();
    const { stack, call, placed } = await arrived(REQUIRED);
    stack.trunks.ring(call, 180);
    const first = await placed.response(180);
    placed.prack(first, 2);
    await placed.response(200, "PRACK");
    pass(150_000);
    const second = await placed.response(180);
    expect(lines(second, "RSeq")).not.toEqual(lines(first, "RSeq"));
    placed.prack(second, 3);
    await placed.response(200, "PRACK");
    stack.trunks.reject(call, 480);
    placed.ack(await placed.response(480));
    pass(300_000);
    expect(placed.statuses.filter((status) => status === 180)).toHaveLength(2);
  });

  it("is no reason to wait with the answer, and a PRACK that comes after it is still welcome", async () => {
    const { stack, call, placed } = await arrived(REQUIRED);
    stack.trunks.ring(call, 180);
    const ringing = await placed.response(180);
    stack.trunks.accept(call, ANSWER);
    const answer = await placed.response(200);
    expect(answer.message.body).toBe(ANSWER);
    placed.prack(ringing, 2);
    await placed.response(200, "PRACK");
    placed.ack(answer);
    placed.inDialog(answer, "BYE", 3);
    await stack.fact(call, "sip.hungUp");
  });

  it("is plain, or none, where the INVITE wants our offer: no reliable response may be without it", async () => {
    const plain = await arrived({ ...SUPPORTED, sdp: null }, "required");
    plain.stack.trunks.ring(plain.call, 180);
    expect(lines(await plain.placed.response(180), "RSeq")).toEqual([]);
    const none = await arrived({ ...REQUIRED, sdp: null });
    none.stack.trunks.ring(none.call, 180);
    none.stack.trunks.accept(none.call, OFFER);
    await none.placed.response(200);
    expect(none.placed.statuses).toEqual([100, 200]);
  });
});

describe("a PRACK", () => {
  it.each([
    ["of another number", (rseq: string) => `RAck: ${Number(rseq) + 1} 1 INVITE`],
    ["of another request", (rseq: string) => `RAck: ${rseq} 2 INVITE`],
    ["of another method", (rseq: string) => `RAck: ${rseq} 1 UPDATE`],
    ["of nothing", () => "Subject: none"],
    ["that cannot be read", () => "RAck: one two three"],
  ])("%s gets 481", async (_which, line) => {
    const { stack, call, placed } = await arrived(REQUIRED);
    stack.trunks.ring(call, 180);
    const ringing = await placed.response(180);
    placed.inDialog(ringing, "PRACK", 2, { lines: [line(header(ringing.message, "RSeq") ?? "")] });
    await placed.response(481, "PRACK");
    placed.prack(ringing, 3);
    await placed.response(200, "PRACK");
    // It is acknowledged: another is for nothing.
    placed.prack(ringing, 4);
    await placed.response(481, "PRACK");
  });

  it("with an offer, where ours is still to be answered, gets 488", async () => {
    const { stack, call, placed } = await arrived(REQUIRED);
    stack.trunks.ring(call, 180);
    const ringing = await placed.response(180);
    const rack = `RAck: ${header(ringing.message, "RSeq") ?? ""} 1 INVITE`;
    placed.inDialog(ringing, "PRACK", 2, { lines: [rack, "Content-Type: application/sdp"], body: OFFER });
    await placed.response(488, "PRACK");
  });
});
