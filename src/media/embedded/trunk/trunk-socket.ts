// RTP and RTCP with a trunk's media peer over UDP, plain or SRTP. Who is heard is decided in peer-lock.ts.
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import type { RemoteTrunk } from "../../../ports/media-engine.ts";
import { clockMs } from "../base/clock.ts";
import { PeerLock, type Networks, type PeerRules, type Target } from "./peer-lock.ts";
import { isRtcp, readRtp } from "../rtp/rtp-packet.ts";
import type { SrtpContext } from "./srtp.ts";
import type { DialogPlace } from "./dialog-media.ts";

/** Where the peer is, by its SDP. */
type TrunkPeer = Omit<RemoteTrunk, "keys">;

export interface TrunkKeys {
  readonly outbound: SrtpContext;
  readonly inbound: SrtpContext;
}

export interface TrunkReports {
  rtp(packet: Buffer): void;
  rtcp(packet: Buffer): void;
  /** First packet of a peer: where it really is. `before`: where it was heard until now. */
  learnt(now: Target, before: Target | undefined): void;
  /** The first packet of RTP from an address that neither SDP nor the configuration names. */
  stranger(from: Target): void;
}

/** RTCP comes that seldom (RFC 3550 s6.2), and twice as seldom at worst. */
const reportMs = 10_000;

/** Where the peer is, and where its RTP and RTCP have come from. */
type Peers = Pick<DialogPlace, "peer" | "rtp" | "rtcp">;

export class TrunkSocket {
  readonly #rtp: Socket;
  readonly #rtcp: Socket;
  readonly #reports: TrunkReports;
  /** A hold with 0.0.0.0 leaves them standing. */
  readonly #rtpLock: PeerLock;
  readonly #rtcpLock: PeerLock;
  #peer: TrunkPeer | undefined;
  /** Where a session before has sent to. */
  readonly #before: TrunkPeer | undefined;
  #keys: TrunkKeys | undefined;
  #foreign = 0;
  #forged = 0;
  #isStrangerTold = false;

