// RTP and RTCP with a trunk's media peer over UDP, plain or SRTP. Symmetric RTP (RFC 4961) with a lock: the peer's
// port is learnt from its first packet, from an address the SDP or the configuration names and no other, and then
// nobody else is heard until a new SDP comes. Without that, anyone who finds the port could speak into the call, or
// have it sent to himself.
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import type { BlockList } from "node:net";
import { canonicalAddress } from "../../core/sdp/address.ts";
import { familyName, isWithin } from "./network.ts";
import { isRtcp, readRtp } from "./rtp-packet.ts";
import type { SrtpContext } from "./srtp.ts";

export interface TrunkPeer {
  /** Undefined: nothing is to be sent there now (hold in the old way). */
  readonly address: string | undefined;
  readonly port: number;
  /** Undefined: none is left after the highest RTP port. */
  readonly rtcpPort: number | undefined;
  readonly rtcpMux: boolean;
}

export interface TrunkKeys {
  readonly outbound: SrtpContext;
  readonly inbound: SrtpContext;
}

export interface TrunkReports {
  rtp(packet: Buffer): void;
  rtcp(packet: Buffer): void;
  /** First packet of a peer: where it really is. */
  learnt(address: string, port: number): void;
}

interface Target {
  readonly address: string;
  readonly port: number;
}

export class TrunkSocket {
  readonly #rtp: Socket;
  readonly #rtcp: Socket;
  readonly #networks: BlockList;
  readonly #reports: TrunkReports;
  #peer: TrunkPeer | undefined;
  #keys: TrunkKeys | undefined;
  /** What an SDP named last; a hold with 0.0.0.0 leaves it standing. */
  #named: Target | undefined;
  #learnt: Target | undefined;
  #learntRtcp: Target | undefined;
  #foreign = 0;
  #forged = 0;

  private constructor(rtp: Socket, rtcp: Socket, networks: BlockList, reports: TrunkReports) {
    this.#rtp = rtp;
    this.#rtcp = rtcp;
    this.#networks = networks;
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
    networks: BlockList,
    reports: TrunkReports,
  ): Promise<TrunkSocket | undefined> {
    const rtp = await bound(host, port);
    if (rtp === undefined) return undefined;
    const rtcp = await bound(host, port + 1);
    if (rtcp === undefined) {
      await closed(rtp);
      return undefined;
    }
    return new TrunkSocket(rtp, rtcp, networks, reports);
  }

  /** Packets from strangers, dropped. */
  get foreign(): number {
    return this.#foreign;
  }

  /** Packets whose SRTP authentication failed, dropped. */
  get forged(): number {
    return this.#forged;
  }

  /** A new SDP: where the peer says it is. The lock is kept only if it says the same as before. */
  aim(peer: TrunkPeer, keys: TrunkKeys | undefined): void {
    const isElsewhere = this.#named?.address !== peer.address || this.#named?.port !== peer.port;
    if (peer.address !== undefined && isElsewhere) {
      this.#learnt = undefined;
      this.#learntRtcp = undefined;
      this.#named = { address: peer.address, port: peer.port };
    }
    this.#peer = peer;
    this.#keys = keys;
  }

  sendRtp(packet: Buffer): boolean {
    const peer = this.#peer;
    if (peer?.address === undefined) return false;
    const { address, port } = this.#learnt ?? { address: peer.address, port: peer.port };
    this.#rtp.send(this.#keys === undefined ? packet : this.#keys.outbound.protectRtp(packet), port, address, ignore);
    return true;
  }

  sendRtcp(packet: Buffer): void {
    const peer = this.#peer;
    if (peer?.address === undefined) return;
    const sealed = this.#keys === undefined ? packet : this.#keys.outbound.protectRtcp(packet);
    if (peer.rtcpMux) {
      const { address, port } = this.#learnt ?? { address: peer.address, port: peer.port };
      this.#rtp.send(sealed, port, address, ignore);
      return;
    }
    const { address, port } = this.#learntRtcp ?? { address: peer.address, port: peer.rtcpPort };
    if (port !== undefined) this.#rtcp.send(sealed, port, address, ignore);
  }

  async close(): Promise<void> {
    await Promise.all([closed(this.#rtp), closed(this.#rtcp)]);
  }

  #receive(packet: Buffer, from: RemoteInfo): void {
    const isControl = isRtcp(packet);
    // The very place that the SDP names is right even after another was learnt: late packets of the place before, or of
    // another call of the same gateway, may have come first.
    const isNamed = this.#named?.port === from.port && this.#named.address === canonicalAddress(from.address);
    if (!isNamed && !this.#isFrom(this.#learnt, from)) {
      // Media may overtake the answer: that is no stranger's.
      if (this.#named !== undefined) this.#foreign += 1;
      return;
    }
    const clear = this.#open(packet, isControl);
    if (clear === undefined) return;
    // Not from RTCP, which may come from a port of its own.
    const isElsewhere = this.#learnt?.port !== from.port || this.#learnt.address !== from.address;
    if (isElsewhere && !isControl && readRtp(clear) !== undefined) {
      this.#learnt = { address: from.address, port: from.port };
      this.#reports.learnt(from.address, from.port);
    }
    if (isControl) this.#reports.rtcp(clear);
    else this.#reports.rtp(clear);
  }

  #receiveRtcp(packet: Buffer, from: RemoteInfo): void {
    if (!this.#isFrom(this.#learntRtcp, from)) {
      this.#foreign += 1;
      return;
    }
    const clear = isRtcp(packet) ? this.#open(packet, true) : undefined;
    if (clear === undefined) return;
    this.#learntRtcp ??= { address: from.address, port: from.port };
    this.#reports.rtcp(clear);
  }

  #open(packet: Buffer, isControl: boolean): Buffer | undefined {
    if (this.#keys === undefined) return packet;
    const clear = isControl ? this.#keys.inbound.openRtcp(packet) : this.#keys.inbound.openRtp(packet);
    if (clear === undefined) this.#forged += 1;
    return clear;
  }

  #isFrom(learnt: Target | undefined, from: RemoteInfo): boolean {
    if (learnt !== undefined) return learnt.port === from.port && learnt.address === from.address;
    if (this.#named === undefined) return false;
    return canonicalAddress(from.address) === this.#named.address || isWithin(this.#networks, from.address);
  }
}

function ignore(): void {
  // Nothing to do: the next packet tries again, and silence is noticed elsewhere.
}

async function bound(host: string, port: number): Promise<Socket | undefined> {
  const isIpv6 = familyName(host) === "ipv6";
  const socket = createSocket({
    type: isIpv6 ? "udp6" : "udp4",
    // Addresses only: without this every single packet would go through a DNS look-up.
    lookup: (address, _options, found) => {
      const isMapped = isIpv6 && familyName(address) === "ipv4";
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
