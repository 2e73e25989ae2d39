// Session timers (RFC 4028): a call whose other end died without a word is noticed, by whoever's part it is.
import { describe, expect, it } from "vitest";
import type { TrunkSettings } from "../../../src/ports/sip.ts";
import { textHeader, type HeaderLine } from "../../../src/sip/wire/header-builder.ts";
import { header, type SipRequest } from "../../../src/sip/wire/message.ts";
import type { CallId } from "../../../src/core/ids.ts";
import { callerRig } from "../rig/caller.ts";
import { lines, type Peer, type Received } from "../rig/peer.ts";
import { rig, standStill, startPeer, TRANSACTION_MS } from "../rig/rig.ts";
import { ANSWER, OFFER, type Stack } from "../rig/stack.ts";

const timed: Partial<TrunkSettings> = { sessionTimer: { expiresMs: 1_800_000, minMs: 90_000 } };
const expires = (value: string): HeaderLine => textHeader("Session-Expires", value);
const allow = (value: string): HeaderLine => textHeader("Allow", value);

interface Talking {
  readonly peer: Peer;
  readonly stack: Stack;
  readonly call: CallId;
  readonly invite: Received<SipRequest>;
  readonly pass: (ms: number) => void;
}

const TAKES_UPDATE = allow("INVITE, ACK, BYE, UPDATE");

/** A call of ours, answered with those headers. */
async function talking(settings: Partial<TrunkSettings>, headers: readonly HeaderLine[]): Promise<Talking> {
  const pass = standStill();
  const { peer, stack } = await rig("udp", settings);
  const call = stack.invite();
  const invite = await peer.request("INVITE");
  peer.reply(invite, 200, { sdp: ANSWER, headers });
  await stack.fact(call, "sip.accepted");
  await peer.request("ACK");
  return { peer, stack, call, invite, pass };
}

describe("an INVITE of ours", () => {
  it("offers the session's time where the trunk wants one", async () => {
    const { peer, stack } = await rig("udp", timed);
    stack.invite();
    const invite = await peer.request("INVITE");
    expect([lines(invite, "Session-Expires"), lines(invite, "Min-SE")]).toEqual([["1800"], ["90"]]);
    expect(lines(invite, "Supported")).toEqual(["100rel, replaces, timer"]);
    expect(lines(invite, "Require")).toEqual([]);
  });

  it("offers none where it does not, and keeps to the trunk's", async () => {
    const { peer, invite, pass } = await talking({}, [
      expires("600;refresher=uac"),
      textHeader("Require", "timer"),
      TAKES_UPDATE,
    ]);
    expect([lines(invite, "Session-Expires"), lines(invite, "Supported")]).toEqual([[], ["100rel, replaces, timer"]]);
    pass(300_000);
    const update = await peer.request("UPDATE");
    expect(lines(update, "Session-Expires")).toEqual(["600;refresher=uac"]);
  });

  it("that is too brief for the trunk is sent again, with the time it wants", async () => {
    const { peer, stack } = await rig("udp", timed);
    const call = stack.invite();
    const first = await peer.request("INVITE");
    peer.reply(first, 422, { headers: [textHeader("Min-SE", "3600")] });
    const second = await peer.request("INVITE");
    expect([lines(second, "Session-Expires"), lines(second, "Min-SE")]).toEqual([["3600"], ["3600"]]);
    expect(second.message.sipCallId).toBe(first.message.sipCallId);
    expect(second.message.fromTag).toBe(first.message.fromTag);
    expect(second.message.cseq.number).toBe(first.message.cseq.number + 1);
    peer.reply(second, 200, { sdp: ANSWER });
    await stack.fact(call, "sip.accepted");
  });

  it.each([
    ["the same", "90"],
    ["nothing", undefined],
  ])("is refused where 422 asks for %s", async (_what, least) => {
    const { peer, stack } = await rig("udp", timed);
    const call = stack.invite();
    const headers = least === undefined ? [] : [textHeader("Min-SE", least)];
    peer.reply(await peer.request("INVITE"), 422, { headers });
    if (least !== undefined) peer.reply(await peer.request("INVITE"), 422, { headers });
    expect(await stack.fact(call, "sip.rejected")).toMatchObject({ status: 422 });
  });
});