  private constructor(
    rtp: Socket,
    rtcp: Socket,
    {
      networks,
      rules,
      before,
    }: { readonly networks: Networks; readonly rules: PeerRules; readonly before: Peers | undefined },
    reports: TrunkReports,
  ) {
    this.#rtp = rtp;
    this.#rtcp = rtcp;
    const nowMs = clockMs();
    this.#rtpLock = new PeerLock(networks, rules, nowMs, before?.rtp);
    const relearnMs = rules.relearnMs + reportMs;
    this.#rtcpLock = new PeerLock(networks, { ...rules, relearnMs }, nowMs, before?.rtcp);
    this.#before = before?.peer;
    this.#reports = reports;
    rtp.on("message", (packet, from) => this.#receive(packet, from));
    rtcp.on("message", (packet, from) => this.#receiveRtcp(packet, from));
    // A port unreachable from the peer comes back as an error of the socket: it ends nothing.
    rtp.on("error", ignore);
    rtcp.on("error", ignore);
  }

  /** Binds `port` and the next one; undefined if either is taken. */
  static async bind(
    host: string,
    port: number,
    networks: Networks,
    rules: PeerRules,
    reports: TrunkReports,
    before?: Peers,
  ): Promise<TrunkSocket | undefined> {
    const rtp = await bound(host, port);
    if (rtp === undefined) return undefined;
    const rtcp = await bound(host, port + 1);
    if (rtcp === undefined) {
      await closed(rtp);
      return undefined;
    }
    return new TrunkSocket(rtp, rtcp, { networks, rules, before }, reports);
  }

  /** Packets from strangers, dropped. */
  get foreign(): number {
    return this.#foreign;
  }

  /** Packets whose SRTP authentication failed, dropped. */
  get forged(): number {
    return this.#forged;
  }

  get peers(): Peers {
    return { peer: this.#peer ?? this.#before, rtp: this.#rtpLock.memory, rtcp: this.#rtcpLock.memory };
  }

  /** A new SDP: where the peer says it is, and under which keys. */
  aim(peer: TrunkPeer, keys: TrunkKeys | undefined): void {
    const { address, port, rtcpPort } = peer;
    if (address !== undefined) {
      this.#rtpLock.name({ address, port });
      this.#rtcpLock.name({ address, port: rtcpPort ?? 0 });
    }
    this.#peer = peer;
    this.#keys = keys;
  }

  /** Goes on sending to where the session before did. */
  resume(keys: TrunkKeys | undefined): void {
    if (this.#peer === undefined && this.#before !== undefined) this.aim(this.#before, keys);
  }

  sendRtp(packet: Buffer): boolean {
    const { target } = this.#rtpLock;
    if (this.#peer?.address === undefined || target === undefined) return false;
    const sealed = this.#keys === undefined ? packet : this.#keys.outbound.protectRtp(packet);
    this.#rtp.send(sealed, target.port, target.address, ignore);
    return true;
  }

  sendRtcp(packet: Buffer): void {
    if (this.#peer?.address === undefined) return;
    const sealed = this.#keys === undefined ? packet : this.#keys.outbound.protectRtcp(packet);
    const [socket, lock] = this.#peer.rtcpMux ? [this.#rtp, this.#rtpLock] : [this.#rtcp, this.#rtcpLock];
    const { target } = lock;
    if (target !== undefined && target.port > 0) socket.send(sealed, target.port, target.address, ignore);
  }

  async close(): Promise<void> {
    await Promise.all([closed(this.#rtp), closed(this.#rtcp)]);
  }

  #receive(packet: Buffer, from: RemoteInfo): void {
    const nowMs = clockMs();
    if (!this.#admits(this.#rtpLock, from, nowMs)) {
      this.#tellStranger(packet, from);
      return;
    }
    const isControl = isRtcp(packet);
    const clear = this.#open(packet, isControl);
    if (clear === undefined) return;
    if (isControl) {
      // It may come from a port of its own, so nothing is learnt from it.
      this.#reports.rtcp(clear);
      return;
    }
    const isKnown = this.#rtpLock.hasLearnt(from);
    // Nothing is learnt from noise. What the known peer sends is read elsewhere.
    if (isKnown || readRtp(clear) !== undefined) {
      const before = isKnown ? undefined : this.#rtpLock.memory.learnt;
      const heard = this.#rtpLock.learn(from, nowMs);
      if (heard === "unsure") return;
      if (heard === "news") this.#reports.learnt({ address: from.address, port: from.port }, before);
    }
    this.#reports.rtp(clear);
  }

  #receiveRtcp(packet: Buffer, from: RemoteInfo): void {
    const nowMs = clockMs();
    if (!this.#admits(this.#rtcpLock, from, nowMs)) return;
    const clear = isRtcp(packet) ? this.#open(packet, true) : undefined;
    if (clear === undefined || this.#rtcpLock.learn(from, nowMs) === "unsure") return;
    this.#reports.rtcp(clear);
  }

  #admits(lock: PeerLock, from: RemoteInfo, nowMs: number): boolean {
    const isAdmitted = lock.admits(from, nowMs);
    // Media may overtake the answer: that is no stranger's.
    if (!isAdmitted && lock.target !== undefined) this.#foreign += 1;
    return isAdmitted;
  }

  #tellStranger(packet: Buffer, { address, port }: RemoteInfo): void {
    if (this.#isStrangerTold || this.#rtpLock.target === undefined || this.#rtpLock.knows(address)) return;
    if (isRtcp(packet) || readRtp(packet) === undefined) return;
    this.#isStrangerTold = true;
    this.#reports.stranger({ address, port });
  }

  #open(packet: Buffer, isControl: boolean): Buffer | undefined {
    if (this.#keys === undefined) return packet;
    const clear = isControl ? this.#keys.inbound.openRtcp(packet) : this.#keys.inbound.openRtp(packet);
    if (clear === undefined) this.#forged += 1;
    return clear;
  }
}

function ignore(): void {
  // Nothing to do: the next packet tries again, and silence is noticed elsewhere.
}

async function bound(host: string, port: number): Promise<Socket | undefined> {
  const isIpv6 = isIPv6(host);
  const socket = createSocket({
    type: isIpv6 ? "udp6" : "udp4",
    // Addresses only: without this every single packet would go through a DNS look-up.
    lookup: (address, _options, found) => {
      const isMapped = isIpv6 && !isIPv6(address);
      found(null, isMapped ? `::ffff:${address}` : address, isIpv6 ? 6 : 4);
    },
  });
  return new Promise((resolve) => {
    socket.once("error", () => resolve(undefined));
    socket.bind(port, host, () => {
      socket.removeAllListeners("error");
      resolve(socket);
    });
  });
}

async function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.close(() => resolve());
  });
}

/** Can any pair of the range be bound now? */
export async function arePortsBindable(host: string, portMin: number, portMax: number): Promise<boolean> {
  for (let port = portMin + (portMin % 2); port + 1 <= portMax; port += 2) {
    const socket = await bound(host, port);
    if (socket === undefined) continue;
    await closed(socket);
    return true;
  }
  return false;
}
