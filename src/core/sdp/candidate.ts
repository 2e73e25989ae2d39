// ICE candidates (RFC 8839 s5.1): parsed from what a client sends, and written for ours.
import { addressFamily, isMulticast, isUnspecified } from "./address.ts";

export type CandidateType = "host" | "srflx" | "prflx" | "relay";

export interface Candidate {
  readonly foundation: string;
  readonly component: number;
  /** Lower case: `udp`, `tcp`. */
  readonly transport: string;
  readonly priority: number;
  /** An IP address, or a host name such as the `.local` names of RFC 8828. */
  readonly address: string;
  readonly port: number;
  readonly type: CandidateType;
  readonly related: { readonly address: string; readonly port: number } | undefined;
  /** The ICE generation it belongs to, where the client says so. */
  readonly ufrag: string | undefined;
}

const maxCandidateLength = 512;
const form =
  /^(?:a=)?candidate:([A-Za-z0-9+/]{1,32}) (\d{1,3}) ([A-Za-z0-9-]{1,16}) (\d{1,10}) ([A-Za-z0-9.:_-]{1,255}) (\d{1,5}) typ (host|srflx|prflx|relay)((?: \S+)*)$/i;

function extension(pairs: readonly string[], name: string): string | undefined {
  for (let index = 0; index + 1 < pairs.length; index += 2) {
    if (pairs[index] === name) return pairs[index + 1];
  }
  return undefined;
}

/** Parses `candidate:...`, with or without `a=`; undefined for what is none. */
export function parseCandidate(text: string): Candidate | undefined {
  if (text.length > maxCandidateLength) return undefined;
  const match = form.exec(text.trim());
  if (match === null) return undefined;
  const [, foundation = "", component, transport = "", priority, address = "", port, type = "", rest = ""] = match;
  const pairs = rest.trim() === "" ? [] : rest.trim().split(" ");
  const relatedAddress = extension(pairs, "raddr");
  const relatedPort = Number(extension(pairs, "rport"));
  if (Number(port) > 65_535 || Number(priority) > 0xffff_ffff) return undefined;
  return {
    foundation,
    component: Number(component),
    transport: transport.toLowerCase(),
    priority: Number(priority),
    address,
    port: Number(port),
    type: type.toLowerCase() as CandidateType,
    related:
      relatedAddress !== undefined && addressFamily(relatedAddress) !== undefined && relatedPort <= 65_535
        ? { address: relatedAddress, port: relatedPort }
        : undefined,
    ufrag: extension(pairs, "ufrag"),
  };
}

/**
 * Can connectivity checks be sent there? UDP and an IP address only: TCP candidates are `active` and never ours to
 * connect to, and a host name (mDNS among them) is not looked up on the word of a stranger. Such a client reaches us
 * all the same, by its own checks (RFC 8445 s7.3.1.3).
 */
export function isUsable(candidate: Candidate): boolean {
  return (
    candidate.transport === "udp" &&
    candidate.component === 1 &&
    candidate.port > 0 &&
    addressFamily(candidate.address) !== undefined &&
    !isUnspecified(candidate.address) &&
    !isMulticast(candidate.address)
  );
}

/** Without `a=`. */
export function writeCandidate(candidate: Candidate): string {
  const { foundation, component, transport, priority, address, port, type, related } = candidate;
  const tail = related === undefined ? "" : ` raddr ${related.address} rport ${related.port}`;
  return `candidate:${foundation} ${component} ${transport} ${priority} ${address} ${port} typ ${type}${tail}`;
}

/**
 * Our own candidates as the world sees them: behind a one-to-one NAT the host addresses give way to the advertised
 * ones of their family. Each address and port is told once, server-reflexive ones that repeat it are left out.
 */
export function advertisedCandidates(local: readonly Candidate[], advertised: readonly string[]): Candidate[] {
  const told = new Map<string, Candidate>();
  for (const candidate of local) {
    const family = addressFamily(candidate.address);
    const stand = candidate.type === "host" ? advertised.filter((address) => addressFamily(address) === family) : [];
    const addresses = stand.length > 0 ? stand : [candidate.address];
    for (const address of addresses) {
      const key = `${candidate.transport} ${address} ${candidate.port}`;
      const known = told.get(key);
      if (known === undefined || known.priority < candidate.priority) told.set(key, { ...candidate, address });
    }
  }
  return [...told.values()].toSorted((a, b) => b.priority - a.priority);
}