describe("a session that we refresh", () => {
  it("is refreshed at half of its time by UPDATE, again and again", async () => {
    const { peer, stack, call, pass } = await talking(timed, [expires("1800;refresher=uac"), TAKES_UPDATE]);
    for (let times = 1; times <= 3; times++) {
      pass(899_900);
      expect(peer.count("UPDATE")).toBe(times - 1);
      pass(200);
      const update = await peer.request("UPDATE");
      expect(update.message.body).toBe("");
      expect(lines(update, "Session-Expires")).toEqual(["1800;refresher=uac"]);
      peer.reply(update, 200, { headers: [expires("1800;refresher=uac")] });
      // Whatever follows is counted from the answer.
      peer.inDialog(await firstInvite(peer), "OPTIONS", times);
      await peer.response("OPTIONS");
    }
    expect(stack.kinds(call)).toEqual(["sip.accepted"]);
  });

  it("is refreshed by re-INVITE with the description that stands, where the trunk takes no UPDATE", async () => {
    const { peer, stack, call, pass } = await talking(timed, [expires("600;refresher=uac"), allow("INVITE, ACK, BYE")]);
    pass(300_000);
    const reinvite = await peer.request("INVITE");
    expect(reinvite.message.body).toBe(OFFER);
    peer.reply(reinvite, 200, { sdp: ANSWER, headers: [expires("600;refresher=uac")] });
    await peer.request("ACK");
    pass(300_000);
    await peer.request("INVITE");
    expect(stack.kinds(call)).toEqual(["sip.accepted"]);
  });

  it("finds out that UPDATE is not taken", async () => {
    const { peer, pass } = await talking(timed, [expires("600;refresher=uac"), TAKES_UPDATE]);
    pass(300_000);
    peer.reply(await peer.request("UPDATE"), 501);
    peer.reply(await peer.request("INVITE"), 200, { sdp: ANSWER, headers: [expires("600;refresher=uac")] });
    await peer.request("ACK");
    pass(300_000);
    await peer.request("INVITE");
    expect(peer.count("UPDATE")).toBe(1);
  });

  it("of a trunk that knows no session timer, too", async () => {
    const { peer, pass } = await talking(timed, [TAKES_UPDATE]);
    pass(900_000);
    await peer.request("UPDATE");
  });

  it("of a trunk that says in its answer where it has moved to: our later requests go there", async () => {
    const { peer, stack, call, pass } = await talking(timed, [expires("600;refresher=uac"), TAKES_UPDATE]);
    const moved = await startPeer();
    pass(300_000);
    peer.reply(await peer.request("UPDATE"), 200, { contact: false, headers: [moved.contact] });
    await stack.fact(call, "sip.dialogChanged");
    stack.trunks.bye(call);
    await moved.request("BYE");
  });

  it("is refreshed by re-INVITE where the trunk has not said what it takes", async () => {
    const { peer, pass } = await talking(timed, [expires("600;refresher=uac")]);
    pass(300_000);
    expect((await peer.request("INVITE")).message.body).toBe(OFFER);
    expect(peer.count("UPDATE")).toBe(0);
  });

  it("is asked for less often where the trunk says that it is too brief", async () => {
    const { peer, pass } = await talking(timed, [expires("600;refresher=uac"), TAKES_UPDATE]);
    pass(300_000);
    peer.reply(await peer.request("UPDATE"), 422, { headers: [textHeader("Min-SE", "900")] });
    const again = await peer.request("UPDATE");
    expect([lines(again, "Session-Expires"), lines(again, "Min-SE")]).toEqual([["900;refresher=uac"], ["900"]]);
  });

  it("after a collision is refreshed a little later", async () => {
    const { peer, pass } = await talking(timed, [expires("600;refresher=uac"), TAKES_UPDATE]);
    pass(300_000);
    peer.reply(await peer.request("UPDATE"), 491);
    await expect
      .poll(() => {
        pass(500);
        return peer.count("UPDATE");
      })
      .toBe(2);
  });

  it("which the trunk has forgotten is ended", async () => {
    const { peer, stack, call, pass } = await talking(timed, [expires("600;refresher=uac"), TAKES_UPDATE]);
    pass(300_000);
    peer.reply(await peer.request("UPDATE"), 481);
    await stack.fact(call, "sip.hungUp");
    await peer.request("BYE");
  });

  it("and nobody answers any more is ended", async () => {
    const { peer, stack, call, pass } = await talking(timed, [expires("600;refresher=uac"), TAKES_UPDATE]);
    pass(300_000);
    await peer.request("UPDATE");
    pass(TRANSACTION_MS);
    await stack.fact(call, "sip.hungUp");
    await peer.request("BYE");
  });

  it("is not refreshed after it was hung up", async () => {
    const { peer, stack, call, pass } = await talking(timed, [expires("600;refresher=uac"), TAKES_UPDATE]);
    stack.trunks.bye(call);
    peer.reply(await peer.request("BYE"), 200);
    await stack.fact(call, "sip.ended");
    pass(600_000);
    expect(peer.count("UPDATE")).toBe(0);
  });
});

