// Every fifth datagram is lost, both ways, while the trunk calls: every call comes to its proper end, once.
import { expect, it } from "vitest";
import type { CallId } from "../../../src/core/ids.ts";
import type { SipResponse } from "../../../src/sip/wire/message.ts";
import { Caller, type PlacedCall } from "../rig/caller.ts";
import { LossyHop } from "../rig/lossy-hop.ts";
import type { Peer, Received } from "../rig/peer.ts";
import { closeLater, startPeer, startStack } from "../rig/rig.ts";
import { ANSWER, trunkSettings, type Stack } from "../rig/stack.ts";

const T1_MS = 100;
/** Who ends the call; the number that is called says it to the stack. */
const KINDS = ["busy", "callee-hangs-up", "caller-hangs-up"] as const;
type Kind = (typeof KINDS)[number];
const CALLS_OF_EACH = 7;

/** What the peer has heard of that call so far. */
function heard(peer: Peer, placed: PlacedCall, method: string, from = 100): Received<SipResponse>[] {
  return peer.log.filter(
    (received): received is Received<SipResponse> =>
      placed.owns(received.message) && received.message.cseq.method === method && received.message.statusCode >= from,
  );
}

/** Sends again what is not answered, and an ACK for each final response, as the timers of a telephone would. */
function live(peer: Peer, placed: PlacedCall, kind: Kind): void {
  let acknowledged = 0;
  const tick = (): void => {
    if (heard(peer, placed, "INVITE").length === 0) placed.again();
    const finals = heard(peer, placed, "INVITE", 200);
    for (const final of finals.slice(acknowledged)) placed.ack(final);
    acknowledged = finals.length;
    const [answer] = finals;
    const wantsBye = kind === "caller-hangs-up" && answer !== undefined && answer.message.statusCode === 200;
    if (wantsBye && heard(peer, placed, "BYE").length === 0) placed.inDialog(answer, "BYE", 2);
  };
  const timer = setInterval(tick, T1_MS / 4);
  closeLater(() => Promise.resolve(clearInterval(timer)));
}

async function serve(stack: Stack, handled: Map<CallId, string>): Promise<never> {
  for (;;) {
    const { call, called } = await stack.arrival();
    handled.set(call, called);
    if (called === "busy") stack.trunks.reject(call, 486);
    else {
      stack.trunks.ring(call, 180);
      stack.trunks.accept(call, ANSWER);
      if (called === "callee-hangs-up") stack.trunks.bye(call);
    }
  }
}

it("twenty-one calls over a line that loses a fifth all come to their proper end", async () => {
  const ports = { peer: 0, stack: 0 };
  const hop = await LossyHop.start(0.2, 20_261_122, () => ports.peer);
  closeLater(() => hop.close());
  const peer = await startPeer({ contactPort: hop.port, options: 200 });
  ports.peer = peer.port;
  const timers = { t1Ms: T1_MS, t2Ms: 8 * T1_MS };
  const stack = await startStack(trunkSettings(hop.port, { optionsIntervalMs: 3_600_000 }), { timers });
  await expect.poll(() => peer.log.length).toBeGreaterThan(0);
  const caller = new Caller(peer, (bytes) => peer.log[0]?.flow.send(bytes));
  const handled = new Map<CallId, string>();
  void serve(stack, handled);
  void (async () => {
    for (;;) peer.reply(await peer.request("BYE"), 200);
  })();

  for (const kind of KINDS) {
    for (let count = 0; count < CALLS_OF_EACH; count++) {
      live(peer, caller.invite({ uri: `sip:${kind}@us.example` }), kind);
    }
  }
  const over = (call: CallId): boolean => stack.kinds(call).some((kind) => /ended|hungUp/.test(kind));
  await stack.until(() => handled.size === KINDS.length * CALLS_OF_EACH && [...handled.keys()].every(over));
  for (const [call, kind] of handled) {
    expect(stack.kinds(call)).toEqual([kind === "caller-hangs-up" ? "sip.hungUp" : "sip.ended"]);
  }
  expect(hop.lost).toBeGreaterThan(20);
});
