// ICE candidates (RFC 8839 s5.1): parsed from what a client sends, and written for ours.
import { addressFamily, isMulticast, isUnspecified } from "../address/ip.ts";

const candidateTypes = ["host", "srflx", "prflx", "relay"] as const;
type CandidateType = (typeof candidateTypes)[number];

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
  const knownType = candidateTypes.find((known) => known === type.toLowerCase());
  if (knownType === undefined || Number(port) > 65_535 || Number(priority) > 0xffff_ffff) return undefined;
  return {
    foundation,
    component: Number(component),
    transport: transport.toLowerCase(),
    priority: Number(priority),
    address,
    port: Number(port),
    type: knownType,
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
 * Our own candidates as the world sees them: behind a one-to-one NAT each host address is told a second time under
 * the advertised ones of its family, as server-reflexive (RFC 8839 s5.1). Each address and port is told once.
 */
export function advertisedCandidates(local: readonly Candidate[], advertised: readonly string[]): Candidate[] {
  const told = new Map<string, Candidate>();
  const tell = (candidate: Candidate): void => {
    const key = `${candidate.address} ${candidate.port}`;
    if (!told.has(key)) told.set(key, candidate);
  };
  for (const candidate of local) tell(candidate);
  for (const candidate of local.filter(({ type }) => type === "host")) {
    const family = addressFamily(candidate.address);
    for (const [index, address] of advertised.entries()) {
      if (addressFamily(address) !== family) continue;
      tell({
        ...candidate,
        address,
        type: "srflx",
        foundation: `nat${index}f${candidate.foundation}`.slice(0, 32),
        priority: natPriority(candidate.priority),
        related: { address: candidate.address, port: candidate.port },
      });
    }
  }
  return [...told.values()].toSorted((one, other) => other.priority - one.priority);
}

/** The priority with the type preference of a server-reflexive candidate (RFC 8445 s5.1.2.1). */
function natPriority(priority: number): number {
  return 100 * 2 ** 24 + (priority % 2 ** 24);
}
