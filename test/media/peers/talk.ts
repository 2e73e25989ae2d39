// A call that is up: client and gateway connected through an engine, both with their tones on.
import { ClientPeer, type ClientPeerOptions } from "./client-peer.ts";
import type { OpenSession, Rig } from "./rig.ts";
import type { Scope } from "./scope.ts";
import { TrunkPeer, type TrunkPeerOptions } from "./trunk-peer.ts";
import type { MediaSession, TrunkMedia } from "../../../src/ports/media.ts";

export interface Talk extends OpenSession {
  readonly client: ClientPeer;
  readonly trunk: TrunkPeer;
  /** Our offer to the gateway. */
  readonly trunkOffer: string;
  /** Our answer to the client. */
  readonly clientAnswer: string;
}

export interface TalkOptions {
  readonly client?: Partial<ClientPeerOptions>;
  readonly trunk?: Partial<TrunkPeerOptions>;
  readonly media?: Partial<TrunkMedia>;
  /** Words of the gateway's answer. */
  readonly answer?: Parameters<TrunkPeer["sdp"]>[0];
  readonly speak?: boolean;
}

export const clientHz = 440;
export const trunkHz = 1000;
export const bothHz = [clientHz, trunkHz];

export async function startTalk(rig: Rig, scope: Scope, options: TalkOptions = {}): Promise<Talk> {
  const client = new ClientPeer({ hz: clientHz, ...options.client });
  scope.add(() => client.close());
  const trunk = await TrunkPeer.open({ hz: trunkHz, ...options.trunk });
  scope.add(async () => trunk.close());
  const open = await rig.open(options.media);
  scope.add(async () => open.session.close());
  const outcome = await open.session.offer("a", await client.offer());
  trunk.aim(outcome.description);
  const clientAnswer = await open.session.answer("b", trunk.sdp(options.answer));
  await connect(client, open.session, clientAnswer);
  await open.fact("media.connected");
  if (options.speak !== false) {
    client.speak();
    trunk.speak();
  }
  return { ...open, client, trunk, trunkOffer: outcome.description, clientAnswer };
}

/** The client takes our answer, tells its candidates, and is connected. */
export async function connect(client: ClientPeer, session: MediaSession<string>, answer: string): Promise<void> {
  client.answered(answer);
  session.addCandidates(client.candidates());
  await client.connected();
}
