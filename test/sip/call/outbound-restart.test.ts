// The bridge is killed in the middle of a call and started again: what the store kept is enough to end it.
import { describe, expect, it } from "vitest";
import type { SipDialogState, SipInviteState } from "../../../src/core/call/model/dialog-state.ts";
import { callId } from "../../../src/core/ids.ts";
import { textHeader } from "../../../src/sip/wire/header-builder.ts";
import type { SipRequest } from "../../../src/sip/wire/message.ts";
import type { Peer, Received } from "../rig/peer.ts";
import { standStill, startPeer, startStack, TRANSACTION_MS } from "../rig/rig.ts";
import { ANSWER, OFFER, Stack, trunkSettings } from "../rig/stack.ts";

const call = callId("c-restored");

/** A call that is up when its bridge disappears: what the peer knows of it, and what the store kept. */
async function orphan(peer: Peer): Promise<{ invite: Received<SipRequest>; dialog: SipDialogState }> {
  const before = await Stack.start(trunkSettings(peer.port));
  const first = before.invite();
  const invite = await peer.request("INVITE");
  peer.reply(invite, 200, { sdp: ANSWER });
  const { dialog } = await before.fact(first, "sip.accepted");
  await peer.request("ACK");
  await before.stop();
  // Through the store and back.
  return { invite, dialog: JSON.parse(JSON.stringify(dialog)) as SipDialogState };
}

async function after(peer: Peer, port: number): Promise<Stack> {
  return startStack(trunkSettings(peer.port, { local: { host: "127.0.0.1", port, advertised: undefined } }));
}

describe("a call that was up", () => {
  it("is ended with a BYE that the peer accepts", async () => {
    const peer = await startPeer();
    const { invite, dialog } = await orphan(peer);
    const stack = await after(peer, dialog.localAddress.port);
    stack.trunks.resume(call, dialog);
    stack.trunks.bye(call, 41);
    const bye = await peer.request("BYE");
    expect(bye.message.sipCallId).toBe(invite.message.sipCallId);
    expect(bye.message.fromTag).toBe(invite.message.fromTag);
    expect(bye.message.toTag).toBe("peer-tag");
    expect(bye.message.uriText).toBe(`sip:peer@127.0.0.1:${peer.port}`);
    expect(bye.message.cseq.number).toBeGreaterThan(invite.message.cseq.number);
    peer.reply(bye, 200);
    await stack.fact(call, "sip.ended");
  });

  it("is ended by the peer, who gets a 200", async () => {
    const peer = await startPeer();
    const { invite, dialog } = await orphan(peer);
    const stack = await after(peer, dialog.localAddress.port);
    stack.trunks.resume(call, dialog);
    peer.inDialog(invite, "BYE", 1);
    expect((await peer.response("BYE")).message.statusCode).toBe(200);
    await stack.fact(call, "sip.hungUp");
  });

  it("can still be held", async () => {
    const peer = await startPeer();
    const { dialog } = await orphan(peer);
    const stack = await after(peer, dialog.localAddress.port);
    stack.trunks.resume(call, dialog);
    stack.trunks.reoffer(call, OFFER);
    peer.reply(await peer.request("INVITE"), 200, { sdp: ANSWER });
    expect((await stack.fact(call, "sip.reanswered")).description).toBe(ANSWER);
    await peer.request("ACK");
  });

  it("goes through the proxies it came through", async () => {
    const peer = await startPeer();
    const before = await Stack.start(trunkSettings(peer.port));
    const first = before.invite();
    const invite = await peer.request("INVITE");
    const proxy = `sip:127.0.0.1:${peer.port};lr`;
    const headers = [
      textHeader("Record-Route", `<${proxy};hop=far>`),
      textHeader("Record-Route", `<${proxy};hop=near>`),
    ];
    peer.reply(invite, 200, { sdp: ANSWER, headers });
    const { dialog } = await before.fact(first, "sip.accepted");
    await before.stop();
    expect(dialog.routeSet).toEqual([`<${proxy};hop=near>`, `<${proxy};hop=far>`]);
    const stack = await after(peer, dialog.localAddress.port);
    stack.trunks.resume(call, dialog);
    stack.trunks.bye(call);
    const bye = await peer.request("BYE");
    expect(bye.message.routes.map(({ uri }) => uri)).toHaveLength(2);
    expect(bye.text.indexOf("hop=near")).toBeLessThan(bye.text.indexOf("hop=far"));
  });
});

describe("an INVITE that was on its way", () => {
  async function ringing(peer: Peer): Promise<{ invite: Received<SipRequest>; state: SipInviteState }> {
    const before = await Stack.start(trunkSettings(peer.port));
    const first = before.invite();
    const invite = await peer.request("INVITE");
    peer.reply(invite, 180);
    const { invite: state } = await before.fact(first, "sip.sent");
    await before.fact(first, "sip.ringing");
    await before.stop();
    return { invite, state: JSON.parse(JSON.stringify(state)) as SipInviteState };
  }

  it("is cancelled, and its 487 acknowledged", async () => {
    const peer = await startPeer();
    const { invite, state } = await ringing(peer);
    const stack = await after(peer, state.localAddress.port);
    stack.trunks.abandon(call, state);
    const cancel = await peer.request("CANCEL");
    for (const field of ["sipCallId", "fromTag", "uriText"] as const) {
      expect(cancel.message[field]).toBe(invite.message[field]);
    }
    expect(cancel.message.vias[0]).toEqual(invite.message.vias[0]);
    expect(cancel.message.cseq.number).toBe(invite.message.cseq.number);
    peer.reply(cancel, 200);
    peer.reply(invite, 487);
    const ack = await peer.request("ACK");
    expect(ack.message.vias[0].branch).toBe(invite.message.vias[0].branch);
    await stack.fact(call, "sip.ended");
  });

  it("is answered all the same: acknowledged and ended", async () => {
    const peer = await startPeer();
    const { invite, state } = await ringing(peer);
    const stack = await after(peer, state.localAddress.port);
    stack.trunks.abandon(call, state);
    peer.reply(await peer.request("CANCEL"), 200);
    peer.reply(invite, 200, { sdp: ANSWER });
    const ack = await peer.request("ACK");
    expect(ack.message.toTag).toBe("peer-tag");
    expect(ack.message.vias[0].branch).not.toBe(invite.message.vias[0].branch);
    const bye = await peer.request("BYE");
    expect(bye.message.cseq.number).toBeGreaterThan(invite.message.cseq.number);
    peer.reply(bye, 200);
    await stack.fact(call, "sip.ended");
  });

  it("is not known to the peer any more", async () => {
    const peer = await startPeer();
    const { state } = await ringing(peer);
    const stack = await after(peer, state.localAddress.port);
    stack.trunks.abandon(call, state);
    peer.reply(await peer.request("CANCEL"), 481);
    await stack.fact(call, "sip.ended");
  });

  it("is cancelled at a peer that is gone: over after 64*T1", async () => {
    const peer = await startPeer();
    const { state } = await ringing(peer);
    const pass = standStill();
    const stack = await after(peer, state.localAddress.port);
    stack.trunks.abandon(call, state);
    await peer.request("CANCEL");
    pass(TRANSACTION_MS);
    await stack.fact(call, "sip.ended");
    await expect.poll(() => peer.count("CANCEL")).toBe(11);
  });
});
