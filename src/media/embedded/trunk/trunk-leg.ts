// A leg towards a trunk: RTP or SDES-SRTP on a port pair of ours.
import { addressFamily, within } from "../../../core/address/ip.ts";
import type { LocalTrunk, RemoteTrunk } from "../../../ports/media-engine.ts";
import type { TrunkMedia } from "../../../ports/media.ts";
import type { Leg, LegReports } from "../base/leg.ts";
import type { WorkerSettings } from "../base/settings.ts";
import type { DialogMedia, DialogPlace, SrtpMarks } from "./dialog-media.ts";
import type { Target } from "./peer-lock.ts";
import { SrtpContexts } from "./srtp-contexts.ts";
import { TrunkSocket } from "./trunk-socket.ts";

/** Longer than any jitter, and short enough to be taken for a bad line. */
const defaultRelearnMs = 1000;

export class TrunkLeg implements Leg {
  readonly local: LocalTrunk;
  readonly #socket: TrunkSocket;
  readonly #reports: LegReports;
  readonly #contexts: SrtpContexts;
  #isConnected = false;

  private constructor(
    socket: TrunkSocket,
    { host, advertisedHost }: WorkerSettings["rtp"],
    port: number,
    reports: LegReports,
    before: DialogMedia | undefined,
  ) {
    this.#socket = socket;
    this.local = { address: advertisedHost, port, family: host === "::" ? undefined : addressFamily(host) };
    this.#reports = reports;
    this.#contexts = new SrtpContexts(before?.place.keys, before?.sent.srtp);
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
    const allowed = within(media.rtpNetworks);
    const socket = await TrunkSocket.bind(rtp.host, port, allowed, rules, hears, before?.place);
    return socket === undefined ? undefined : new TrunkLeg(socket, rtp, port, reports, before);
  }

  /** What the dialog's next session has to know. */
  get place(): Omit<DialogPlace, "heard"> {
    return { keys: this.#contexts.pair, ...this.#socket.peers };
  }

  get srtp(): SrtpMarks | undefined {
    return this.#contexts.marks;
  }

  /** It has answered, or was answered: whether its packets arrive shows later. */
  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** A new SDP of the peer. */
  aim({ keys, ...peer }: RemoteTrunk): void {
    this.#socket.aim(peer, keys && this.#contexts.adopt(keys));
    if (this.#isConnected) return;
    this.#isConnected = true;
    this.#reports.connected();
  }

  /** What a session before has said of its peer still holds. */
  resume(): void {
    this.#socket.resume(this.#contexts.keys);
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
}
