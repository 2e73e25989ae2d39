// Offers of both sides that meet in one dialog, in calls of the trunk as in ours: who waits, and who is told to try later
// (RFC 3261 s14, RFC 3311 s5.2).
import { describe, expect, it } from "vitest";
import { answered } from "../rig/answered-call.ts";
import { callerRig } from "../rig/caller.ts";
import { lines } from "../rig/peer.ts";
import { rig, standStill } from "../rig/rig.ts";
import { ANSWER, hastyClock, OFFER } from "../rig/stack.ts";

async function taken(more: Parameters<typeof callerRig>[2] = {}) {
  const { peer, stack, caller } = await callerRig("udp", {}, more);
  const placed = caller.invite();
  const { call } = await stack.arrival();
  stack.trunks.accept(call, ANSWER);
  const ok = await placed.response(200);
  placed.ack(ok);
  return { peer, stack, placed, call, ok };
}

/** Another than in the INVITE. */
const NEW_OFFER = OFFER.replace("4000", "4002");
const offer = { lines: ["Content-Type: application/sdp"], body: NEW_OFFER };

describe("after a collision (RFC 3261 s14.1)", () => {
  it("whoever made the Call-ID waits for 2.1 s at least and 4 s at most", async () => {
    const pass = standStill();
    const pair = await rig();
    const { peer, stack } = pair;
    const { call, invite } = await answered(pair);
    stack.trunks.reoffer(call, NEW_OFFER);
    peer.reply(await peer.request("INVITE"), 491);
    await peer.request("ACK");
    const before = peer.count("INVITE");
    pass(2_090);
    // All that was on its way has arrived.
    peer.inDialog(invite, "OPTIONS", 1);
    await peer.response("OPTIONS");
    expect(peer.count("INVITE")).toBe(before);
    pass(1_910);
    peer.reply(await peer.request("INVITE"), 200, { sdp: ANSWER });
    await stack.fact(call, "sip.reanswered");
  });

  it("whoever did not waits for 2 s at most", async () => {
    const pass = standStill();
    const { peer, stack, placed, call, ok } = await taken();
    // Behind the ACK, so that it has been read.
    placed.inDialog(ok, "OPTIONS", 2);
    await placed.response(200, "OPTIONS");
    stack.trunks.reoffer(call, NEW_OFFER);
    peer.reply(await placed.asked("INVITE"), 491);
    await placed.asked("ACK");
    pass(2_000);
    peer.reply(await placed.asked("INVITE"), 200, { sdp: ANSWER });
    await stack.fact(call, "sip.reanswered");
  });

  it("what is ordered during the wait is offered instead", async () => {
    const pass = standStill();
    const pair = await rig();
    const { peer, stack } = pair;
    const { call } = await answered(pair);
    stack.trunks.reoffer(call, OFFER);
    peer.reply(await peer.request("INVITE"), 491);
    await peer.request("ACK");
    stack.trunks.reoffer(call, NEW_OFFER);
    pass(4_000);
    const second = await peer.request("INVITE");
    expect(second.message.body).toBe(NEW_OFFER);
    peer.reply(second, 200, { sdp: ANSWER });
    await stack.fact(call, "sip.reanswered");
  });

  it("what was ordered before the peer said 491 once too often is not offered after a later one", async () => {
    const pair = await rig("udp", {}, { clock: hastyClock() });
    const { peer, stack } = pair;
    const { call } = await answered(pair);
    const collide = async (): Promise<void> => {
      peer.reply(await peer.request("INVITE"), 491);
      await peer.request("ACK");
    };
    stack.trunks.reoffer(call, OFFER);
    for (let n = 0; n < 5; n++) await collide();
    const sixth = await peer.request("INVITE");
    stack.trunks.reoffer(call, NEW_OFFER);
    peer.reply(sixth, 491);
    expect(await stack.fact(call, "sip.offerRefused")).toMatchObject({ status: 491 });
    stack.trunks.reoffer(call, OFFER);
    peer.reply(await peer.request("INVITE"), 200, { sdp: ANSWER });
    await stack.fact(call, "sip.reanswered");
  });
});

describe("in a call of ours", () => {
  it.each(["the INVITE", "a re-INVITE of ours"])("theirs right behind our ACK to %s is taken", async (_what) => {
    const pair = await rig();
    const { peer, stack } = pair;
    const { call, invite } = await answered(pair);
    if (_what !== "the INVITE") {
      stack.trunks.reoffer(call, NEW_OFFER);
      peer.reply(await peer.request("INVITE"), 200, { sdp: ANSWER });
      await peer.request("ACK");
    }
    peer.inDialog(invite, "INVITE", 1, { sdp: NEW_OFFER });
    expect((await stack.fact(call, "sip.offered")).description).toBe(NEW_OFFER);
    stack.trunks.answerReoffer(call, ANSWER);
    expect((await peer.response("INVITE", 200)).message.statusCode).toBe(200);
  });
});

