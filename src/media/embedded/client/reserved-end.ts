// Our end of an association that a client has been offered and has not yet accepted: credentials, certificate and a port
// that is only held. ICE and DTLS begin with the client's answer. libdatachannel must not see a check before: it would
// connect while it takes the answer, and fail the handshake because it does not know the fingerprint yet.
import { randomBytes } from "node:crypto";
import type { Socket } from "node:dgram";
import { networkInterfaces } from "node:os";
import { addressFamily, isUnspecified } from "../../../core/address/ip.ts";
import type { Candidate } from "../../../core/sdp/candidate.ts";
import type { IceServer } from "../../../ports/media.ts";
import { newCertificate } from "./certificate.ts";
import type { Identity, LocalEnd } from "./client-transport.ts";
import { holdPort } from "../base/held-port.ts";
import { nativeIceServers } from "../base/ice-servers.ts";
import type { WorkerSettings } from "../base/settings.ts";
import { mappedAddress } from "./stun.ts";

const stunTimeoutMs = 2000;
/** RFC 8445 s5.1.2.1. */
const typePreference = { host: 126, srflx: 100 } as const;
/**
 * Not above what the library gives its own: a browser keeps to the path with the higher priority, also when after an ICE
 * restart it should leave it.
 */
const localPreference = { 4: 4095, 6: 8190 } as const;

export class ReservedEnd {
  readonly identity: Identity;
  readonly local: LocalEnd;
  readonly #socket: Socket;

  private constructor(socket: Socket, identity: Identity, candidates: readonly Candidate[]) {
    this.#socket = socket;
    this.identity = identity;
    const { ufrag, pwd, certificate } = identity;
    this.local = { ice: { ufrag, pwd }, fingerprint: certificate.fingerprint, setup: "actpass", candidates };
  }

  /** All candidates gathered. Throws if no port is free. */
  static async open(ice: WorkerSettings["ice"], iceServers: readonly IceServer[]): Promise<ReservedEnd> {
    const socket = await holdPort(ice);
    const { port } = socket.address();
    const hosts = hostCandidates(ice.bindHost, port);
    const mapped = await mappedAddress(socket, nativeIceServers(iceServers), stunTimeoutMs);
    const base = hosts.find(
      (each) => mapped !== undefined && addressFamily(each.address) === addressFamily(mapped.address),
    );
    const isKnown = hosts.some((each) => each.address === mapped?.address && each.port === mapped.port);
    const reflexive: Candidate[] =
      mapped === undefined || base === undefined || isKnown
        ? []
        : [
            {
              ...base,
              ...mapped,
              foundation: "s1",
              type: "srflx",
              priority: priority(typePreference.srflx, base.address, 0),
              related: { address: base.address, port },
            },
          ];
    const identity = {
      certificate: newCertificate(Date.now()),
      ufrag: randomBytes(6).toString("hex"),
      pwd: randomBytes(16).toString("hex"),
      port,
    };
    return new ReservedEnd(socket, identity, [...hosts, ...reflexive]);
  }

  /** Lets go of the port, at once. */
  release(): void {
    this.#socket.close();
  }
}

/** Loopback only where there is nothing else, as browsers do it; no link-local addresses, which need a zone. */
function hostCandidates(bindHost: string | undefined, port: number): Candidate[] {
  const isAll = bindHost === undefined || isUnspecified(bindHost);
  const all = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ address }) => bindHost !== "0.0.0.0" || addressFamily(address) === 4);
  const outer = all.filter(({ internal, address }) => !internal && !/^fe80:/i.test(address));
  const addresses = isAll ? (outer.length > 0 ? outer : all).map(({ address }) => address) : [bindHost];
  return addresses.map((address, index) => ({
    foundation: `h${index + 1}`,
    component: 1,
    transport: "udp",
    priority: priority(typePreference.host, address, index),
    address,
    port,
    type: "host",
    related: undefined,
    ufrag: undefined,
  }));
}

function priority(type: number, address: string, index: number): number {
  const local = Math.max(0, localPreference[addressFamily(address) ?? 4] - index);
  return type * 2 ** 24 + local * 2 ** 8 + 255;
}
