// A leg towards a trunk: RTP or SDES-SRTP on a port pair of ours, and the SDP that goes with it.
import { addressFamily, type AddressFamily } from "../../../core/sdp/address.ts";
import { isMalformed, parseDescription, type Description } from "../../../core/sdp/description.ts";
import type { AnswerTurn, OfferTurn } from "../../../core/sdp/turn.ts";
import { isTrunkProtocol, trunkUnmet } from "../../../core/sdp/requirement.ts";
import { MediaError, type TrunkMedia } from "../../../ports/media.ts";
import type { Leg, LegReports } from "../leg.ts";
import { networks } from "../cidr.ts";
import type { Target } from "./peer-lock.ts";
import type { WorkerSettings } from "../protocol.ts";
import { SdesKeys } from "./sdes-keys.ts";
import { TrunkSdp } from "../leg-sdp.ts";
import type { DialogMedia, DialogTold, SrtpMarks } from "./dialog-media.ts";
import { TrunkSocket, type TrunkKeys } from "./trunk-socket.ts";

/** Longer than any jitter, and short enough to be taken for a bad line. */
const defaultRelearnMs = 1000;

export class TrunkLeg implements Leg {
  readonly #socket: TrunkSocket;
  readonly #media: TrunkMedia;
  /** Of the addresses that our socket reaches; undefined: all. */
  readonly #family: AddressFamily | undefined;
  readonly #reports: LegReports;
  readonly #keyring: SdesKeys | undefined;
  readonly #text: TrunkSdp;
  /** The peer's last word has rtcp-mux. */
  #isMuxed = false;
  #isConnected = false;

  private constructor(
    socket: TrunkSocket,
    media: TrunkMedia,
    { host, advertisedHost }: WorkerSettings["rtp"],
    port: number,
    reports: LegReports,
    before: DialogMedia | undefined,
  ) {
    this.#socket = socket;
    this.#media = media;
    this.#family = host === "::" ? undefined : addressFamily(host);
    this.#reports = reports;
    this.#keyring = media.srtp === "required" ? new SdesKeys(before?.told.keys, before?.sent.srtp) : undefined;
    this.#text = new TrunkSdp(advertisedHost, port, before?.told.sdp);
  }

  /** On `port` and the next one; undefined if either is taken. `before`: the dialog has had a session already. */
  static async open(
    rtp: WorkerSettings["rtp"],
    port: number,
    media: TrunkMedia,
    reports: LegReports,
    before?: DialogMedia,
  ): Promise<TrunkLeg | undefined> {
    const hears = {
      rtp: (packet: Buffer): void => reports.rtp(packet),
      rtcp: (packet: Buffer): void => reports.rtcp(packet),
      learnt: (now: Target, earlier: Target | undefined): void =>
        earlier === undefined
          ? reports.log("debug", "learnt the trunk's RTP address", { ...now })
          : reports.log("info", "trunk's RTP comes from another port now", { trunk: media.trunk, ...now, earlier }),
      stranger: (from: Target): void =>
        reports.log("warn", "RTP dropped: it comes from an address that SDP did not name", {
          trunk: media.trunk,
          ...from,
          setting: "media.rtp_networks",
        }),
    };
    const rules = { peer: media.rtpPeer ?? "lock", relearnMs: media.relearnMs ?? defaultRelearnMs };
    const allowed = networks(media.rtpNetworks);
    const socket = await TrunkSocket.bind(rtp.host, port, allowed, rules, hears, before?.told);
    return socket === undefined ? undefined : new TrunkLeg(socket, media, rtp, port, reports, before);
  }

  /** What the dialog's next session has to know. */
  get told(): DialogTold {
    return { sdp: this.#text.memory, keys: this.#keyring?.memory, ...this.#socket.peers };
  }

  get srtp(): SrtpMarks | undefined {
    return this.#keyring?.marks;
  }

  /** It has answered, or was answered: whether its packets arrive shows later. */
  get isConnected(): boolean {
    return this.#isConnected;
  }

  read(sdp: string): Description {
    const description = parseDescription(sdp, (protocol) => isTrunkProtocol(protocol, this.#media.srtp));
    if (isMalformed(description)) throw new MediaError("bad-description", description.problem);
    const { audio } = description;
    const unmet = trunkUnmet(audio, this.#media.srtp);
    if (unmet !== undefined) throw new MediaError(unmet.fault, unmet.message);
    const family = audio.address === undefined ? undefined : addressFamily(audio.address);
    if (family !== undefined && this.#family !== undefined && family !== this.#family)
      throw new MediaError("bad-description", `an IPv${family} address, and our RTP is bound to IPv${this.#family}`);
    return description;
  }

  async write(turn: OfferTurn | AnswerTurn): Promise<string> {
    if (turn.kind === "offer") {
      // Made by ourselves it may go to somebody else, who must not have to guess how far the old keys have come.
      if (turn.exchange.offered?.behind === undefined) this.#keyring?.renew();
      return this.#text.write(turn, this.#keyring?.offer);
    }
    const accepted = this.#keyring?.accept(turn.offer.audio.crypto);
    const text = this.#text.write(turn, accepted === undefined ? undefined : [accepted.line]);
    this.#aim(turn.offer, accepted?.keys, true);
    return text;
  }

  prepare(): void {
    // The ports are there from the beginning.
  }

  take(answer: Description): () => void {
    const keys = this.#keyring?.answered(answer.audio.crypto);
    // We never begin with rtcp-mux, so an answer may only keep what an offer of the trunk brought.
    return () => {
      this.#text.answered(answer);
      this.#aim(answer, keys, this.#isMuxed);
    };
  }

  rollBack(): void {
    // An offer of ours that is not answered has changed nothing here.
  }

  addCandidates(): void {
    // RTP without ICE has none.
  }

  sendRtp(packet: Buffer): boolean {
    return this.#socket.sendRtp(packet);
  }

  sendRtcp(packet: Buffer): void {
    this.#socket.sendRtcp(packet);
  }

  async close(): Promise<void> {
    const { foreign, forged } = this.#socket;
    if (foreign > 0 || forged > 0) this.#reports.log("warn", "dropped packets of strangers", { foreign, forged });
    await this.#socket.close();
  }

  #aim(description: Description, keys: TrunkKeys | undefined, mayMux: boolean): void {
    const { address, port, rtcpPort, rtcpMux } = description.audio;
    const nextPort = port < 65_535 ? port + 1 : undefined;
    this.#isMuxed = mayMux && rtcpMux;
    this.#socket.aim({ address, port, rtcpPort: rtcpPort ?? nextPort, rtcpMux: this.#isMuxed }, keys);
    if (this.#isConnected) return;
    this.#isConnected = true;
    this.#reports.connected();
  }
}
