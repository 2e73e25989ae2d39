// A WebRTC client's end: DTLS-SRTP with ICE. Where a client is found, and by which transport, is the engine's affair.
import type { MediaDescription } from "../../core/media-description.ts";
import type { MediaEnd } from "../../core/media-end.ts";
import { isMalformed, parseDescription, type Description } from "../../core/sdp/description.ts";
import { isSameEnd, webRtcEnd, type WebRtcEnd } from "../../core/sdp/exchange/requirement.ts";
import type { AnswerTurn, OfferTurn } from "../../core/sdp/exchange/turn.ts";
import type { EngineSession, RemoteClient } from "../../ports/media-engine.ts";
import { MediaError } from "../../ports/media.ts";
import { ClientSdp } from "./leg-sdp.ts";
import { sdpOf, type NegotiatedEnd, type Reply, type Wording } from "./negotiated-end.ts";

export class ClientNegotiation implements NegotiatedEnd {
  readonly #engine: EngineSession;
  readonly #end: MediaEnd;
  readonly #sdp = new ClientSdp();
  /** The client's end, once it is known. */
  #remote: WebRtcEnd | undefined;

  constructor(engine: EngineSession, end: MediaEnd) {
    this.#engine = engine;
    this.#end = end;
  }

  async read(said: MediaDescription): Promise<Description> {
    const description = parseDescription(sdpOf(said));
    if (isMalformed(description)) throw new MediaError("bad-description", description.problem);
    remoteOf(description);
    return description;
  }

  async write(turn: OfferTurn | AnswerTurn): Promise<Wording> {
    if (turn.kind === "offer") return { sdp: this.#sdp.write(turn, await this.#engine.offered(this.#end)) };
    const remote = remoteOf(turn.offer);
    const local = await this.#engine.accept(this.#end, remote);
    this.#remote = remote;
    return { sdp: this.#sdp.write(turn, local) };
  }

  prepare(offer: Description): void {
    if (this.#remote === undefined) this.#engine.prepare(this.#end, remoteOf(offer));
  }

  arrive(): undefined {
    return undefined;
  }

  take(answer: Description): Reply {
    const remote = remoteOf(answer);
    if (this.#remote === undefined) {
      if (remote.setup === "actpass") throw new MediaError("bad-description", "an answer must choose a DTLS role");
      return { remote: { kind: "client", ...remote }, taken: () => (this.#remote = remote) };
    }
    if (!isSameEnd(this.#remote, remote))
      throw new MediaError("bad-description", "an answer may not restart ICE by itself");
    return { remote: undefined, taken: () => undefined };
  }
}

function remoteOf(description: Description): RemoteClient {
  const end = webRtcEnd(description.audio);
  if ("fault" in end) throw new MediaError(end.fault, end.message);
  return { ...end, candidates: description.audio.candidates };
}
