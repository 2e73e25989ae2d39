// A call that has been answered, and its end, as most tests of what happens in between need them.
import type { CallId } from "../../../src/core/ids.ts";
import type { SipRequest } from "../../../src/sip/wire/message.ts";
import type { Peer, Received } from "./peer.ts";
import type { Rig } from "./rig.ts";
import { ANSWER, type Stack } from "./stack.ts";

export interface Answered {
  readonly call: CallId;
  readonly invite: Received<SipRequest>;
}

export async function answered({ peer, stack }: Rig): Promise<Answered> {
  const call = stack.invite();
  const invite = await peer.request("INVITE");
  peer.reply(invite, 200, { sdp: ANSWER });
  await stack.fact(call, "sip.accepted");
  await peer.request("ACK");
  return { call, invite };
}

export async function hangUp(peer: Peer, stack: Stack, call: CallId): Promise<Received<SipRequest>> {
  stack.trunks.bye(call);
  const bye = await peer.request("BYE");
  peer.reply(bye, 200);
  await stack.fact(call, "sip.ended");
  return bye;
}
