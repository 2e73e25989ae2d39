// What becomes of calls from the trunk when the bridge is started again: those that rang are refused, those that were
// answered go on.
import { describe, expect, it } from "vitest";
import { callId } from "../../../src/core/ids.ts";
import type { SipIncomingState } from "../../../src/core/call/model/dialog-state.ts";
import { callerRig, type CallerRig, type PlacedCall } from "../rig/caller.ts";
import { lines } from "../rig/peer.ts";
import { standStill, startStack, TRANSACTION_MS } from "../rig/rig.ts";
import { ANSWER, trunkSettings, type Stack } from "../rig/stack.ts";

const call = callId("earlier");

interface Earlier extends CallerRig {
  readonly placed: PlacedCall;
  readonly incoming: SipIncomingState;
  readonly next: Stack;
}

/** A call that rings in one stack, and another stack on the same port after it: as after a kill, nothing was said. */
async function killed(by: "udp" | "tcp" = "udp"): Promise<Earlier> {
  const all = await callerRig(by);
  const placed = all.caller.invite({ headers: ["Subject: before"] });
  const arrival = await all.stack.arrival();
  all.stack.trunks.ring(arrival.call, 180);
  await placed.response(180);
  const { incoming, dialog } = arrival;
  expect(incoming.localAddress).toEqual(dialog.localAddress);
  // A process that is killed says nothing; this one has to be heard out before its port is free.
  const stopped = all.stack.stop();
  placed.ack(await placed.response(503));
  await stopped;
  const { host, port } = dialog.localAddress;
  const local = { host, port, advertised: undefined };
  const next = await startStack(trunkSettings(all.peer.port, { transport: by, local }));
  return { ...all, placed, incoming, next };
}

describe("a call that rang in the earlier process", () => {
  it.each(["udp", "tcp"] as const)("over %s is refused by what was stored of it, until the ACK is here", async (by) => {
    const { placed, incoming, next, caller, peer } = await killed(by);
    next.trunks.dismiss(call, JSON.parse(JSON.stringify(incoming)) as SipIncomingState, 480);
    const refusal = await placed.response(480);
    expect(lines(refusal, "To")).toEqual([incoming.to]);
    expect(refusal.message).toMatchObject({ cseq: { number: 1, method: "INVITE" }, sipCallId: placed.sipCallId });
    expect(next.kinds(call)).toEqual([]);
    const ack = placed.request("ACK", incoming.to);
    if (by === "udp") caller.send(ack);
    else (await peer.dial(incoming.localAddress.port)).send(Buffer.from(ack));
    await next.fact(call, "sip.ended");
  });

  it("is refused again and again where the refusal gets lost, and is over after 64*T1", async () => {
    const pass = standStill();
    const { placed, incoming, next } = await killed();
    next.trunks.dismiss(call, incoming, 480);
    await placed.response(480);
    for (const ms of [500, 1_000, 2_000]) {
      pass(ms);
      await placed.response(480);
    }
    pass(TRANSACTION_MS);
    await next.fact(call, "sip.ended");
    expect(next.kinds(call)).toEqual(["sip.ended"]);
  });

  it("goes to where the INVITE came from, whatever its Via says of the sender", async () => {
    const { placed, incoming, next } = await killed();
    const [top = "", ...others] = incoming.vias;
    const elsewhere = [top.replace(/UDP [^;]+/, "UDP nowhere.invalid:9"), ...others];
    next.trunks.dismiss(call, { ...incoming, vias: elsewhere }, 480);
    await placed.response(480);
  });

  it.each([
    ["a trunk that no longer exists", { trunk: "gone" }],
    ["no Via", { vias: [] }],
    ["what is no Via", { vias: ["\r\n"] }],
    ["a Via that leads nowhere", { vias: ["SIP/2.0/WS nowhere.invalid;branch=z9hG4bK1"] }],
    ["no From", { from: "" }],
  ])("with %s is over at once", async (_what, broken) => {
    const { incoming, next } = await killed();
    next.trunks.dismiss(call, { ...incoming, ...broken } as SipIncomingState, 480);
    await next.fact(call, "sip.ended");
  });

  it("is refused with a status that there is, and with no header that was not stored as one", async () => {
    const { peer, placed, incoming, next } = await killed();
    next.trunks.dismiss(call, { ...incoming, to: `${incoming.to}\r\nX-Inject: 1` }, 480);
    await next.fact(call, "sip.ended");
    next.trunks.dismiss(call, incoming, 999);
    await placed.response(500);
    expect(peer.log.some(({ text }) => text.includes("X-Inject"))).toBe(false);
  });
});

describe("a call that was answered in the earlier process", () => {
  it("is ended by us, with what its arrival told", async () => {
    const { peer, stack, caller } = await callerRig();
    const placed = caller.invite();
    const arrival = await stack.arrival();
    stack.trunks.accept(arrival.call, ANSWER);
    placed.ack(await placed.response(200));
    await stack.stop();
    const { host, port } = arrival.dialog.localAddress;
    const next = await startStack(trunkSettings(peer.port, { local: { host, port, advertised: undefined } }));
    next.trunks.resume(call, arrival.dialog);
    next.trunks.bye(call);
    const bye = await placed.asked("BYE");
    expect(bye.message).toMatchObject({ fromTag: arrival.dialog.localTag, toTag: arrival.dialog.remoteTag });
    expect(bye.message.uriText).toBe(arrival.dialog.remoteTarget);
    peer.reply(bye, 200);
    await next.fact(call, "sip.ended");
  });
});