describe("in a call of the trunk", () => {
  it("ours crosses theirs: both step back, and ours, who did not make the Call-ID, is made again within 2 s", async () => {
    const { peer, stack, placed, call, ok } = await taken({ clock: hastyClock() });
    stack.trunks.reoffer(call, OFFER);
    const first = await placed.asked("INVITE");
    placed.inDialog(ok, "INVITE", 2, { ...offer, lines: [...offer.lines, String(peer.contact)] });
    expect((await placed.response(491)).message.cseq.number).toBe(2);
    peer.reply(first, 491);
    peer.reply(await placed.asked("INVITE"), 200, { sdp: ANSWER });
    await stack.fact(call, "sip.reanswered");
  });

  it("an offer ordered while another of ours is under way is made after it, and its answer is the one that counts", async () => {
    const { peer, stack, placed, call } = await taken();
    stack.trunks.reoffer(call, OFFER);
    const first = await placed.asked("INVITE");
    stack.trunks.reoffer(call, NEW_OFFER);
    peer.reply(first, 200, { sdp: ANSWER });
    const second = await placed.asked("INVITE");
    expect(second.message.body).toBe(NEW_OFFER);
    const answer = ANSWER.replace("5000", "5002");
    peer.reply(second, 200, { sdp: answer });
    expect((await stack.fact(call, "sip.reanswered")).description).toBe(answer);
  });

  it("an UPDATE of theirs crosses our re-INVITE: 491, and ours goes on", async () => {
    const { peer, stack, placed, call, ok } = await taken();
    stack.trunks.reoffer(call, OFFER);
    const first = await placed.asked("INVITE");
    placed.inDialog(ok, "UPDATE", 2, offer);
    await placed.response(491, "UPDATE");
    peer.reply(first, 200, { sdp: ANSWER });
    await stack.fact(call, "sip.reanswered");
  });

  it("ours waits for the ACK to our 200: until then the INVITE is under way", async () => {
    const { peer, stack, caller } = await callerRig("udp", {}, { clock: hastyClock() });
    const placed = caller.invite();
    const { call } = await stack.arrival();
    stack.trunks.accept(call, ANSWER);
    const ok = await placed.response(200);
    stack.trunks.reoffer(call, OFFER);
    expect(peer.count("INVITE")).toBe(0);
    placed.ack(ok);
    peer.reply(await placed.asked("INVITE"), 200, { sdp: ANSWER });
    await stack.fact(call, "sip.reanswered");
  });

  it("theirs comes as UPDATE and is answered like a re-INVITE", async () => {
    const { stack, placed, call, ok } = await taken();
    placed.inDialog(ok, "UPDATE", 2, offer);
    expect((await stack.fact(call, "sip.offered")).description).toBe(NEW_OFFER);
    stack.trunks.answerReoffer(call, ANSWER);
    expect((await placed.response(200, "UPDATE")).message.body).toBe(ANSWER);
  });
});

describe("before we have answered a call of the trunk", () => {
  it.each<[string, string | null, string | undefined, number]>([
    ["without an offer, to say that it is still there", OFFER, undefined, 200],
    ["with another offer while its first is open", OFFER, OFFER, 500],
    ["with an offer where its INVITE wanted ours", null, OFFER, 504],
  ])("an UPDATE %s is answered at once, and the call rings on", async (_, sdp, body, status) => {
    const { stack, caller } = await callerRig();
    const placed = caller.invite({ sdp });
    const { call } = await stack.arrival();
    stack.trunks.ring(call, 180);
    const ringing = await placed.response(180);
    placed.inDialog(ringing, "UPDATE", 2, body === undefined ? {} : offer);
    const response = await placed.response(status, "UPDATE");
    // RFC 3311 s5.2: with a time between 0 and 10 s.
    const retryAfter = lines(response, "Retry-After").map(Number);
    expect(retryAfter).toHaveLength(status === 500 ? 1 : 0);
    for (const seconds of retryAfter) expect(seconds).toSatisfy((it: number) => it >= 0 && it <= 10);
    stack.trunks.accept(call, ANSWER);
    placed.ack(await placed.response(200), sdp === null ? ANSWER : undefined);
    expect(stack.kinds(call)).not.toContain("sip.offered");
  });
});

it("a flood of new offers in one call is told to come again later, and costs the call nothing", async () => {
  standStill();
  const { peer, stack, placed, call, ok } = await taken();
  const statuses: number[] = [];
  for (let n = 0; n < 60; n++) {
    const body = OFFER.replace("4000", String(4002 + 2 * n));
    placed.inDialog(ok, "UPDATE", 2 + n, { lines: ["Content-Type: application/sdp", String(peer.contact)], body });
    if (n < 30) {
      await stack.fact(call, "sip.offered");
      stack.trunks.answerReoffer(call, ANSWER);
    }
    statuses.push((await placed.response(n < 30 ? 200 : 500, "UPDATE")).message.statusCode);
  }
  expect(statuses.filter((status) => status === 200)).toHaveLength(30);
  expect(stack.kinds(call).filter((kind) => kind === "sip.offered")).toHaveLength(30);
  expect(stack.log.filter(({ message }) => message.includes("changes one call too often"))).toHaveLength(1);
});
