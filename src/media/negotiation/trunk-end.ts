// A trunk's end: RTP, or SRTP keyed in SDP. What its dialog has been told outlives the session (TrunkDialog), so that the
// next one goes on where this one stops.
import { addressFamily } from "../../core/address/ip.ts";
import type { MediaDescription } from "../../core/media-description.ts";
import { isMalformed, parseDescription, type Description } from "../../core/sdp/description.ts";
import { isTrunkProtocol, trunkUnmet } from "../../core/sdp/exchange/requirement.ts";
import type { AnswerTurn, OfferTurn } from "../../core/sdp/exchange/turn.ts";
import type { LocalTrunk, RemoteEnd, SdesKeyPair } from "../../ports/media-engine.ts";
import { MediaError, type TrunkMedia } from "../../ports/media.ts";
import { withAddresses } from "./host-names.ts";
import { TrunkSdp } from "./leg-sdp.ts";
import { sdpOf, type NegotiatedEnd, type Reply, type Wording } from "./negotiated-end.ts";
import { SdesKeys } from "./sdes-keys.ts";

/** What a trunk's dialog has been told until now. Neither its peer's decoder nor its SDP parser notices another session. */
export class TrunkDialog {
  readonly sdp = new TrunkSdp();
  readonly keys: SdesKeys | undefined;

  constructor({ srtp }: TrunkMedia) {
    this.keys = srtp === "required" ? new SdesKeys() : undefined;
  }
}

export class TrunkNegotiation implements NegotiatedEnd {
  readonly #media: TrunkMedia;
  readonly #local: LocalTrunk;
  readonly #dialog: TrunkDialog;
  /** The peer's last word has rtcp-mux. */
  #isMuxed = false;

  constructor(media: TrunkMedia, local: LocalTrunk, dialog: TrunkDialog) {
    this.#media = media;
    this.#local = local;
    this.#dialog = dialog;
  }

  /** A trunk may name a host; a client's address is never looked up. */
  async read(said: MediaDescription): Promise<Description> {
    const { srtp } = this.#media;
    const description = parseDescription(await withAddresses(sdpOf(said)), (protocol) =>
      isTrunkProtocol(protocol, srtp),
    );
    if (isMalformed(description)) throw new MediaError("bad-description", description.problem);
    const { audio } = description;
    const unmet = trunkUnmet(audio, srtp);
    if (unmet !== undefined) throw new MediaError(unmet.fault, unmet.message);
    const family = audio.address === undefined ? undefined : addressFamily(audio.address);
    const { family: ours } = this.#local;
    if (family !== undefined && ours !== undefined && family !== ours)
      throw new MediaError("bad-description", `an IPv${family} address, and our RTP is bound to IPv${ours}`);
    return description;
  }

  async write(turn: OfferTurn | AnswerTurn): Promise<Wording> {
    const { keys, sdp } = this.#dialog;
    if (turn.kind === "offer") {
      // Made by ourselves it may go to somebody else, who must not have to guess how far the old keys have come.
      if (turn.exchange.offered?.behind === undefined) keys?.renew();
      return { sdp: sdp.write(turn, this.#local, keys?.offer) };
    }
    const accepted = keys?.accept(turn.offer.audio.crypto);
    const text = sdp.write(turn, this.#local, accepted === undefined ? undefined : [accepted.line]);
    this.#isMuxed = turn.offer.audio.rtcpMux;
    return { sdp: text, remote: remoteOf(turn.offer, accepted?.keys, this.#isMuxed) };
  }

  prepare(): void {
    // The ports are there from the beginning.
  }

  arrive(): "there" | undefined {
    return this.#dialog.sdp.numbers.length > 0 ? "there" : undefined;
  }

  take(answer: Description): Reply {
    const keys = this.#dialog.keys?.answered(answer.audio.crypto);
    // We never begin with rtcp-mux, so an answer may only keep what an offer of the trunk brought.
    const isMuxed = this.#isMuxed && answer.audio.rtcpMux;
    return {
      remote: remoteOf(answer, keys, isMuxed),
      taken: () => {
        this.#isMuxed = isMuxed;
        this.#dialog.sdp.answered(answer);
      },
    };
  }
}

function remoteOf({ audio }: Description, keys: SdesKeyPair | undefined, rtcpMux: boolean): RemoteEnd {
  const { address, port, rtcpPort } = audio;
  const nextPort = port < 65_535 ? port + 1 : undefined;
  return { kind: "trunk", address, port, rtcpPort: rtcpPort ?? nextPort, rtcpMux, keys };
}
