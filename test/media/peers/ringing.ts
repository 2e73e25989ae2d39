// A call from the trunk as far as it rings, and what makes it a talk: the client's answer.
import { ClientPeer, type ClientPeerOptions } from "./client-peer.ts";
import type { OpenSession, Rig } from "./rig.ts";
import type { Scope } from "./scope.ts";
import { clientHz, trunkHz, type Talk } from "./talk.ts";
import { TrunkPeer } from "./trunk-peer.ts";
import type { TrunkMedia } from "../../../src/ports/media.ts";

export interface RingOptions {
  readonly client?: Partial<ClientPeerOptions>;
  readonly media?: Partial<TrunkMedia>;
  /** Words of the gateway's offer. */
  readonly offer?: Parameters<TrunkPeer["sdp"]>[0];
}

export interface Ringing extends OpenSession {
  readonly client: ClientPeer;
  readonly trunk: TrunkPeer;
  /** What the client is offered. */
  readonly sdp: string;
}

export async function startRinging(rig: Rig, scope: Scope, options: RingOptions = {}): Promise<Ringing> {
  const trunk = await TrunkPeer.open({ hz: trunkHz });
  scope.add(async () => trunk.close());
  const client = new ClientPeer({ hz: clientHz, ...options.client });
  scope.add(() => client.close());
  const open = await rig.open(options.media);
  scope.add(async () => open.session.close());
  const { description: sdp } = await open.session.offer("b", trunk.sdp(options.offer));
  return { ...open, client, trunk, sdp };
}

/** The client answers at once, and both speak. */
export async function pickUp(ringing: Ringing): Promise<Talk> {
  const { client, trunk, session, sdp } = ringing;
  const trunkAnswer = await session.answer("a", await client.answer(sdp));
  trunk.aim(trunkAnswer);
  session.addCandidates(client.candidates());
  await client.connected();
  client.speak();
  trunk.speak();
  return { ...ringing, trunkOffer: trunkAnswer, clientAnswer: sdp };
}
