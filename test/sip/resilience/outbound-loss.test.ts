// Every fifth datagram is lost, both ways: no call may get stuck or end twice.
import { expect, it } from "vitest";
import type { CallId } from "../../../src/core/ids.ts";
import { userText } from "../../../src/core/address/uri.ts";
import type { SipRequest } from "../../../src/sip/wire/message.ts";
import { LossyHop } from "../rig/lossy-hop.ts";
import type { Peer, Received } from "../rig/peer.ts";
import { closeLater, startPeer, startStack } from "../rig/rig.ts";
import { ANSWER, trunkSettings, type Stack } from "../rig/stack.ts";

const T1_MS = 100;
/** Who ends the call; the number that is called says it to the peer. */
const KINDS = ["busy", "callee-hangs-up", "caller-hangs-up"] as const;
const CALLS_OF_EACH = 10;

/** Repeats an action until `done`, as the timers of a real server would. */
function insist(act: () => void, done: () => boolean): void {
  act();
  const timer = setInterval(() => {
    if (done()) clearInterval(timer);
    else act();
  }, T1_MS);
  closeLater(() => Promise.resolve(clearInterval(timer)));
}

function heard(peer: Peer, invite: Received<SipRequest>, kind: "request" | "response", method: string): boolean {
  const { sipCallId } = invite.message;
  return peer.log.some(
    ({ message }) => message.kind === kind && message.cseq.method === method && message.sipCallId === sipCallId,
  );
}

function serve(peer: Peer, invite: Received<SipRequest>): void {
  const acknowledged = (): boolean => heard(peer, invite, "request", "ACK");
  const kind = userText(invite.message.uri);
  if (kind === "busy") {
    insist(() => peer.reply(invite, 486), acknowledged);
    return;
  }
  peer.reply(invite, 180);
  insist(() => peer.reply(invite, 200, { sdp: ANSWER }), acknowledged);
  if (kind !== "callee-hangs-up") return;
  const branch = `z9hG4bK-${invite.message.sipCallId}`;
  const bye = (): void => {
    if (acknowledged()) peer.inDialog(invite, "BYE", 1, { branch });
  };
  insist(bye, () => heard(peer, invite, "response", "BYE"));
}

async function forEver(step: () => Promise<void>): Promise<never> {
  for (;;) await step();
}

async function live(stack: Stack, kind: (typeof KINDS)[number]): Promise<CallId> {
  const call = stack.invite({ target: `sip:${kind}@gateway.example` });
  const final = await stack.fact(call, "sip.rejected", "sip.accepted", "sip.failed");
  if (final.kind !== "sip.accepted") return call;
  if (kind === "callee-hangs-up") await stack.fact(call, "sip.hungUp");
  if (kind === "caller-hangs-up") {
    stack.trunks.bye(call);
    await stack.fact(call, "sip.ended");
  }
  return call;
}

it("thirty calls over a line that loses a fifth all come to their proper end", async () => {
  const ports = { peer: 0 };
  const hop = await LossyHop.start(0.2, 20_261_122, () => ports.peer);
  closeLater(() => hop.close());
  const peer = await startPeer({ contactPort: hop.port });
  ports.peer = peer.port;
  const stack = await startStack(trunkSettings(hop.port), { timers: { t1Ms: T1_MS, t2Ms: 8 * T1_MS } });
  void forEver(async () => serve(peer, await peer.request("INVITE")));
  void forEver(async () => peer.reply(await peer.request("BYE"), 200));

  let unheard = 0;
  const lives = KINDS.flatMap((kind) => Array.from({ length: CALLS_OF_EACH }, () => live(stack, kind)));
  for (const call of await Promise.all(lives)) {
    const final = stack.kinds(call).filter((kind) => /accepted|rejected|failed/.test(kind));
    const end = stack.kinds(call).filter((kind) => /hungUp|ended/.test(kind));
    expect([final.length, end.length]).toEqual([1, final[0] === "sip.accepted" ? 1 : 0]);
    if (final[0] === "sip.failed") unheard += 1;
  }
  // Five copies of an INVITE and of its answers can all be lost: once in a hundred and fifty calls.
  expect(unheard).toBeLessThan(5);
  expect(hop.lost).toBeGreaterThan(30);
});