describe("a session that the trunk refreshes", () => {
  const theirs = [expires("600;refresher=uas"), textHeader("Require", "timer")];

  it("goes on while it does, and our answers say until when", async () => {
    const { peer, stack, call, invite, pass } = await talking(timed, theirs);
    for (const cseq of [1, 2, 3]) {
      pass(400_000);
      const headers = [expires("600;refresher=uac"), textHeader("Supported", "timer")];
      peer.inDialog(invite, "UPDATE", cseq, { headers });
      const response = await peer.response("UPDATE", 200);
      expect([response.message.statusCode, header(response.message, "Session-Expires")]).toEqual([
        200,
        "600;refresher=uac",
      ]);
      expect(header(response.message, "Require")).toBe("timer");
    }
    expect(peer.count("UPDATE")).toBe(0);
    expect(stack.kinds(call)).toEqual(["sip.accepted"]);
  });

  it("is ended before its time is over when it does not", async () => {
    const { peer, stack, call, pass } = await talking(timed, theirs);
    pass(567_900);
    expect(peer.count("BYE")).toBe(0);
    pass(200);
    await stack.fact(call, "sip.hungUp");
    await peer.request("BYE");
  });

  it("of a brief one, a third before", async () => {
    const { stack, call, pass } = await talking({}, [expires("60;refresher=uas")]);
    pass(39_900);
    expect(stack.kinds(call)).toEqual(["sip.accepted"]);
    pass(200);
    await stack.fact(call, "sip.hungUp");
  });

  it("too often for us is told so", async () => {
    const { peer, invite } = await talking(timed, theirs);
    const headers = [expires("60;refresher=uac"), textHeader("Supported", "timer")];
    for (const [method, cseq] of [
      ["UPDATE", 1],
      ["INVITE", 2],
    ] as const) {
      peer.inDialog(invite, method, cseq, { headers, ...(method === "INVITE" ? { sdp: OFFER } : {}) });
      const response = await peer.response(method, 200);
      expect([response.message.statusCode, header(response.message, "Min-SE")]).toEqual([422, "90"]);
    }
  });
});

describe("an INVITE of the trunk", () => {
  const answeredWith = async (
    settings: Partial<TrunkSettings>,
    ...headers: string[]
  ): Promise<(string | undefined)[]> => {
    const { stack, caller } = await callerRig("udp", settings);
    const placed = caller.invite({ headers });
    const { call } = await stack.arrival();
    stack.trunks.accept(call, ANSWER);
    const { message } = await placed.response(200);
    return [header(message, "Session-Expires"), header(message, "Require")];
  };

  it.each([
    [
      "that wants us to refresh",
      ["Session-Expires: 600;refresher=uas", "Supported: timer"],
      ["600;refresher=uas", "timer"],
    ],
    ["that refreshes itself", ["x: 600 ; refresher = uac", "k: timer"], ["600;refresher=uac", "timer"]],
    ["that leaves it to us", ["Session-Expires: 600", "Supported: timer"], ["600;refresher=uas", "timer"]],
    ["of a longer session than ours", ["Session-Expires: 7200", "Supported: timer"], ["1800;refresher=uas", "timer"]],
    [
      "whose least is more than ours",
      ["Session-Expires: 7200", "Min-SE: 3600", "Supported: timer"],
      ["3600;refresher=uas", "timer"],
    ],
    ["that names no time", ["Supported: timer"], ["1800;refresher=uas", "timer"]],
    ["that knows no session timer", [], ["1800;refresher=uas", undefined]],
    ["with a time that a proxy put there", ["Session-Expires: 60"], ["60;refresher=uas", undefined]],
  ])("%s is answered so", async (_who, headers, expected) => {
    expect(await answeredWith(timed, ...headers)).toEqual(expected);
  });

  it("is answered without where nobody wants one, and as it wants where it does", async () => {
    expect(await answeredWith({})).toEqual([undefined, undefined]);
    expect(await answeredWith({}, "Session-Expires: 7200;refresher=uac", "Supported: timer")).toEqual([
      "7200;refresher=uac",
      "timer",
    ]);
    expect(await answeredWith({}, "Session-Expires: soon", "Supported: timer")).toEqual([undefined, undefined]);
  });

  it("may require it", async () => {
    const { stack, caller } = await callerRig("udp", timed);
    caller.invite({ headers: ["Require: timer", "Supported: timer", "Session-Expires: 300"] });
    await stack.arrival();
  });

  it("too brief for us is told so, and nobody rings", async () => {
    const { stack, caller } = await callerRig("udp", timed);
    const placed = caller.invite({ headers: ["Session-Expires: 89", "Supported: timer"] });
    const refusal = await placed.response(422);
    expect(header(refusal.message, "Min-SE")).toBe("90");
    placed.ack(refusal);
    caller.invite();
    expect((await stack.arrival()).called).toBe("+4930555");
    expect(stack.facts.size).toBe(0);
  });

  it("is refreshed by us where that is our part", async () => {
    const pass = standStill();
    const { stack, caller } = await callerRig("udp", timed);
    const placed = caller.invite({
      headers: ["Session-Expires: 600;refresher=uas", "Supported: timer", "Allow: INVITE, ACK, BYE"],
    });
    const { call } = await stack.arrival();
    stack.trunks.accept(call, ANSWER);
    const answer = await placed.response(200);
    placed.ack(answer);
    // Once this is answered, the ACK has been read.
    placed.inDialog(answer, "OPTIONS", 2);
    await placed.response(200, "OPTIONS");
    pass(300_000);
    const refresh = await placed.asked("INVITE");
    expect([refresh.message.body, lines(refresh, "Session-Expires")]).toEqual([ANSWER, ["600;refresher=uac"]]);
  });
});

async function firstInvite(peer: Peer): Promise<Received<SipRequest>> {
  const invite = peer.log.find(({ message }) => message.kind === "request" && message.method === "INVITE");
  if (invite === undefined) throw new Error("no INVITE");
  return invite as Received<SipRequest>;
}
